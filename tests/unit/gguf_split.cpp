// Models in several files.
#include "lib/gguf/split.h"

#include <filesystem>

#include "lib/gguf/writer.h"
#include "tests/catch.h"
#include "tests/gguf_builder.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;
using gguf::File;

namespace {

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string part_name(int no, int count) {
  char name[64];
  std::snprintf(name, sizeof name, "my.model-%05d-of-%05d.gguf", no + 1, count);
  return name;
}

/// Part `no` of three with one tensor, t<no>.
GgufBuilder part(int no, int count = 3) {
  GgufBuilder b;
  if (no == 0) b.string("general.architecture", "llama");
  b.u16("split.no", static_cast<std::uint16_t>(no))
      .u16("split.count", static_cast<std::uint16_t>(count))
      .i32("split.tensors.count", 3);
  if (no != 0) b.string("only.here", "ignored");
  b.tensor("t" + std::to_string(no), TensorType::F32, {4}, static_cast<unsigned>(no));
  return b;
}

void write_parts(const TempDir& dir) {
  for (int no = 0; no < 3; ++no) dir.write(part_name(no, 3), part(no).build());
}

Error open_error(const std::string& path) {
  auto file = File::open(path);
  REQUIRE_FALSE(file);
  return file.error();
}

void check_error(const Error& error, ErrorCode code, const std::string& message) {
  CHECK(error.code == code);
  CHECK(error.message == message);
}

} // namespace

TEST_CASE("gguf split: three parts are one file") {
  const TempDir dir;
  write_parts(dir);
  auto f = File::open(dir.file(part_name(0, 3)));
  if (!f) FAIL(f.error().message);
  REQUIRE(f->tensors().size() == 3);
  for (unsigned no = 0; no < 3; ++no) {
    const gguf::Tensor* t = f->find_tensor("t" + std::to_string(no));
    REQUIRE(t == &f->tensors()[no]);
    CHECK(text_of(t->data) == GgufBuilder::counting_bytes(16, no));
  }
  CHECK(f->keys() == std::vector<std::string_view>{"general.architecture"});
  for (const char* key : {"split.no", "split.count", "split.tensors.count", "only.here"}) {
    CHECK_FALSE(f->has(key));
    CHECK(f->type_of(key) == std::nullopt);
    CHECK(f->raw_value(key).empty());
    CHECK_FALSE(f->get_int(key, 0, 9));
  }
  // A copy of all keys and tensors is a whole model in one file.
  gguf::Writer w(dir.file("whole.gguf"));
  for (const std::string_view key : f->keys()) w.copy(*f, key);
  for (const gguf::Tensor& t : f->tensors()) w.add_tensor(t.name, t.type, std::span(t.dims).first(1));
  REQUIRE(w.begin());
  for (const gguf::Tensor& t : f->tensors()) REQUIRE(w.write(t.data));
  REQUIRE(w.finish());
  auto whole = File::open(dir.file("whole.gguf"));
  REQUIRE(whole);
  CHECK(whole->tensors().size() == 3);
}

TEST_CASE("gguf split: the first part may hold no tensors, other widths of integers do, the total may be absent") {
  const TempDir dir;
  dir.write(part_name(0, 2),
            GgufBuilder().u32("split.no", 0).u64("split.count", 2).string("general.architecture", "llama").build());
  dir.write(part_name(1, 2), GgufBuilder().i32("split.no", 1).u32("split.count", 2).tensor("t", TensorType::F32, {4}).build());
  auto f = File::open(dir.file(part_name(0, 2)));
  if (!f) FAIL(f.error().message);
  CHECK(f->find_tensor("t") != nullptr);
}

TEST_CASE("gguf split: a count of 0 or 1 is no split, whatever the name") {
  const TempDir dir;
  for (const std::uint16_t count : {std::uint16_t{0}, std::uint16_t{1}}) {
    auto f = File::open(dir.write("any.gguf", GgufBuilder().u16("split.count", count).tensor("t", TensorType::F32, {4}).build()));
    if (!f) FAIL(f.error().message);
    CHECK(f->tensors().size() == 1);
    CHECK(f->keys().empty());
  }
}

TEST_CASE("gguf split: a missing or damaged part is named") {
  const TempDir dir;
  write_parts(dir);
  const std::string first = dir.file(part_name(0, 3)), second = dir.file(part_name(1, 3));
  std::filesystem::remove(second);
  check_error(open_error(first), ErrorCode::io,
              second + ": cannot be opened: No such file or directory (wanted as part 2 of 3 of " + first + ")");
  dir.write(part_name(1, 3), "text");
  check_error(open_error(first), ErrorCode::bad_file,
              second + ": is no GGUF file: does not start with GGUF, found \"text\" (wanted as part 2 of 3 of " + first + ")");
}

TEST_CASE("gguf split: a later part is refused with the name of the first") {
  const TempDir dir;
  write_parts(dir);
  const std::string first = dir.file(part_name(0, 3)), second = dir.file(part_name(1, 3));
  check_error(open_error(second), ErrorCode::unsupported,
              second + ": is part 2 of 3 of a split model; open the first part, " + first);
  const std::string renamed = dir.write("renamed.gguf", part(1).build());
  check_error(open_error(renamed), ErrorCode::unsupported, renamed + ": is part 2 of 3 of a split model; open the first part");
}

TEST_CASE("gguf split: parts that do not belong together are refused") {
  const TempDir dir;
  const std::string first = dir.file(part_name(0, 3)), second = dir.file(part_name(1, 3)), third = dir.file(part_name(2, 3));
  const std::string wanted2 = " in part 2 of 3 of " + first;
  const auto with = [&](int no, GgufBuilder b) {
    write_parts(dir);
    dir.write(part_name(no, 3), b.build());
    return open_error(first);
  };
  SECTION("wrong number") {
    check_error(with(1, part(2)), ErrorCode::bad_file, second + ": key \"split.no\": expected 1" + wanted2 + ", found 2");
  }
  SECTION("wrong count") {
    check_error(with(1, part(1, 4)), ErrorCode::bad_file, second + ": key \"split.count\": expected 3" + wanted2 + ", found 4");
  }
  SECTION("no split keys at all") {
    check_error(with(1, GgufBuilder().tensor("t1", TensorType::F32, {4})), ErrorCode::bad_file,
                second + ": key \"split.count\": expected 3" + wanted2 + ", found 1");
  }
  SECTION("no number") {
    check_error(with(1, GgufBuilder().u16("split.count", 3)), ErrorCode::bad_file,
                second + ": key \"split.no\": missing, expected the number of this part, since \"split.count\" is 3");
  }
  SECTION("number beyond the count") {
    check_error(with(1, GgufBuilder().u16("split.no", 3).u16("split.count", 3)), ErrorCode::bad_file,
                second + ": key \"split.no\": expected an integer from 0 to 2, found u16 3");
  }
  SECTION("another total") {
    check_error(with(1, GgufBuilder().u16("split.no", 1).u16("split.count", 3).i32("split.tensors.count", 4)),
                ErrorCode::bad_file, second + ": key \"split.tensors.count\": expected 3" + wanted2 + ", found 4");
  }
  SECTION("one tensor more than the total") {
    check_error(with(2, part(2).tensor("t3", TensorType::F32, {4})), ErrorCode::bad_file,
                first + ": key \"split.tensors.count\": 3 tensors expected in the 3 parts, found 4");
  }
  SECTION("the same tensor in two parts") {
    GgufBuilder b;
    b.u16("split.no", 2).u16("split.count", 3).i32("split.tensors.count", 3).tensor("t1", TensorType::F32, {4});
    check_error(with(2, b), ErrorCode::bad_file, first + ": tensor \"t1\": appears twice, in part 2 and part 3 of 3");
  }
}

TEST_CASE("gguf split: senseless split keys are refused") {
  const TempDir dir;
  const std::string path = dir.file("odd.gguf");
  const auto refused = [&](const GgufBuilder& b, const std::string& what) {
    dir.write("odd.gguf", b.build());
    check_error(open_error(path), ErrorCode::bad_file, path + ": " + what);
  };
  refused(GgufBuilder().string("split.count", "3"),
          "key \"split.count\": expected an integer from 0 to 65535, found string \"3\"");
  refused(GgufBuilder().i32("split.count", -3), "key \"split.count\": expected an integer from 0 to 65535, found i32 -3");
  refused(GgufBuilder().u32("split.count", 65536), "key \"split.count\": expected an integer from 0 to 65535, found u32 65536");
  refused(GgufBuilder().u16("split.count", 3).u16("split.no", 0).i32("split.tensors.count", -1),
          "key \"split.tensors.count\": expected an integer from 0 to 9223372036854775807, found i32 -1");
  refused(part(0), "is part 1 of 3 of a split model, expected a file name that ends in -00001-of-00003.gguf");
  // The most parts that can be claimed: the first missing one ends the search.
  const std::string first =
      dir.write("m-00001-of-65535.gguf", GgufBuilder().u16("split.count", 65535).u16("split.no", 0).build());
  CHECK(open_error(first).message.starts_with(dir.file("m-00002-of-65535.gguf") + ": cannot be opened"));
}
