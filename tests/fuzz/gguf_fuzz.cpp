// Thousands of damaged versions of a sound file, the same ones on every run: each must open, with everything in it readable, or
// give an error with a message that names the file.
#include <cstring>
#include <filesystem>
#include <limits>

#include "lib/gguf/file.h"
#include "lib/gguf/writer.h"
#include "tests/catch.h"
#include "tests/gguf_builder.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;
using gguf::File;

namespace {

/// Numbers without pattern, the same on every run (splitmix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }

 private:
  std::uint64_t state_;
};

std::string sound_file() {
  GgufBuilder b;
  b.string("general.architecture", "llama").u32("general.alignment", 32).u16("split.count", 1).u32("llama.block_count", 2);
  b.f32("llama.eps", 1e-5f).value("wide", ValueType::f64, Bytes().put(2.5).str()).boolean("add_bos", true);
  b.strings("tokens", {"<unk>", "", "the", "of"}).numbers<float>("scores", ValueType::f32, {0, -1, -2, -3});
  b.numbers<std::int32_t>("token_type", ValueType::i32, {2, 1, 1, 1}).u64("big", 1ull << 40);
  const std::string inner = Bytes().type(ValueType::u16).put(std::uint64_t{2}).raw("abcd").str();
  b.array("nested", ValueType::array, 2, inner + inner);
  b.tensor("token_embd.weight", TensorType::Q4_0, {32, 4}, 1).tensor("scalar", TensorType::F32, {}, 2);
  b.tensor("empty", TensorType::F16, {8, 0})
      .tensor("blk.0.w", TensorType::F16, {4, 3, 2}, 3)
      .tensor("four", TensorType::Q8_0, {32, 1, 2, 1}, 4);
  b.pad_end = false;
  return b.build();
}

/// Reads all that the file offers, in every way. Gives a number that depends on it, so that nothing is left out.
std::size_t read_everything(const File& f) {
  std::size_t sum = 0;
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min(), kMax = std::numeric_limits<std::int64_t>::max();
  for (const std::string_view key : f.keys()) {
    if (const auto v = f.get_string(key)) sum += v->size();
    if (const auto v = f.get_int(key, kMin, kMax)) sum += static_cast<std::size_t>(*v);
    if (const auto v = f.get_float(key)) sum += *v > 0;
    if (const auto v = f.get_bool(key)) sum += *v;
    if (const auto v = f.get_strings(key)) {
      for (const std::string_view s : *v) sum += s.empty() ? 1 : static_cast<unsigned char>(s.back());
    }
    if (const auto v = f.get_ints(key)) sum += v->size();
    if (const auto v = f.get_floats(key)) sum += v->size();
    for (const std::byte b : f.raw_value(key)) sum += static_cast<std::size_t>(b);
  }
  for (const gguf::Tensor& t : f.tensors()) {
    for (const std::byte b : t.data) sum += static_cast<std::size_t>(b);
    sum += static_cast<std::size_t>(t.n_rows() + t.n_cols());
    f.release(t.data);
  }
  return sum;
}

class Fuzzer {
 public:
  void try_file(std::string_view bytes) {
    const std::string path = dir_.write("fuzz.gguf", bytes);
    auto file = File::open(path);
    if (!file) {
      ++n_refused;
      if (!file.error().message.starts_with(path + ": ") || file.error().message.size() < path.size() + 4 ||
          file.error().message.find('\n') != std::string::npos) {
        FAIL("message: " + file.error().message);
      }
      return;
    }
    ++n_opened;
    sum += read_everything(*file);
    copy(*file);
  }

  int n_opened = 0, n_refused = 0;
  std::size_t sum = 0;

 private:
  /// What the reader takes, the writer takes, and the reader takes again.
  void copy(const File& from) {
    const std::string path = dir_.file("copy.gguf");
    std::filesystem::remove(path); // for speed, see TempDir::write
    gguf::Writer w(path);
    for (const std::string_view key : from.keys()) w.copy(from, key);
    for (const gguf::Tensor& t : from.tensors())
      w.add_tensor(t.name, t.type, std::span(t.dims).first(static_cast<std::size_t>(t.n_dims)));
    const auto check = [](const Status& s) {
      if (!s) FAIL(s.error().message);
    };
    check(w.begin());
    for (const gguf::Tensor& t : from.tensors()) check(w.write(t.data));
    check(w.finish());
    auto again = File::open(path);
    if (!again) FAIL(again.error().message);
    if (again->keys() != from.keys() || again->tensors().size() != from.tensors().size()) FAIL("the copy differs");
    for (std::size_t i = 0; i < from.tensors().size(); ++i) {
      const auto a = from.tensors()[i].data, b = again->tensors()[i].data;
      if (a.size() != b.size() || (!a.empty() && std::memcmp(a.data(), b.data(), a.size()) != 0)) FAIL("the copy differs");
    }
  }

  TempDir dir_;
};

} // namespace

TEST_CASE("fuzz gguf: cut at every length") {
  const std::string whole = sound_file();
  Fuzzer fuzzer;
  for (std::size_t n = 0; n <= whole.size(); ++n) fuzzer.try_file(std::string_view(whole).substr(0, n));
  CHECK(fuzzer.n_opened == 1);
}

TEST_CASE("fuzz gguf: every byte of the metadata changed") {
  const std::string whole = sound_file();
  const std::size_t metadata = whole.find("four") + 64; // the end of the tensor infos
  Fuzzer fuzzer;
  for (std::size_t at = 0; at < metadata; ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      fuzzer.try_file(bytes);
    }
  }
  CHECK(fuzzer.n_opened > 0);
  CHECK(fuzzer.n_refused > 0);
}

TEST_CASE("fuzz gguf: extreme numbers at every place of the metadata") {
  const std::string whole = sound_file();
  const std::size_t metadata = whole.find("four") + 64;
  const std::uint64_t extremes[] = {0, 0x7fffffff, 0xffffffff, 1ull << 62, (1ull << 63) - 1, ~0ull};
  Fuzzer fuzzer;
  Random random(1);
  for (std::size_t at = 4; at + 8 <= metadata; ++at) {
    std::string bytes = whole;
    const std::uint64_t extreme = extremes[random.below(std::size(extremes))];
    std::memcpy(bytes.data() + at, &extreme, random.below(2) == 0 ? 4 : 8);
    fuzzer.try_file(bytes);
  }
  CHECK(fuzzer.n_refused > 0);
}

TEST_CASE("fuzz gguf: several damages at once") {
  const std::string whole = sound_file();
  Fuzzer fuzzer;
  Random random(2);
  for (int i = 0; i < 2500; ++i) {
    std::string bytes = whole;
    for (std::size_t n = 1 + random.below(4); n > 0; --n) {
      const std::size_t at = random.below(bytes.size());
      switch (random.below(5)) {
        case 0: bytes[at] = static_cast<char>(random.next()); break;
        case 1: bytes.erase(at, 1 + random.below(16)); break;
        case 2: bytes.insert(at, std::string(1 + random.below(16), static_cast<char>(random.next()))); break;
        case 3: bytes.insert(at, bytes.substr(random.below(bytes.size()), random.below(64))); break;
        default: bytes.resize(at + 1); break;
      }
    }
    fuzzer.try_file(bytes);
  }
  CHECK(fuzzer.n_opened > 0);
  CHECK(fuzzer.n_refused > 0);
}
