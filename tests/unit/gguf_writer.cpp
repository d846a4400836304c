// The writer: what it writes is read back the same, and whatever goes wrong leaves no file behind.
#include "lib/gguf/writer.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/catch.h"
#include "tests/gguf_builder.h"
#include "tests/shared_dir.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;
using gguf::File;
using gguf::Writer;

namespace {

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

void add(Writer& w, std::string_view name, TensorType type, const std::vector<std::int64_t>& dims) {
  w.add_tensor(name, type, dims);
}

File open_ok(const std::string& path) {
  auto file = File::open(path);
  if (!file) FAIL(file.error().message);
  return std::move(*file);
}

void require_ok(const Status& status) {
  if (!status) FAIL(status.error().message);
}

void check_error(const Status& status, ErrorCode code, const std::string& message) {
  REQUIRE_FALSE(status);
  CHECK(status.error().code == code);
  CHECK(status.error().message == message);
}

/// Writes the tensors of one file into another, in pieces of different sizes.
void copy_file(const std::string& from_path, const std::string& to_path) {
  const File from = open_ok(from_path);
  Writer w(to_path);
  for (const std::string_view key : from.keys()) w.copy(from, key);
  for (const gguf::Tensor& t : from.tensors())
    w.add_tensor(t.name, t.type, std::span(t.dims).first(static_cast<std::size_t>(t.n_dims)));
  require_ok(w.begin());
  std::size_t piece = 1;
  for (const gguf::Tensor& t : from.tensors()) {
    for (auto rest = t.data; !rest.empty(); piece = piece * 3 % 1000 + 1) {
      const auto now = rest.first(std::min(piece, rest.size()));
      require_ok(w.write(now));
      rest = rest.subspan(now.size());
    }
  }
  require_ok(w.finish());
}

} // namespace

TEST_CASE("gguf writer: values of every setter are read back") {
  const TempDir dir;
  Writer w(dir.file("out.gguf"));
  w.set_string("s", "text");
  w.set_string("s.empty", "");
  w.set_u32("u", 4000000000u);
  w.set_f32("f", -0.5f);
  w.set_bool("b", true);
  w.set_strings("ss", std::vector<std::string>{"a", "", "ccc"});
  w.set_i32s("is", std::vector<std::int32_t>{-1, 0, 1});
  w.set_f32s("fs", std::vector<float>{0.25f});
  w.set_f32s("fs.none", {});
  w.set_u32("u", 7); // keeps its place
  CHECK(dir.count() == 0);
  require_ok(w.begin());
  CHECK_FALSE(std::filesystem::exists(dir.file("out.gguf"))); // appears when it is finished
  CHECK(dir.count() == 1);
  require_ok(w.finish());
  CHECK(dir.count() == 1);

  const File f = open_ok(dir.file("out.gguf"));
  CHECK(f.keys() == std::vector<std::string_view>{"s", "s.empty", "u", "f", "b", "ss", "is", "fs", "fs.none"});
  CHECK(*f.get_string("s") == "text");
  CHECK(f.get_string("s.empty")->empty());
  CHECK(*f.get_int("u", 0, 9) == 7);
  CHECK(f.type_of("u") == gguf::ValueType::u32);
  CHECK(*f.get_float("f") == -0.5);
  CHECK(*f.get_bool("b"));
  CHECK(*f.get_strings("ss") == std::vector<std::string_view>{"a", "", "ccc"});
  CHECK(*f.get_ints("is") == std::vector<std::int64_t>{-1, 0, 1});
  CHECK(*f.get_floats("fs") == std::vector<float>{0.25f});
  CHECK(f.get_floats("fs.none")->empty());
}

TEST_CASE("gguf writer: tensors of every type, with 0 to 4 dimensions and empty ones, in pieces") {
  const TempDir dir;
  GgufBuilder b;
  unsigned seed = 0;
  b.tensor("empty.first", TensorType::F32, {0});
  for (const TypeInfo& info : all_types())
    b.tensor(info.name, info.type, {static_cast<std::uint64_t>(info.block_weights), 3}, ++seed);
  b.tensor("scalar", TensorType::F32, {}, 50)
      .tensor("empty", TensorType::Q6_K, {256, 0})
      .tensor("four", TensorType::F16, {3, 1, 5, 2}, 51);
  b.tensor("empty.last", TensorType::F32, {2, 0});
  const std::string in = dir.write("in.gguf", b.build());
  copy_file(in, dir.file("out.gguf"));
  CHECK(dir.read("out.gguf") == dir.read("in.gguf"));
}

TEST_CASE("gguf writer: copies of values are exact, whatever their type") {
  const TempDir dir;
  GgufBuilder b;
  b.value("i16", gguf::ValueType::i16, Bytes().put(std::int16_t{-3}).str()).u64("u64", ~0ull);
  b.value("f64", gguf::ValueType::f64, Bytes().put(0.1).str()).value("seven", gguf::ValueType::boolean, "\x07");
  b.numbers<std::uint16_t>("u16s", gguf::ValueType::u16, {1, 2, 3}).strings("strings", {"", "x"}).string("string", "abc");
  const std::string inner = Bytes().type(gguf::ValueType::u8).put(std::uint64_t{3}).raw("abc").str();
  b.array("nested", gguf::ValueType::array, 2, inner + inner);
  b.tensor("t", TensorType::F32, {3}, 1);
  copy_file(dir.write("in.gguf", b.build()), dir.file("out.gguf"));
  CHECK(dir.read("out.gguf") == dir.read("in.gguf"));
}

TEST_CASE("gguf writer: a copied or set alignment is kept to") {
  const TempDir dir;
  for (const std::uint32_t alignment : {8u, 64u, 4096u}) {
    GgufBuilder b;
    b.u32("general.alignment", alignment).tensor("a", TensorType::F32, {3}, 1).tensor("b", TensorType::F32, {5}, 2);
    b.alignment = alignment;
    copy_file(dir.write("in.gguf", b.build()), dir.file("out.gguf"));
    CHECK(dir.read("out.gguf") == dir.read("in.gguf"));
  }
  Writer w(dir.file("bad.gguf"));
  w.set_u32("general.alignment", 48);
  check_error(w.begin(), ErrorCode::invalid_argument,
              dir.file("bad.gguf") + ": key \"general.alignment\": expected u32, a power of two from 8 to 1048576");
  CHECK_FALSE(std::filesystem::exists(dir.file("bad.gguf")));
}

TEST_CASE("gguf writer: a real file comes out byte for byte") {
  const auto model = shared_file("models/stories260K.gguf");
  if (!model) return;
  const TempDir dir;
  copy_file(*model, dir.file("out.gguf"));
  const File a = open_ok(*model), b = open_ok(dir.file("out.gguf"));
  REQUIRE(a.tensors().size() == b.tensors().size());
  CHECK(a.keys() == b.keys());
  for (std::size_t i = 0; i < a.tensors().size(); ++i) {
    CHECK(a.tensors()[i].name == b.tensors()[i].name);
    CHECK((text_of(a.tensors()[i].data) == text_of(b.tensors()[i].data)));
  }
}

TEST_CASE("gguf writer: what the format does not allow is refused by begin(), by name") {
  const TempDir dir;
  const std::string path = dir.file("out.gguf");
  const auto refused = [&](auto&& fill, const std::string& what) {
    Writer w(path);
    fill(w);
    check_error(w.begin(), ErrorCode::invalid_argument, path + ": " + what);
    check_error(w.write({}), ErrorCode::invalid_argument, path + ": " + what); // the first error stays
    check_error(w.finish(), ErrorCode::invalid_argument, path + ": " + what);
    CHECK(dir.count() == 0);
  };
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  refused([](Writer& w) { w.set_u32("", 1); }, "key \"\": a name of 0 bytes, expected 1 to 65535");
  refused([](Writer& w) { w.set_u32(std::string(65536, 'k'), 1); },
          "key \"" + std::string(80, 'k') + "...\": a name of 65536 bytes, expected 1 to 65535");
  refused([](Writer& w) { add(w, std::string(64, 't'), TensorType::F32, {1}); },
          "tensor \"" + std::string(64, 't') + "\": a name of 64 bytes, expected at most 63");
  refused([](Writer& w) { add(w, "t", TensorType::F32, {1, 1, 1, 1, 1}); }, "tensor \"t\": 5 dimensions, expected at most 4");
  refused(
      [](Writer& w) {
        add(w, "t", TensorType::F32, {1, -1});
      },
      "tensor \"t\": dimensions 1 x -1 x 1 x 1: expected no negative number");
  refused([](Writer& w) { add(w, "t", TensorType::Q4_K, {128}); },
          "tensor \"t\": rows of 128 weights: expected a multiple of 256 for type Q4_K");
  refused(
      [](Writer& w) {
        add(w, "t", TensorType::F32, {kHuge, kHuge});
      },
      "tensor \"t\": dimensions 1099511627776 x 1099511627776 x 1 x 1: expected fewer than 2^63 weights");
  refused(
      [](Writer& w) {
        add(w, "t", TensorType::F32, {kHuge, 1 << 21});
      },
      "tensor \"t\": dimensions 1099511627776 x 2097152 x 1 x 1 of type F32: expected fewer than 2^63 bytes");
  refused(
      [](Writer& w) {
        for (const char* name : {"a", "b", "c"}) add(w, name, TensorType::F32, {kHuge, 1 << 20});
      },
      "tensor \"b\": with it the file would have more than 2^63 bytes");
  refused(
      [](Writer& w) {
        for (const char* name : {"a", "b", "a"}) add(w, name, TensorType::F32, {1});
      },
      "tensor \"a\": added twice");
  const TempDir other;
  const File f = open_ok(other.write("in.gguf", GgufBuilder().u32("k", 1).build()));
  refused([&](Writer& w) { w.copy(f, "nokey"); }, "key \"nokey\" cannot be copied: " + other.file("in.gguf") + " has none");
}

TEST_CASE("gguf writer: the bytes of each tensor must be given exactly") {
  const TempDir dir;
  const std::string path = dir.file("out.gguf"), data(100, 'x');
  const auto begun = [&] {
    Writer w(path);
    add(w, "a", TensorType::F32, {2});
    add(w, "none", TensorType::F32, {0});
    add(w, "b", TensorType::F32, {3});
    require_ok(w.begin());
    return w;
  };
  {
    Writer w = begun();
    check_error(w.write(bytes_of(data).first(9)), ErrorCode::invalid_argument,
                path + ": tensor \"a\": 9 bytes written behind the first 0, expected 8 in total");
    CHECK(dir.count() == 0);
  }
  {
    Writer w = begun();
    require_ok(w.write(bytes_of(data).first(7)));
    check_error(w.write(bytes_of(data).first(2)), ErrorCode::invalid_argument,
                path + ": tensor \"a\": 2 bytes written behind the first 7, expected 8 in total");
  }
  {
    Writer w = begun();
    require_ok(w.write(bytes_of(data).first(7)));
    check_error(w.finish(), ErrorCode::invalid_argument, path + ": tensor \"a\": 7 of its 8 bytes are written");
    CHECK(dir.count() == 0);
  }
  {
    Writer w = begun();
    require_ok(w.write(bytes_of(data).first(8)));
    require_ok(w.write({}));
    check_error(w.finish(), ErrorCode::invalid_argument, path + ": tensor \"b\": 0 of its 12 bytes are written");
  }
  {
    Writer w = begun();
    require_ok(w.write(bytes_of(data).first(8)));
    require_ok(w.write(bytes_of(data).first(12)));
    check_error(w.write(bytes_of(data).first(1)), ErrorCode::invalid_argument, path + ": 1 byte written behind the last tensor");
  }
  CHECK(dir.count() == 0);
}

TEST_CASE("gguf writer: calls out of order are errors") {
  const TempDir dir;
  const std::string path = dir.file("out.gguf");
  {
    Writer w(path);
    check_error(w.finish(), ErrorCode::invalid_argument, path + ": finish() is called before begin() or twice");
  }
  {
    Writer w(path);
    check_error(w.write(bytes_of("x")), ErrorCode::invalid_argument,
                path + ": write() is called before begin() or after finish()");
  }
  {
    Writer w(path);
    require_ok(w.begin());
    check_error(w.begin(), ErrorCode::invalid_argument, path + ": begin() is called twice");
  }
  {
    Writer w(path);
    require_ok(w.begin());
    w.set_u32("late", 1);
    check_error(w.finish(), ErrorCode::invalid_argument, path + ": key \"late\" is set after begin()");
  }
  {
    Writer w(path);
    require_ok(w.begin());
    add(w, "late", TensorType::F32, {1});
    check_error(w.finish(), ErrorCode::invalid_argument, path + ": tensor \"late\" is added after begin()");
  }
  CHECK(dir.count() == 0);
  Writer w(path);
  require_ok(w.begin());
  require_ok(w.finish());
  CHECK_FALSE(w.finish());
  CHECK(dir.count() == 1); // a finished file is not taken back
}

TEST_CASE("gguf writer: an unfinished file is removed, an older one stays") {
  const TempDir dir;
  dir.write("out.gguf", "old");
  {
    Writer w(dir.file("out.gguf"));
    add(w, "a", TensorType::F32, {2});
    require_ok(w.begin());
    CHECK(dir.count() == 2);
    Writer moved = std::move(w);
    Writer other(dir.file("out.gguf")); // two at once do not meet
    require_ok(other.begin());
    CHECK(dir.count() == 3);
    moved = std::move(other);
    CHECK(dir.count() == 2);
  }
  CHECK(dir.count() == 1);
  CHECK(dir.read("out.gguf") == "old");
  Writer w(dir.file("out.gguf"));
  require_ok(w.begin());
  require_ok(w.finish());
  CHECK(open_ok(dir.file("out.gguf")).keys().empty());
}

TEST_CASE("gguf writer: a path that cannot be written is an io error") {
  const TempDir dir;
  const auto fails = [](const std::string& path, const std::string& words) {
    Writer w(path);
    const Status s = w.begin();
    REQUIRE_FALSE(s);
    CHECK(s.error().code == ErrorCode::io);
    CHECK(s.error().message.starts_with(path + ": "));
    CHECK(s.error().message.find(words) != std::string::npos);
  };
  fails(dir.file("no/such/out.gguf"), "No such file or directory");
  dir.write("file", "x");
  fails(dir.file("file/out.gguf"), "Not a directory");
  fails(dir.path(), "is no regular file");
  fails("/dev/null", "is no regular file, cannot be replaced");
  if (::geteuid() != 0) {
    REQUIRE(::chmod(dir.path().c_str(), 0500) == 0);
    fails(dir.file("out.gguf"), "Permission denied");
    REQUIRE(::chmod(dir.path().c_str(), 0700) == 0);
  }
}

TEST_CASE("gguf writer: no space left is an io error and leaves nothing behind") {
  const TempDir dir;
  const std::string path = dir.file("out.gguf"), data(1 << 16, 'x');
  // A limit on the size of files stands in for a full disk: the same call fails.
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const rlimit small{1 << 14, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  Writer w(path);
  add(w, "a", TensorType::F32, {1 << 14});
  const Status begun = w.begin();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Status written = w.write(bytes_of(data));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, handler);
  require_ok(begun);
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::io);
  CHECK(written.error().message.find("at byte 16384 failed: File too large") != std::string::npos);
  CHECK_FALSE(w.finish());
  CHECK(dir.count() == 0);
}
