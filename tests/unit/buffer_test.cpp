#include "lib/runtime/buffer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "tests/catch.h"
#include "tests/temp_dir.h"

using mote::runtime::Arena;
using mote::runtime::Buffer;

namespace {

bool all_zero(const Buffer& buffer) {
  return std::all_of(buffer.data(), buffer.data() + buffer.size(), [](std::byte b) { return b == std::byte{0}; });
}

bool aligned(const void* p, std::size_t alignment) { return reinterpret_cast<std::uintptr_t>(p) % alignment == 0; }

} // namespace

TEST_CASE("A buffer is zeroed, aligned and writable from end to end", "[runtime]") {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  for (const std::size_t n_bytes : {std::size_t{1}, std::size_t{63}, std::size_t{4096}, std::size_t{4097}, 2 * kMiB - 1, 2 * kMiB,
                                    2 * kMiB + 1, 7 * kMiB + 4095}) {
    auto buffer = Buffer::allocate(n_bytes);
    REQUIRE(buffer);
    CHECK(buffer->size() == n_bytes);
    CHECK(aligned(buffer->data(), n_bytes >= 2 * kMiB ? 2 * kMiB : 64));
    CHECK(all_zero(*buffer));
    std::fill_n(buffer->data(), n_bytes, std::byte{0xff});
    CHECK(buffer->data()[n_bytes - 1] == std::byte{0xff});
  }
}

TEST_CASE("An empty buffer has no memory", "[runtime]") {
  const auto buffer = Buffer::allocate(0);
  REQUIRE(buffer);
  CHECK(buffer->data() == nullptr);
  CHECK(buffer->size() == 0);
}

TEST_CASE("A buffer can be a part of a file", "[runtime]") {
  using mote::runtime::kHugePage;
  const mote::test::TempDir folder;
  for (const std::size_t n_bytes : {std::size_t{100}, kHugePage + 5, 2 * kHugePage}) {
    const std::string path = folder.write("file", std::string(kHugePage, 'a') + std::string(n_bytes - 1, 'b') + 'c');
    const int descriptor = open(path.c_str(), O_RDONLY);
    REQUIRE(descriptor >= 0);
    const auto buffer = Buffer::map_file(descriptor, kHugePage, n_bytes);
    close(descriptor);
    REQUIRE(buffer);
    CHECK(buffer->size() == n_bytes);
    CHECK(aligned(buffer->data(), n_bytes >= kHugePage ? kHugePage : 64));
    CHECK(std::count(buffer->data(), buffer->data() + n_bytes, std::byte{'b'}) == static_cast<std::ptrdiff_t>(n_bytes) - 1);
    CHECK(buffer->data()[n_bytes - 1] == std::byte{'c'});
  }
  CHECK(Buffer::map_file(-1, 0, 0)->data() == nullptr);
  CHECK(Buffer::map_file(-1, 0, 10).error().code == mote::ErrorCode::out_of_memory);
}

TEST_CASE("A buffer that moves takes its memory along", "[runtime]") {
  Buffer a = *Buffer::allocate(5000), b = *Buffer::allocate(100);
  std::byte* const data = a.data();
  data[4999] = std::byte{7};
  Buffer c(std::move(a));
  CHECK(c.data() == data);
  b = std::move(c);
  CHECK(b.data() == data);
  CHECK(b.size() == 5000);
  CHECK(b.data()[4999] == std::byte{7});
}

TEST_CASE("Memory that cannot be had is an error", "[runtime]") {
  for (const std::size_t n_bytes : {SIZE_MAX, SIZE_MAX - 5000, SIZE_MAX / 2, std::size_t{1} << 60}) {
    const auto buffer = Buffer::allocate(n_bytes);
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().code == mote::ErrorCode::out_of_memory);
    CHECK(buffer.error().message.find(std::to_string(n_bytes)) != std::string::npos);
  }
}

TEST_CASE("An arena cuts a buffer as it measured it", "[runtime]") {
  const auto take = [](Arena& arena) {
    float* const floats = arena.take<float>(17);
    return std::pair(floats, arena.take<char>(1));
  };
  Arena measured;
  CHECK(take(measured) == std::pair<float*, char*>(nullptr, nullptr));
  CHECK(measured.used() == 128 + 64);

  const Buffer buffer = *Buffer::allocate(measured.used());
  Arena arena({buffer.data(), buffer.size()});
  const auto [floats, chars] = take(arena);
  CHECK(static_cast<void*>(floats) == buffer.data());
  CHECK(static_cast<void*>(chars) == buffer.data() + 128);
  CHECK(arena.take<char>(1) == nullptr); // full
}
