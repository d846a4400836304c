// Files that crashed, over-read or hung published GGUF loaders: each must give an error that names what is wrong, at once and
// without memory for what the file merely claims. A test case is a row, or a few rows with one cause, of the list of such flaws.
//
// Rows that are not about the container and are held elsewhere, by the tests of the code that reads those values:
//   special token ids beyond the vocabulary (GHSA-g4cc-763q-h9h6, PR #14145, #25508, #25475), token counts and piece lengths
//   (CVE-2025-49847, CVE-2025-52566), byte tokens like <0x-1> (PR #25969, #26511, #27226), scores and token types of the wrong
//   element type or count (PR #26690, #24888; what the container can say of them is below), block counts (PR #25821, #26051),
//   context shift and cache state (CVE-2026-21869, CVE-2026-43629).
// Rows about what this library does not have: RPC (CVE-2024-42477/8/9), Jinja templates (CVE-2024-34359, PR #19085, #26387,
// #24140, #11400), grammars (#26600, #22234), unigram charsmaps (PR #18750, #25258), control vectors and draft models' target
// layers. Rows without a file of their own: CVE-2024-32878 (what an early failure leaves behind: every case here fails early,
// under the address sanitizer, too), lmstudio-bug-tracker #2289 (the above, shipped late by others).
#include <chrono>
#include <limits>

#include "lib/gguf/file.h"
#include "tests/catch.h"
#include "tests/gguf_builder.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;
using gguf::File;

namespace {

constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();

/// Opens files that must be refused.
class Refusal {
 public:
  /// The message is the path and then exactly this.
  void check(std::string_view bytes, const std::string& message, ErrorCode code = ErrorCode::bad_file) const {
    const std::string path = dir_.write("bad.gguf", bytes);
    auto file = File::open(path);
    REQUIRE_FALSE(file);
    CHECK(file.error().message == path + ": " + message);
    CHECK(file.error().code == code);
  }
  void check(const GgufBuilder& builder, const std::string& message, ErrorCode code = ErrorCode::bad_file) const {
    check(builder.build(), message, code);
  }
  const TempDir& dir() const { return dir_; }

 private:
  TempDir dir_;
};

GgufBuilder one_tensor(const std::vector<std::uint64_t>& dims, std::uint32_t type = 0) {
  return GgufBuilder().tensor(TensorInfo{"w", dims, type, std::string(64, 'x'), {}, {}, {}});
}

const std::string kSupported =
    " is not supported; supported are F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, "
    "BF16, MXFP4";

} // namespace

TEST_CASE("flaw CVE-2024-23605: number of keys times their size wraps") {
  const Refusal refusal;
  GgufBuilder b;
  b.u32("key", 1); // 19 bytes
  for (const std::uint64_t n :
       {kMax64, kMax64 / 13 + 1, kMax64 / 48 + 1, std::uint64_t{1} << 63, std::uint64_t{1} << 32, std::uint64_t{2}}) {
    b.n_values = n;
    refusal.check(b, "header: " + std::to_string(n) + " keys of at least 13 bytes do not fit into the 19 bytes that follow");
  }
}

TEST_CASE("flaw CVE-2024-21825, CVE-2024-21836, #15711: number of tensors times their size wraps") {
  const Refusal refusal;
  GgufBuilder b = one_tensor({4});
  const std::string rest = std::to_string(b.build().size() - 24);
  for (const std::uint64_t n :
       {kMax64, kMax64 / 24 + 1, kMax64 / 368 + 1, std::uint64_t{1} << 63, std::uint64_t{1} << 31, std::uint64_t{100}}) {
    b.n_tensors = n;
    refusal.check(
        b, "header: " + std::to_string(n) + " tensors of at least 24 bytes do not fit into the " + rest + " bytes that follow");
  }
  // A count that would fit, of entries that are not there: the data is taken for tensor infos.
  GgufBuilder two = one_tensor({4});
  two.n_tensors = 2;
  refusal.check(two, "tensor 2 of 2: a string of 8646911284551352320 bytes at byte 65 reaches beyond the end (63 bytes left)");
}

TEST_CASE("flaw CVE-2024-21802, gguf-py: more dimensions than there is room for") {
  const Refusal refusal;
  for (const std::uint32_t n : {5u, 255u, 0x80000000u, ~0u}) {
    refusal.check(GgufBuilder().tensor(TensorInfo{"w", {1, 1, 1, 1, 1}, 0, "xxxx", {}, n, {}}),
                  "tensor \"w\": " + std::to_string(n) + " dimensions, expected at most 4");
  }
}

TEST_CASE("flaw CVE-2024-23496, #19003: lengths of strings beyond the file, up to those that wrap when 1 is added") {
  const Refusal refusal;
  for (const std::uint64_t n :
       {kMax64, kMax64 - 1, std::uint64_t{1} << 63, std::uint64_t{1} << 31, (std::uint64_t{1} << 32) + 3, std::uint64_t{4}}) {
    const std::string length = std::to_string(n);
    refusal.check(GgufBuilder().value("key", ValueType::string, Bytes().string("abc", n).str()),
                  "key \"key\": a string of " + length + " bytes at byte 47 reaches beyond the end (3 bytes left)");
    refusal.check(
        GgufBuilder().raw_value(Bytes().string("key", n == 4 ? 100 : n).type(ValueType::u32).put(1u).str()),
        "key 1 of 1: a string of " + (n == 4 ? "100" : length) + " bytes at byte 32 reaches beyond the end (11 bytes left)");
    refusal.check(
        GgufBuilder().array("key", ValueType::string, 2, Bytes().string("").string("abc", n).str()),
        "key \"key\": element 1 of 2: a string of " + length + " bytes at byte 67 reaches beyond the end (3 bytes left)");
  }
  for (const std::uint64_t n : {kMax64, std::uint64_t{1} << 62, std::uint64_t{1} << 32}) {
    refusal.check(GgufBuilder().tensor(TensorInfo{"w", {1}, 0, "", n, {}, {}}),
                  "tensor 1 of 1: a string of " + std::to_string(n) + " bytes at byte 32 reaches beyond the end (32 bytes left)");
  }
}

TEST_CASE("flaw ggml #709, CVE-2024-21836, #19003: counts of arrays beyond the file, up to those that wrap") {
  const Refusal refusal;
  const struct {
    ValueType type;
    const char* text;
    std::uint64_t least;
  } kinds[] = {{ValueType::u8, "u8 (1 byte each)", 1},
               {ValueType::i16, "i16 (2 bytes each)", 2},
               {ValueType::f32, "f32 (4 bytes each)", 4},
               {ValueType::u64, "u64 (8 bytes each)", 8},
               {ValueType::string, "string (8 bytes or more each)", 8},
               {ValueType::array, "array (12 bytes or more each)", 12}};
  for (const auto& kind : kinds) {
    for (const std::uint64_t n : {kMax64, kind.least == 1 ? kMax64 - 1 : kMax64 / kind.least + 1, std::uint64_t{1} << 63,
                                  std::uint64_t{1} << 30, std::uint64_t{40}}) {
      refusal.check(GgufBuilder().array("key", kind.type, n, std::string(24, '\0')),
                    "key \"key\": an array of " + std::to_string(n) + " " + kind.text +
                        " at byte 51 reaches beyond the end (24 bytes left)");
    }
  }
}

TEST_CASE("flaw ggml #709, #8816: types that do not exist") {
  const Refusal refusal;
  for (const std::uint32_t id : {13u, 100u, 0x80000000u, ~0u}) {
    refusal.check(GgufBuilder().value("key", id, "xxxxxxxx"),
                  "key \"key\": unknown value type " + std::to_string(id) + ", expected 0 to 12");
    refusal.check(GgufBuilder().array("key", static_cast<ValueType>(id), 1, "xxxxxxxx"),
                  "key \"key\": unknown element type " + std::to_string(id) + ", expected 0 to 12");
  }
  for (const std::uint32_t id : {43u, 97u, 133u, 0x7fffffffu, 0x80000000u, ~0u}) {
    refusal.check(one_tensor({32}, id), "tensor \"w\": its type id " + std::to_string(id) + kSupported, ErrorCode::unsupported);
  }
  refusal.check(one_tensor({32}, 4), "tensor \"w\": its type Q4_2, removed from the format (id 4)" + kSupported,
                ErrorCode::unsupported);
  refusal.check(one_tensor({256}, 16), "tensor \"w\": its type IQ2_XXS (id 16)" + kSupported, ErrorCode::unsupported);
  for (std::uint32_t id = 0; id < 300; ++id) {
    if (type_from_id(id)) continue;
    auto file = File::open(refusal.dir().write("bad.gguf", one_tensor({256}, id).build()));
    REQUIRE_FALSE(file);
    CHECK(file.error().code == ErrorCode::unsupported);
    CHECK(file.error().message.find("id " + std::to_string(id)) != std::string::npos);
  }
}

TEST_CASE("flaw CVE-2025-53630, CVE-2026-27940: sizes of tensors whose sum wraps") {
  const Refusal refusal;
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 60; // 2^62 bytes of f32
  GgufBuilder b;
  for (const char* name : {"a", "b", "c", "d", "e"}) b.tensor(TensorInfo{name, {kHuge}, 0, "", {}, {}, 0});
  refusal.check(b,
                "tensor \"a\": 4611686018427387904 bytes at offset 0 of the data section, which starts at byte 192, reach beyond "
                "the end of the "
                "file (192 bytes)");
  GgufBuilder last; // a sound tensor, then one that wraps with what was counted before
  last.tensor("a", TensorType::F32, {8}).tensor(TensorInfo{"b", {kMax64 / 8 - 8}, 0, "", {}, {}, {}});
  refusal.check(last,
                "tensor \"b\": 9223372036854775772 bytes at offset 32 of the data section, which starts at byte 96, reach beyond "
                "the end of the "
                "file (128 bytes)");
}

TEST_CASE("flaw CVE-2026-33298: dimensions whose product, rows or bytes wrap") {
  const Refusal refusal;
  const auto weights = [&](std::uint32_t type, const std::vector<std::uint64_t>& dims, const std::string& text) {
    refusal.check(one_tensor(dims, type), "tensor \"w\": dimensions " + text + ": expected fewer than 2^63 weights");
  };
  constexpr std::uint64_t k31 = std::uint64_t{1} << 31, k32 = std::uint64_t{1} << 32, k62 = std::uint64_t{1} << 62;
  weights(0, {k32, k32}, "4294967296 x 4294967296 x 1 x 1");
  weights(0, {k31, k31, 2}, "2147483648 x 2147483648 x 2 x 1");
  weights(12, {k62, 4}, "4611686018427387904 x 4 x 1 x 1");
  weights(0, {k62, 0, k62}, "4611686018427387904 x 0 x 4611686018427387904 x 1"); // an empty tensor whose strides wrap
  weights(0, {0, k32, k32}, "0 x 4294967296 x 4294967296 x 1");
  refusal.check(one_tensor({k62}),
                "tensor \"w\": dimensions 4611686018427387904 x 1 x 1 x 1 of type F32: expected fewer than 2^63 bytes");
  refusal.check(one_tensor({k62, 1}, 8),
                "tensor \"w\": 4899916394579099648 bytes at offset 0 of the data section, which starts at byte 96, reach "
                "beyond the end of the file (160 bytes)");
  for (const std::uint64_t dim : {std::uint64_t{1} << 63, kMax64}) {
    refusal.check(one_tensor({dim}), "tensor \"w\": dimension 0 is " + std::to_string(dim) + ", expected less than 2^63");
    refusal.check(one_tensor({1, dim}), "tensor \"w\": dimension 1 is " + std::to_string(dim) + ", expected less than 2^63");
  }
  refusal.check(one_tensor({31}, 2), "tensor \"w\": rows of 31 weights: expected a multiple of 32 for type Q4_0");
  refusal.check(one_tensor({}, 12), "tensor \"w\": rows of 1 weights: expected a multiple of 256 for type Q4_K");
  refusal.check(one_tensor({128, 2}, 14), "tensor \"w\": rows of 128 weights: expected a multiple of 256 for type Q6_K");
}

TEST_CASE("flaw GGML_PAD, GHSA-96jg-mvhq-q7q7: offsets and alignments whose rounding wraps") {
  const Refusal refusal;
  for (const std::uint64_t offset : {kMax64 - 31, std::uint64_t{1} << 63, std::uint64_t{1} << 32, std::uint64_t{64}}) {
    refusal.check(GgufBuilder().tensor(TensorInfo{"w", {16}, 0, std::string(64, 'x'), {}, {}, offset}),
                  "tensor \"w\": 64 bytes at offset " + std::to_string(offset) +
                      " of the data section, which starts at byte 64, reach beyond the end of the file (128 bytes)");
  }
  for (const std::uint64_t offset : {kMax64, std::uint64_t{1}, std::uint64_t{16}}) {
    refusal.check(GgufBuilder().tensor(TensorInfo{"w", {4}, 0, std::string(64, 'x'), {}, {}, offset}),
                  "tensor \"w\": offset " + std::to_string(offset) + ", expected a multiple of the alignment 32");
  }
  for (const std::uint32_t alignment : {1u << 31, ~0u, 0u}) {
    refusal.check(
        GgufBuilder().u32("general.alignment", alignment).tensor("w", TensorType::F32, {4}),
        "key \"general.alignment\": expected u32, a power of two from 8 to 1048576, found u32 " + std::to_string(alignment));
  }
  // The largest alignment of a small file: the data section would start behind its end.
  GgufBuilder b;
  b.u32("general.alignment", 1u << 20).tensor("w", TensorType::F32, {4});
  refusal.check(b,
                "tensor \"w\": 16 bytes at offset 0 of the data section, which starts at byte 1048576, reach beyond the end of "
                "the file (128 bytes)");
}

TEST_CASE("flaw PR #25596, #24263, #26946, #18586, ggml #1517: alignment of another type, empty keys, empty dimensions") {
  const Refusal refusal;
  const std::string expected = "key \"general.alignment\": expected u32, a power of two from 8 to 1048576, found ";
  refusal.check(GgufBuilder().u64("general.alignment", 32), expected + "u64 32");
  refusal.check(GgufBuilder().i32("general.alignment", 32), expected + "i32 32");
  refusal.check(GgufBuilder().f32("general.alignment", 32), expected + "f32 32");
  refusal.check(GgufBuilder().string("general.alignment", "32"), expected + "string \"32\"");
  refusal.check(GgufBuilder().string("general.alignment", ""), expected + "string \"\"");
  refusal.check(GgufBuilder().numbers<std::uint32_t>("general.alignment", ValueType::u32, {32}), expected + "array of 1 u32");
  refusal.check(GgufBuilder().u32("k", 1).u32("", 1), "key 2 of 2: its name is empty");

  // #19005: a tensor of no bytes has a place all the same.
  GgufBuilder b;
  b.tensor("a", TensorType::F32, {0}).tensor("b", TensorType::Q4_K, {0, 0, 0, 0}).tensor("c", TensorType::F32, {1, 1, 1, 0});
  auto file = File::open(refusal.dir().write("empty.gguf", b.build()));
  if (!file) FAIL(file.error().message);
  for (const gguf::Tensor& t : file->tensors())
    CHECK((t.data.empty() && t.data.data() != nullptr && t.n_rows() * t.n_cols() == 0));
}

TEST_CASE("flaw PR #26690, #24888: an array of one type is never read as one of another") {
  const TempDir dir;
  GgufBuilder b;
  b.numbers<std::uint8_t>("scores", ValueType::u8, {1, 2, 3}).numbers<std::int8_t>("token_type", ValueType::i8, {-1, 2, 3});
  b.numbers<std::uint8_t>("flags", ValueType::boolean, {1});
  auto f = File::open(dir.write("f.gguf", b.build()));
  REQUIRE(f);
  const auto scores = f->get_floats("scores");
  REQUIRE_FALSE(scores);
  CHECK(scores.error().message == dir.file("f.gguf") + ": key \"scores\": expected an array of f32 or f64, found array of 3 u8");
  CHECK(*f->get_ints("token_type") == std::vector<std::int64_t>{-1, 2, 3}); // each element by its own width
  CHECK_FALSE(f->get_ints("flags"));
  CHECK_FALSE(f->get_strings("token_type"));
}

TEST_CASE("flaw CVE-2026-7482: offset and size beyond the file") {
  const Refusal refusal;
  GgufBuilder b = one_tensor({1000});
  refusal.check(b,
                "tensor \"w\": 4000 bytes at offset 0 of the data section, which starts at byte 64, reach beyond the end of the "
                "file (128 bytes)");
  refusal.check(
      one_tensor({17}),
      "tensor \"w\": 68 bytes at offset 0 of the data section, which starts at byte 64, reach beyond the end of the file "
      "(128 bytes)");
  auto file = File::open(refusal.dir().write("fits.gguf", one_tensor({16}).build()));
  CHECK(file);
}

TEST_CASE("flaw gguf-py: arrays of arrays without end") {
  const Refusal refusal;
  const auto nested = [](int depth) { // `depth` arrays, one in the other, the innermost of two u8
    std::string bytes = Bytes().type(ValueType::u8).put(std::uint64_t{2}).raw("ab").str();
    for (int i = 1; i < depth; ++i) bytes = Bytes().type(ValueType::array).put(std::uint64_t{1}).raw(bytes).str();
    return GgufBuilder().value("deep", ValueType::array, bytes);
  };
  for (int depth = 1; depth <= 4; ++depth) {
    auto f = File::open(refusal.dir().write("ok.gguf", nested(depth).build()));
    if (!f) FAIL(f.error().message);
    CHECK(f->type_of("deep") == ValueType::array);
    const auto ints = f->get_ints("deep");
    CHECK(ints.has_value() == (depth == 1));
  }
  const std::string at = "element 0 of 1: ";
  refusal.check(nested(5), "key \"deep\": " + at + at + at + "arrays nested deeper than 4 levels");
  refusal.check(nested(20000), "key \"deep\": " + at + at + at + "arrays nested deeper than 4 levels");
}

TEST_CASE("flaw: names that appear twice, and tensors that lie on each other") {
  const Refusal refusal;
  refusal.check(GgufBuilder().u32("k", 1).u32("other", 2).u32("k", 3), "key \"k\": appears twice, as number 1 and 3 of 3");
  refusal.check(GgufBuilder().tensor("w", TensorType::F32, {1}).tensor("w", TensorType::F32, {1}), "tensor \"w\": appears twice");
  GgufBuilder b;
  b.tensor(TensorInfo{"a", {16}, 0, std::string(128, 'x'), {}, {}, {}}).tensor(TensorInfo{"b", {8}, 0, "", {}, {}, 32});
  refusal.check(b, "tensor \"b\": bytes 128 to 160 overlap tensor \"a\", bytes 96 to 160");
  GgufBuilder same;
  same.tensor(TensorInfo{"a", {16}, 0, std::string(64, 'x'), {}, {}, {}}).tensor(TensorInfo{"b", {16}, 0, "", {}, {}, 0});
  auto file = File::open(refusal.dir().write("same.gguf", same.build()));
  REQUIRE_FALSE(file);
  CHECK(file.error().message.find("overlap tensor") != std::string::npos);
}

TEST_CASE("flaw: hostile names stay on one line of the message and are cut") {
  const Refusal refusal;
  refusal.check(GgufBuilder().value("a\nb\x1b[31m\"\\\xff", 99u, ""),
                "key \"a\\x0ab\\x1b[31m\\\"\\\\\\xff\": unknown value type 99, expected 0 to 12");
  refusal.check(GgufBuilder().value(std::string(100000, 'k'), 99u, ""),
                "key \"" + std::string(80, 'k') + "...\": unknown value type 99, expected 0 to 12");
  refusal.check(GgufBuilder().tensor(TensorInfo{std::string(64, 't'), {1}, 0, "xxxx", {}, {}, {}}),
                "tensor \"" + std::string(64, 't') + "\": a name of 64 bytes, expected at most 63");
}

TEST_CASE("flaw CVE-2024-32878: a file that is cut anywhere before its last tensor's end is refused") {
  const TempDir dir;
  GgufBuilder b;
  b.string("general.architecture", "llama").strings("tokens", {"a", "bc"}).numbers<float>("scores", ValueType::f32, {1, 2});
  b.tensor("w", TensorType::F32, {4}, 1).tensor("v", TensorType::F32, {3}, 1);
  b.pad_end = false;
  const std::string whole = b.build();
  CHECK(File::open(dir.write("f.gguf", whole)));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string path = dir.write("f.gguf", std::string_view(whole).substr(0, n));
    const auto f = File::open(path);
    REQUIRE_FALSE(f);
    CHECK(f.error().code == ErrorCode::bad_file);
    CHECK(f.error().message.starts_with(path + ": "));
  }
}

TEST_CASE("flaw: ggml is quadratic in the number of keys, mote is not") {
  // 200,000 keys and as many tensors with long equal beginnings: minutes where each is compared with all before it.
  const TempDir dir;
  constexpr int kCount = 200000;
  GgufBuilder b;
  const std::string common(40, 'x');
  for (int i = 0; i < kCount; ++i) {
    b.value(common + std::to_string(i), ValueType::u8, "x");
    b.tensor(TensorInfo{common + std::to_string(i), {0}, 0, "", {}, {}, {}});
  }
  const std::string path = dir.write("many.gguf", b.build());
  const auto start = std::chrono::steady_clock::now();
  auto f = File::open(path);
  REQUIRE(f);
  for (int i = 0; i < kCount; i += 7) {
    REQUIRE(f->has(common + std::to_string(i)));
    REQUIRE(f->find_tensor(common + std::to_string(i)) == &f->tensors()[static_cast<std::size_t>(i)]);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}
