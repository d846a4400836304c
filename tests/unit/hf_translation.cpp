// Stored tensors and the tensors that are made from them.
#include "lib/hf/translation.h"

#include <bit>
#include <cstring>

#include "tests/catch.h"

using namespace mote;
using hf::From;
using hf::Stored;

namespace {

using Floats = std::vector<float>;

/// Tensors whose values count up from 0.
class Stage {
 public:
  void add(const std::string& name, const std::vector<std::int64_t>& shape, TensorType type = TensorType::F32) {
    std::int64_t n = 1;
    for (const std::int64_t d : shape) n *= d;
    auto& bytes = data_.emplace_back();
    for (std::int64_t i = 0; i < n; ++i) {
      const float x = static_cast<float>(i);
      const auto bits = std::bit_cast<std::uint32_t>(x) >> 16; // small integers are bfloat16 values
      const char* from = type == TensorType::F32 ? reinterpret_cast<const char*>(&x) : reinterpret_cast<const char*>(&bits);
      bytes.append(from, type == TensorType::F32 ? 4 : 2);
    }
    hf::StoredTensor tensor{name, type == TensorType::F32 ? "F32" : "BF16", type, shape, {}};
    tensors_.push_back(std::move(tensor));
  }
  hf::Translation translation(std::string_view config = "{\"n_layers\": 2}") {
    for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].data = std::as_bytes(std::span(data_[i]));
    std::vector<gguf::Assembly::Source> sources(1);
    hf::Translation t(hf::Config(*hf::parse_json(config), "config.json"), "somewhere", std::move(sources), tensors_);
    t.architecture("test");
    return t;
  }

 private:
  std::vector<std::string> data_;
  std::vector<hf::StoredTensor> tensors_;
};

gguf::File finish(hf::Translation& t) {
  auto file = t.finish();
  if (!file) FAIL(file.error().message);
  return *std::move(file);
}

std::string error_of(hf::Translation& t) {
  const auto file = t.finish();
  REQUIRE_FALSE(file);
  return file.error().message;
}

Floats read(const gguf::File& file, std::string_view name) {
  const gguf::Tensor* tensor = file.find_tensor(name);
  REQUIRE(tensor != nullptr);
  const std::size_t n_bytes =
      static_cast<std::size_t>(tensor->n_rows()) * row_bytes(tensor->type, static_cast<std::size_t>(tensor->n_cols()));
  std::vector<std::byte> scratch(n_bytes);
  Floats values;
  // row by row, so that rows in the middle are asked for, too
  for (std::int64_t row = 0; row < tensor->n_rows(); ++row) {
    const std::byte* from = tensor->rows(row, row + 1, scratch.data());
    for (std::int64_t i = 0; i < tensor->n_cols(); ++i) {
      std::uint32_t bits = 0;
      if (tensor->type == TensorType::F32) std::memcpy(&bits, from + i * 4, 4);
      else std::memcpy(reinterpret_cast<char*>(&bits) + 2, from + i * 2, 2);
      values.push_back(std::bit_cast<float>(bits));
    }
  }
  return values;
}

std::vector<std::int64_t> dims(const gguf::File& file, std::string_view name) {
  const gguf::Tensor* tensor = file.find_tensor(name);
  REQUIRE(tensor != nullptr);
  return {tensor->dims.begin(), tensor->dims.begin() + tensor->n_dims};
}

float plus_one(float x) { return x + 1; }

} // namespace

TEST_CASE("translation: tensors as they are, and in other orders") {
  Stage stage;
  stage.add("w", {4, 2});
  stage.add("v", {4});
  auto t = stage.translation();
  t.tensor("same", {{"w"}});
  t.tensor("pairs", {{"w", hf::pairs(1, 4)}});
  t.tensor("pairs.vector", {{"v", hf::pairs(1, 4)}});
  t.tensor("two heads", {{"w", hf::pairs(2, 2)}});
  t.tensor("slice", {{"w", hf::slice(1, 2, 4)}});
  t.tensor("one row", {{"w", hf::slice(3, 1, 4)}});
  t.tensor("parts first", {{"w", hf::parts_first(2, 2, 1)}});
  t.tensor("second of each", {{"w", hf::part_of_each(1, 2, 2, 1)}});
  t.tensor("columns", {{"w", {}, Stored::columns}});
  t.tensor("columns of a vector", {{"v", {}, Stored::columns}});
  t.tensor("changed", {{"v", {}, Stored::rows, plus_one}});
  t.tensor("changed matrix", {{"w", hf::slice(2, 2, 4), Stored::rows, plus_one}});
  t.values("computed", {0.5f, 2.0f});
  const gguf::File file = finish(t);
  CHECK(file.find_tensor("same")->maker == nullptr);
  CHECK(read(file, "same") == Floats{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(read(file, "pairs") == Floats{0, 1, 4, 5, 2, 3, 6, 7});
  CHECK(read(file, "pairs.vector") == Floats{0, 2, 1, 3});
  CHECK(read(file, "two heads") == Floats{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(read(file, "slice") == Floats{2, 3, 4, 5});
  CHECK(read(file, "one row") == Floats{6, 7});
  CHECK(file.find_tensor("one row")->maker == nullptr);
  CHECK(read(file, "parts first") == Floats{0, 1, 4, 5, 2, 3, 6, 7});
  CHECK(read(file, "second of each") == Floats{2, 3, 6, 7});
  CHECK(read(file, "columns") == Floats{0, 2, 4, 6, 1, 3, 5, 7});
  CHECK(dims(file, "columns") == std::vector<std::int64_t>{4, 2});
  CHECK(read(file, "columns of a vector") == Floats{0, 1, 2, 3});
  CHECK(read(file, "changed") == Floats{1, 2, 3, 4});
  CHECK(read(file, "changed matrix") == Floats{5, 6, 7, 8});
  CHECK(read(file, "computed") == Floats{0.5f, 2.0f});
}

TEST_CASE("translation: several tensors in one, experts, dimensions of 1") {
  Stage stage;
  stage.add("q", {2, 2});
  stage.add("k", {1, 2});
  stage.add("q16", {2, 2}, TensorType::BF16);
  stage.add("v16", {3}, TensorType::BF16);
  for (int e = 0; e < 3; ++e) stage.add("expert." + std::to_string(e) + ".w", {2, 2});
  stage.add("fused", {3, 4, 2}); // 3 experts, gate and up of 2 rows each
  stage.add("conv", {3, 1, 2});
  auto t = stage.translation();
  t.n_each(3);
  t.tensor("qk", {{"q"}, {"k"}});
  t.tensor("mixed", {{"q16"}, {"k"}});
  t.tensor("16", {{"q16", hf::slice(1, 1, 2)}});
  t.tensor("vector 16", {{"v16", hf::slice(1, 2, 3)}});
  t.tensor("experts", {{"expert.{e}.w", hf::slice(1, 1, 2)}});
  t.tensor("up", {{"fused", hf::part_of_each(1, 3, 2, 2)}});
  t.tensor("conv1d", {{"conv"}});
  const gguf::File file = finish(t);
  CHECK(read(file, "qk") == Floats{0, 1, 2, 3, 0, 1});
  CHECK(read(file, "mixed") == Floats{0, 1, 2, 3, 0, 1});
  CHECK(file.find_tensor("mixed")->type == TensorType::F32);
  CHECK(file.find_tensor("16")->type == TensorType::BF16);
  CHECK(read(file, "16") == Floats{2, 3});
  CHECK(read(file, "vector 16") == Floats{1, 2});
  CHECK(read(file, "experts") == Floats{2, 3, 2, 3, 2, 3});
  CHECK(dims(file, "experts") == std::vector<std::int64_t>{2, 1, 3});
  CHECK(read(file, "up") == Floats{4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23});
  CHECK(dims(file, "up") == std::vector<std::int64_t>{2, 2, 3});
  CHECK(dims(file, "conv1d") == std::vector<std::int64_t>{2, 3});
}

TEST_CASE("translation: what does not fit is refused by its stored name") {
  Stage stage;
  stage.add("w", {4, 2});
  stage.add("x", {4, 3});
  const auto refused = [&](std::initializer_list<From> from) {
    auto t = stage.translation();
    t.tensor("out", from);
    return error_of(t);
  };
  CHECK(refused({{"w", hf::pairs(1, 6)}}) == "somewhere: tensor \"w\" [4, 2] of \"F32\": expected 6 rows of 2");
  CHECK(refused({{"w", hf::slice(3, 2, 4)}}).find("expected 4 rows") != std::string::npos);
  CHECK(refused({{"w", {-1, {1, 1, 4}, {0, 0, 1}, 4}}}).find("expected 4 rows") != std::string::npos);
  CHECK(refused({{"w", {0, {1, 1, 4}, {0, 0, -1}, 4}}}).find("expected 4 rows") != std::string::npos);
  CHECK(refused({{"w"}, {"x"}}) == "somewhere: tensor \"x\" [4, 3] of \"F32\": expected 4 rows of 2");
  CHECK(refused({{"w"}, {"none"}}) == "somewhere: tensor \"none\" is missing");
  CHECK(refused({{"w"}}) == "somewhere: tensor \"x\" is not part of the family test as it is supported here");
}

TEST_CASE("translation: required, optional and ignored tensors of layers") {
  Stage stage;
  for (const char* name : {"p.embed.weight", "p.layers.0.a.weight", "p.layers.1.a.weight", "p.layers.1.a.bias",
                           "p.layers.1.extra", "p.layers.0.mask"})
    stage.add(name, {2});
  const std::string config = R"({"hidden_size": 2, "num_hidden_layers": 2, "num_attention_heads": 1, "max_position_embeddings": 9,
                                 "intermediate_size": 3, "vocab_size": 4})";
  auto t = stage.translation(config);
  t.sizes();
  t.prefix({"q.", "p."}, "embed.weight");
  t.module("token_embd", {{"{p}embed"}});
  t.module("blk.{i}.a", {{"{p}layers.{i}.a"}});
  t.optional_tensor("blk.{i}.extra", {{"{p}layers.{i}.extra"}});
  t.ignore("{p}layers.{i}.mask");
  t.ignore("nothing");
  const gguf::File file = finish(t);
  CHECK(file.tensors().size() == 5);
  CHECK(file.find_tensor("blk.1.a.bias") != nullptr);
  CHECK(file.find_tensor("blk.1.extra") != nullptr);
  CHECK(*file.get_int("test.embedding_length", 0, 9) == 2);
  CHECK(*file.get_int("test.attention.head_count_kv", 0, 9) == 1);

  auto lacking = stage.translation(config);
  lacking.sizes();
  lacking.module("blk.{i}.extra", {{"p.layers.{i}.extra"}});
  CHECK(error_of(lacking) == "somewhere: tensor \"p.layers.0.extra.weight\" is missing");
  auto both = stage.translation(config);
  both.tensor("a", {{"p.embed.weight"}});
  both.tensor("a", {{"p.embed.weight"}});
  CHECK_FALSE(both.finish());
}

TEST_CASE("config: values are checked and named") {
  const auto config = [](std::string_view text) { return hf::Config(*hf::parse_json(text), "c.json"); };
  auto c = config(
      R"({"n": 3, "x": 2.5, "one": 1, "no": null, "b": true, "s": "silu", "in": {"deep": {"n": 4}}, "l": [1, 2], "r": [1, 2.5],
                      "w": ["a", "b"]})");
  CHECK(c.integer("n") == 3);
  CHECK(c.integer("in.deep.n") == 4);
  CHECK(c.integer_or("no", 9) == 9);
  CHECK(c.real("one") == 1.0);
  CHECK(c.real_or("x", 0) == 2.5);
  CHECK(c.boolean_or("b", false));
  CHECK(c.integers("l") == std::vector<int>{1, 2});
  CHECK(c.reals("r") == std::vector<double>{1, 2.5});
  CHECK(c.strings("w") == std::vector<std::string>{"a", "b"});
  CHECK(c.any_of({"no", "n", "x"}) == "n");
  CHECK(c.any_of({"no", "nil"}) == "no");
  c.expect_word("s", "gelu", {"silu"});
  c.expect_flag("missing", false, false);
  c.expect_none("no");
  CHECK(c.status());

  const auto error = [&](auto use) {
    auto broken = config(R"({"n": -3, "x": "2.5", "f": 1.5, "l": [1, "a"], "s": "swish", "o": {}})");
    use(broken);
    REQUIRE_FALSE(broken.status());
    return broken.status().error().message;
  };
  CHECK(error([](auto& b) { b.integer("n"); }) == "c.json: n is -3, expected an integer from 1 to 16777216");
  CHECK(error([](auto& b) { b.integer("f", 0, 9); }) == "c.json: f is 1.5, expected an integer from 0 to 9");
  CHECK(error([](auto& b) { b.integer("none"); }) == "c.json: none is missing, expected an integer from 1 to 16777216");
  CHECK(error([](auto& b) { b.real("x"); }) == "c.json: x is \"2.5\", expected a number");
  CHECK(error([](auto& b) { b.real_within("f", 0, 0, 1); }) == "c.json: f is 1.5, expected a number from 0 to 1");
  CHECK(error([](auto& b) { b.boolean_or("n", true); }) == "c.json: n is -3, expected true or false");
  CHECK(error([](auto& b) { b.reals("l"); }) == "c.json: l is a list of 2, expected a list of numbers");
  CHECK(error([](auto& b) { b.strings("o"); }) == "c.json: o is an object of 0, expected a list of strings");
  CHECK(error([](auto& b) {
          b.expect_word("s", "", {"silu", "gelu"});
        }) == "c.json: s is \"swish\", which is not supported; supported: silu, gelu");
  CHECK(error([](auto& b) { b.expect_flag("gone", false, true); }) == "c.json: gone is false, which is not supported");
  CHECK(error([](auto& b) { b.expect_none("f"); }) == "c.json: f is 1.5, which is not supported");
}
