// The reader on sound files, and the words of its errors on the commonest unsound ones. Hostile files: loader_flaws.cpp.
#include "lib/gguf/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <limits>

#include "tests/catch.h"
#include "tests/gguf_builder.h"
#include "tests/shared_dir.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;
using gguf::File;

namespace {

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// The error of opening a file of these bytes, which must fail.
Error open_error(const TempDir& dir, std::string_view bytes) {
  auto file = File::open(dir.write("model.gguf", bytes));
  REQUIRE_FALSE(file);
  return file.error();
}

void check_error(const Error& error, ErrorCode code, const std::string& message) {
  CHECK(error.code == code);
  CHECK(error.message == message);
}

File open_ok(const std::string& path) {
  auto file = File::open(path);
  if (!file) FAIL(file.error().message);
  return std::move(*file);
}

GgufBuilder every_value_type() {
  GgufBuilder b;
  b.value("a.u8", ValueType::u8, Bytes().put(std::uint8_t{200}).str());
  b.value("a.i8", ValueType::i8, Bytes().put(std::int8_t{-100}).str());
  b.u16("a.u16", 60000);
  b.value("a.i16", ValueType::i16, Bytes().put(std::int16_t{-30000}).str());
  b.u32("a.u32", 4000000000u);
  b.i32("a.i32", -2000000000);
  b.u64("a.u64", 1ull << 62);
  b.value("a.i64", ValueType::i64, Bytes().put(std::numeric_limits<std::int64_t>::min()).str());
  b.f32("a.f32", 1.5f);
  b.value("a.f64", ValueType::f64, Bytes().put(-2.25).str());
  b.boolean("a.true", true).boolean("a.false", false);
  b.value("a.seven", ValueType::boolean, Bytes().put(std::uint8_t{7}).str());
  b.string("a.string", "héllo").string("a.empty", "");
  b.strings("l.strings", {"", "one", std::string("nul\0in", 6), "two"});
  b.numbers<std::int8_t>("l.i8", ValueType::i8, {-1, 2});
  b.numbers<std::uint16_t>("l.u16", ValueType::u16, {0, 65535});
  b.numbers<std::int32_t>("l.i32", ValueType::i32, {-5, 5, 7});
  b.numbers<std::uint64_t>("l.u64", ValueType::u64, {1, 1ull << 63});
  b.numbers<float>("l.f32", ValueType::f32, {0.5f, -0.25f, 3e38f});
  b.numbers<double>("l.f64", ValueType::f64, {0.5, std::numeric_limits<double>::infinity()});
  b.numbers<double>("l.big", ValueType::f64, {0.5, 1e300});
  b.numbers<std::uint8_t>("l.bool", ValueType::boolean, {1, 0});
  b.numbers<float>("l.none", ValueType::f32, {});
  return b;
}

} // namespace

TEST_CASE("gguf: values of every type are read, integers and floats of any width") {
  const TempDir dir;
  const File f = open_ok(dir.write("model.gguf", every_value_type().build()));
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min(), kMax = std::numeric_limits<std::int64_t>::max();

  CHECK(*f.get_int("a.u8", 0, 255) == 200);
  CHECK(*f.get_int("a.i8", -128, 127) == -100);
  CHECK(*f.get_int("a.u16", 0, 65535) == 60000);
  CHECK(*f.get_int("a.i16", kMin, kMax) == -30000);
  CHECK(*f.get_int("a.u32", kMin, kMax) == 4000000000);
  CHECK(*f.get_int("a.i32", kMin, kMax) == -2000000000);
  CHECK(*f.get_int("a.u64", kMin, kMax) == std::int64_t{1} << 62);
  CHECK(*f.get_int("a.i64", kMin, kMax) == kMin);
  CHECK(*f.get_float("a.f32") == 1.5);
  CHECK(*f.get_float("a.f64") == -2.25);
  CHECK(*f.get_bool("a.true"));
  CHECK_FALSE(*f.get_bool("a.false"));
  CHECK(*f.get_bool("a.seven")); // anything but 0
  CHECK(*f.get_string("a.string") == "héllo");
  CHECK(f.get_string("a.empty")->empty());

  using Strings = std::vector<std::string_view>;
  using Ints = std::vector<std::int64_t>;
  using Floats = std::vector<float>;
  CHECK(*f.get_strings("l.strings") == Strings{"", "one", std::string_view("nul\0in", 6), "two"});
  CHECK(*f.get_ints("l.i8") == Ints{-1, 2});
  CHECK(*f.get_ints("l.u16") == Ints{0, 65535});
  CHECK(*f.get_ints("l.i32") == Ints{-5, 5, 7});
  CHECK(*f.get_floats("l.f32") == Floats{0.5f, -0.25f, 3e38f});
  CHECK(*f.get_floats("l.f64") == Floats{0.5f, std::numeric_limits<float>::infinity()});
  CHECK(f.get_floats("l.none")->empty());

  CHECK(f.keys().size() == 25);
  CHECK(f.keys().front() == "a.u8");
  CHECK(f.keys().back() == "l.none");
  CHECK(f.has("a.u8"));
  CHECK_FALSE(f.has("a.u"));
  CHECK(f.type_of("a.u64") == ValueType::u64);
  CHECK(f.type_of("l.f32") == ValueType::array);
  CHECK(f.type_of("nothing") == std::nullopt);
  CHECK(text_of(f.raw_value("a.u16")) == Bytes().type(ValueType::u16).put(std::uint16_t{60000}).str());
  CHECK(text_of(f.raw_value("a.string")) == Bytes().type(ValueType::string).string("héllo").str());
  CHECK(text_of(f.raw_value("l.i8")) ==
        Bytes().type(ValueType::array).type(ValueType::i8).put(std::uint64_t{2}).raw("\xff\x02").str());
  CHECK(f.raw_value("nothing").empty());
}

TEST_CASE("gguf: a key that is missing or of another type is named with what was expected and found") {
  const TempDir dir;
  const std::string path = dir.write("model.gguf", every_value_type().build());
  const File f = open_ok(path);
  const auto says = [&](const auto& result, const std::string& what) {
    REQUIRE_FALSE(result);
    check_error(result.error(), ErrorCode::bad_file, path + ": key " + what);
  };
  says(f.get_int("x", 1, 9), "\"x\": missing, expected an integer from 1 to 9");
  says(f.get_string("x"), "\"x\": missing, expected a string");
  says(f.get_float("x"), "\"x\": missing, expected f32 or f64");
  says(f.get_bool("x"), "\"x\": missing, expected bool");
  says(f.get_ints("x"), "\"x\": missing, expected an array of integers");
  says(f.get_floats("x"), "\"x\": missing, expected an array of f32 or f64");
  says(f.get_strings("x"), "\"x\": missing, expected an array of strings");
  says(f.get_int("a.u8", 0, 199), "\"a.u8\": expected an integer from 0 to 199, found u8 200");
  says(f.get_int("a.i64", 0, 9), "\"a.i64\": expected an integer from 0 to 9, found i64 -9223372036854775808");
  says(f.get_int("a.f32", 0, 9), "\"a.f32\": expected an integer from 0 to 9, found f32 1.5");
  says(f.get_int("a.true", 0, 9), "\"a.true\": expected an integer from 0 to 9, found bool true");
  says(f.get_int("a.string", 0, 9), "\"a.string\": expected an integer from 0 to 9, found string \"h\\xc3\\xa9llo\"");
  says(f.get_int("l.i32", 0, 9), "\"l.i32\": expected an integer from 0 to 9, found array of 3 i32");
  says(f.get_float("a.u32"), "\"a.u32\": expected f32 or f64, found u32 4000000000");
  says(f.get_bool("a.u8"), "\"a.u8\": expected bool, found u8 200");
  says(f.get_string("l.strings"), "\"l.strings\": expected a string, found array of 4 string");
  says(f.get_strings("a.string"), "\"a.string\": expected an array of strings, found string \"h\\xc3\\xa9llo\"");
  says(f.get_strings("l.f32"), "\"l.f32\": expected an array of strings, found array of 3 f32");
  says(f.get_ints("l.f32"), "\"l.f32\": expected an array of integers, found array of 3 f32");
  says(f.get_ints("l.bool"), "\"l.bool\": expected an array of integers, found array of 2 bool");
  says(f.get_ints("l.u64"), "\"l.u64\": element 1: expected less than 2^63, found 9223372036854775808");
  says(f.get_floats("l.i32"), "\"l.i32\": expected an array of f32 or f64, found array of 3 i32");
  says(f.get_floats("l.big"), "\"l.big\": element 1: a number beyond the range of f32");
}

TEST_CASE("gguf: a u64 beyond 63 bits is no integer that anything wants") {
  const TempDir dir;
  const File f = open_ok(dir.write("model.gguf", GgufBuilder().u64("k", ~0ull).build()));
  const auto k = f.get_int("k", 0, std::numeric_limits<std::int64_t>::max());
  REQUIRE_FALSE(k);
  CHECK(k.error().message.ends_with("found u64 18446744073709551615"));
}

TEST_CASE("gguf: tensors of every type and number of dimensions are where the file has them") {
  const TempDir dir;
  GgufBuilder b;
  unsigned seed = 0;
  for (const TypeInfo& info : all_types()) {
    const auto cols = static_cast<std::uint64_t>(info.block_weights) * 2;
    b.tensor(std::string(info.name) + ".weight", info.type, {cols, 3}, ++seed);
  }
  b.tensor("scalar", TensorType::F32, {}, 50);
  b.tensor("one", TensorType::F16, {5}, 51);
  b.tensor("three", TensorType::Q8_0, {32, 2, 3}, 52);
  b.tensor("four", TensorType::BF16, {3, 2, 2, 2}, 53);
  const File f = open_ok(dir.write("model.gguf", b.build()));

  REQUIRE(f.tensors().size() == all_types().size() + 4);
  seed = 0;
  for (const TypeInfo& info : all_types()) {
    const gguf::Tensor* t = f.find_tensor(std::string(info.name) + ".weight");
    REQUIRE(t != nullptr);
    CHECK(t == &f.tensors()[seed]);
    CHECK(t->type == info.type);
    CHECK(t->n_dims == 2);
    CHECK(t->n_cols() == 2 * info.block_weights);
    CHECK(t->n_rows() == 3);
    CHECK(text_of(t->data) == GgufBuilder::counting_bytes(6 * static_cast<std::size_t>(info.block_bytes), ++seed));
  }
  const gguf::Tensor *scalar = f.find_tensor("scalar"), *one = f.find_tensor("one"), *three = f.find_tensor("three"),
                     *four = f.find_tensor("four");
  REQUIRE((scalar && one && three && four));
  CHECK((scalar->n_dims == 0 && scalar->n_cols() == 1 && scalar->n_rows() == 1));
  CHECK(text_of(scalar->data) == GgufBuilder::counting_bytes(4, 50));
  CHECK((one->n_dims == 1 && one->n_cols() == 5 && one->n_rows() == 1));
  CHECK(text_of(one->data) == GgufBuilder::counting_bytes(10, 51));
  CHECK((three->n_dims == 3 && three->n_rows() == 6));
  CHECK(text_of(three->data) == GgufBuilder::counting_bytes(6 * 34, 52));
  CHECK((four->n_dims == 4 && four->n_cols() == 3 && four->n_rows() == 8));
  CHECK(text_of(four->data) == GgufBuilder::counting_bytes(48, 53));
  CHECK(f.find_tensor("five") == nullptr);

  // Releasing pages, also those shared with neighbours, loses nothing.
  for (const gguf::Tensor& t : f.tensors()) f.release(t.data);
  CHECK(text_of(four->data) == GgufBuilder::counting_bytes(48, 53));
  CHECK(text_of(one->data) == GgufBuilder::counting_bytes(10, 51));
}

TEST_CASE("gguf: empty tensors are legal and have no bytes") {
  const TempDir dir;
  GgufBuilder b;
  b.tensor("first", TensorType::F32, {0});
  b.tensor("middle", TensorType::Q4_K, {0, 5});
  b.tensor(TensorInfo{"last", {4, 0, 7}, 0, "", {}, {}, 32});
  b.tensor("full", TensorType::F32, {3}, 1);
  b.pad_end = false; // so that the last tensor starts behind the end of the file
  const File f = open_ok(dir.write("model.gguf", b.build()));
  for (const char* name : {"first", "middle", "last"}) {
    const gguf::Tensor* t = f.find_tensor(name);
    REQUIRE(t != nullptr);
    CHECK(t->data.empty());
    CHECK(t->data.data() != nullptr);
    CHECK(t->n_rows() * t->n_cols() == 0);
    f.release(t->data);
  }
  const auto full = f.find_tensor("full")->data;
  CHECK(full.size() == 12);
  CHECK(f.find_tensor("last")->data.data() == full.data() + full.size()); // the end of the mapping, not beyond it
}

TEST_CASE("gguf: the padding behind the last tensor may be missing") {
  const TempDir dir;
  GgufBuilder b;
  b.tensor("a", TensorType::F32, {3}, 1).tensor("b", TensorType::F32, {5}, 2);
  b.pad_end = false;
  const File f = open_ok(dir.write("model.gguf", b.build()));
  CHECK(text_of(f.find_tensor("b")->data) == GgufBuilder::counting_bytes(20, 2));
}

TEST_CASE("gguf: tensors may lie in any order and with gaps") {
  const TempDir dir;
  GgufBuilder b;
  b.tensor(TensorInfo{"late", {2}, 0, GgufBuilder::counting_bytes(128, 3), {}, {}, 96});
  b.tensor(TensorInfo{"early", {4}, 0, "", {}, {}, 32});
  const File f = open_ok(dir.write("model.gguf", b.build()));
  CHECK(text_of(f.find_tensor("early")->data) == GgufBuilder::counting_bytes(128, 3).substr(32, 16));
  CHECK(text_of(f.find_tensor("late")->data) == GgufBuilder::counting_bytes(128, 3).substr(96, 8));
}

TEST_CASE("gguf: alignments from 8 to 2^20, powers of two only") {
  const TempDir dir;
  for (const std::uint32_t alignment : {8u, 16u, 64u, 4096u, 1u << 20}) {
    GgufBuilder b;
    b.u32("general.alignment", alignment).tensor("a", TensorType::F32, {3}, 1).tensor("b", TensorType::F16, {7}, 2);
    b.alignment = alignment;
    const File f = open_ok(dir.write("model.gguf", b.build()));
    CHECK(text_of(f.find_tensor("a")->data) == GgufBuilder::counting_bytes(12, 1));
    CHECK(text_of(f.find_tensor("b")->data) == GgufBuilder::counting_bytes(14, 2));
  }
  for (const std::uint32_t alignment : {0u, 1u, 2u, 4u, 12u, 33u, 48u, (1u << 20) + 1, 1u << 21, 1u << 31, ~0u}) {
    const Error e = open_error(dir, GgufBuilder().u32("general.alignment", alignment).tensor("a", TensorType::F32, {3}).build());
    check_error(e, ErrorCode::bad_file,
                dir.file("model.gguf") +
                    ": key \"general.alignment\": expected u32, a power of two from 8 to 1048576, found u32 " +
                    std::to_string(alignment));
  }
}

TEST_CASE("gguf: version 2 has the same layout, others are refused") {
  const TempDir dir;
  GgufBuilder b;
  b.u32("k", 1).tensor("a", TensorType::F32, {3}, 1);
  b.version = 2;
  CHECK(open_ok(dir.write("model.gguf", b.build())).tensors().size() == 1);
  for (const std::uint32_t version : {0u, 1u, 4u, 0x10003u, ~0u}) {
    b.version = version;
    check_error(open_error(dir, b.build()), ErrorCode::unsupported,
                dir.file("model.gguf") + ": GGUF version " + std::to_string(version) + " is not supported, expected 2 or 3");
  }
  b.version = 0x03000000;
  check_error(open_error(dir, b.build()), ErrorCode::unsupported,
              dir.file("model.gguf") + ": wrong endianness: the numbers are big-endian, expected little-endian");
}

TEST_CASE("gguf: what is no GGUF file at all is said in one line") {
  const TempDir dir;
  const auto says = [&](const std::string& path, ErrorCode code, const std::string& what) {
    auto file = File::open(path);
    REQUIRE_FALSE(file);
    check_error(file.error(), code, path + ": " + what);
  };
  says(dir.file("nothing.gguf"), ErrorCode::io, "cannot be opened: No such file or directory");
  says(dir.path(), ErrorCode::io, "is a directory, expected a GGUF file");
  says(dir.write("empty.gguf", ""), ErrorCode::bad_file, "is empty, expected a GGUF file");
  says(dir.write("text.txt", "{\"model\": 1}\n"), ErrorCode::bad_file,
       "is no GGUF file: does not start with GGUF, found \"{\\\"model\\\"\"");
  says(dir.write("short", "GGU"), ErrorCode::bad_file, "is no GGUF file: does not start with GGUF, found \"GGU\"");
  says(dir.write("binary", std::string("\0\x7f\n\xff", 4)), ErrorCode::bad_file,
       "is no GGUF file: does not start with GGUF, found \"\\x00\\x7f\\x0a\\xff\"");
  says(dir.write("magic", "GGUF"), ErrorCode::bad_file, "cut off: a header of 24 bytes expected, the file has 4");
  REQUIRE(::mkfifo(dir.file("pipe").c_str(), 0600) == 0);
  says(dir.file("pipe"), ErrorCode::io, "is not a regular file, expected a GGUF file"); // and does not wait for a writer
  if (::geteuid() != 0) {
    REQUIRE(::chmod(dir.write("secret", "GGUF").c_str(), 0) == 0);
    says(dir.file("secret"), ErrorCode::io, "cannot be opened: Permission denied");
  }
}

TEST_CASE("gguf: a file without keys and tensors is sound") {
  const TempDir dir;
  const File f = open_ok(dir.write("model.gguf", GgufBuilder().build()));
  CHECK(f.keys().empty());
  CHECK(f.tensors().empty());
}

TEST_CASE("gguf: a file can be moved, its views stay") {
  const TempDir dir;
  File a = open_ok(dir.write("model.gguf", GgufBuilder().string("s", "abc").tensor("t", TensorType::F32, {2}, 9).build()));
  const std::string_view s = *a.get_string("s");
  const gguf::Tensor* t = a.find_tensor("t");
  File b = std::move(a);
  CHECK(s == "abc");
  CHECK(b.find_tensor("t") == t);
  CHECK(text_of(t->data) == GgufBuilder::counting_bytes(8, 9));
  b = open_ok(dir.write("other.gguf", GgufBuilder().string("s", "def").build()));
  CHECK(*b.get_string("s") == "def");
  CHECK(b.path() == dir.file("other.gguf"));
}

TEST_CASE("gguf: a file rewritten while it is open gives an error, not a read beyond its array") {
  const TempDir dir;
  const std::string path = dir.write("model.gguf", GgufBuilder().strings("s", {"abc", "def"}).build());
  const File f = open_ok(path);
  REQUIRE(f.get_strings("s"));
  // The length of the second string, 8 + 3 bytes from the end, becomes huge.
  const int fd = ::open(path.c_str(), O_WRONLY);
  REQUIRE(fd >= 0);
  const std::uint64_t huge = 1ull << 60;
  const auto end = ::lseek(fd, 0, SEEK_END);
  REQUIRE(::pwrite(fd, &huge, sizeof huge, end - 11) == sizeof huge);
  ::close(fd);
  const auto strings = f.get_strings("s");
#ifdef __linux__ // elsewhere a private mapping may keep the old bytes
  REQUIRE_FALSE(strings);
#endif
  if (!strings) CHECK(strings.error().message.find("changed since the file was opened") != std::string::npos);
}

TEST_CASE("gguf: offsets and lengths beyond 4 GiB are kept whole") {
  const TempDir dir;
  const std::string path = dir.file("big.gguf");
  constexpr std::uint64_t kText = (1ull << 32) + 5; // the length of a string whose low 32 bits are 5
  constexpr std::uint64_t kBig = (1ull << 32) + 64, kSmall = 16;
  // The file is sparse: only its ends are written.
  const std::string head = Bytes()
                               .raw("GGUF")
                               .put(3u)
                               .put(std::uint64_t{2})
                               .put(std::uint64_t{1})
                               .string("k")
                               .type(ValueType::string)
                               .put(kText)
                               .str();
  const std::string infos = Bytes()
                                .string("big")
                                .put(1u)
                                .put(kBig / 4)
                                .put(0u)
                                .put(std::uint64_t{0})
                                .string("small")
                                .put(1u)
                                .put(kSmall / 4)
                                .put(0u)
                                .put(kBig)
                                .str();
  const std::uint64_t infos_at = head.size() + kText, data_at = (infos_at + infos.size() + 31) / 32 * 32,
                      size = data_at + kBig + kSmall;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(fd >= 0);
  const auto put = [&](std::string_view bytes, std::uint64_t at) {
    return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(bytes.size());
  };
  const bool made = ::ftruncate(fd, static_cast<off_t>(size)) == 0 && put(head, 0) && put("last!", infos_at - 5) &&
                    put(infos, infos_at) && put("big end.", data_at + kBig - 8) && put("small tensor end", data_at + kBig);
  ::close(fd);
  if (!made) {
    WARN("no file of 8 GiB can be made here");
    return;
  }
  {
    const File f = open_ok(path);
    const std::string_view k = *f.get_string("k");
    CHECK(k.size() == kText);
    CHECK(k.substr(k.size() - 5) == "last!");
    const gguf::Tensor *big = f.find_tensor("big"), *small = f.find_tensor("small");
    REQUIRE((big && small));
    CHECK(big->data.size() == kBig);
    CHECK(text_of(big->data.last(8)) == "big end.");
    CHECK(text_of(small->data) == "small tensor end");
  }
  REQUIRE(::truncate(path.c_str(), static_cast<off_t>(size - 1)) == 0);
  auto cut = File::open(path);
  REQUIRE_FALSE(cut);
  CHECK(cut.error().message.find("tensor \"small\": 16 bytes at offset 4294967360") != std::string::npos);
}

TEST_CASE("gguf: files that other programs wrote") {
  const auto model = shared_file("models/stories260K.gguf");
  if (!model) return;
  const File f = open_ok(*model);
  CHECK(*f.get_string("general.architecture") == "llama");
  CHECK(f.get_strings("tokenizer.ggml.tokens")->size() == f.get_floats("tokenizer.ggml.scores")->size());
  CHECK(f.get_ints("tokenizer.ggml.token_type")->size() == 512);
  const gguf::Tensor* t = f.find_tensor("token_embd.weight");
  REQUIRE(t != nullptr);
  CHECK(t->n_rows() == 512);
  CHECK(t->data.size() == static_cast<std::size_t>(t->n_rows()) * row_bytes(t->type, static_cast<std::size_t>(t->n_cols())));
  const auto vocab = shared_file("vocab/ggml-vocab-gpt-2.gguf");
  if (!vocab) return;
  const File v = open_ok(*vocab);
  CHECK(v.tensors().empty());
  CHECK(v.get_strings("tokenizer.ggml.tokens")->size() == 50257);
}
