// Models that say the same thing in two ways compute the same bits.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <span>

#include "lib/gguf/file.h"
#include "lib/gguf/writer.h"
#include "mote/quantize.h"
#include "tests/property/models.h"
#include "tests/temp_dir.h"

using namespace mote;
using namespace mote::test;

namespace {

/// A tensor of a file that is being rewritten.
struct Rewritten {
  std::string name;
  TensorType type;
  std::vector<std::int64_t> dims;
  std::vector<std::byte> data;
};

std::string golden(const std::string& name) { return std::string(MOTE_SOURCE_DIR) + "/tests/golden/models/" + name; }

/// Copies a file with its tensors, and the metadata after them, changed by the caller.
void rewrite(const std::string& in, const std::string& out, const std::function<void(std::vector<Rewritten>&)>& change,
             const std::function<void(gguf::Writer&)>& set_keys) {
  const auto file = gguf::File::open(in);
  if (!file) FAIL(file.error().message);
  std::vector<Rewritten> tensors;
  for (const gguf::Tensor& t : file->tensors())
    tensors.push_back({t.name, t.type, {t.dims.begin(), t.dims.begin() + t.n_dims}, {t.data.begin(), t.data.end()}});
  change(tensors);
  gguf::Writer writer(out);
  for (const std::string_view key : file->keys()) writer.copy(*file, key);
  set_keys(writer);
  for (const Rewritten& t : tensors) writer.add_tensor(t.name, t.type, t.dims);
  REQUIRE(writer.begin());
  for (const Rewritten& t : tensors) REQUIRE(writer.write(t.data));
  REQUIRE(writer.finish());
}

std::vector<float> logits_of_file(const std::string& path) {
  const auto model = Model::open(path);
  if (!model) FAIL(model.error().message);
  return logits_of(*model, make_prompt(*model, 30), {}, {20, 1});
}

} // namespace

TEST_CASE("the same seed makes the same model, another seed another one") {
  const auto spec = spec_from_shape(awkward_shapes()[1]);
  REQUIRE(spec);
  const auto make = [&](std::uint64_t seed, int n_threads) {
    ModelOptions options;
    options.n_threads = n_threads;
    auto model = Model::random(*spec, Mix::Q4_K_M, seed, options);
    REQUIRE(model);
    return logits_of(*model, make_prompt(*model, 5), {}, {5});
  };
  const auto expected = make(3, 1);
  CHECK(make(3, 4) == expected);
  CHECK(make(4, 1) != expected);
}

TEST_CASE("a tied head is an untied one whose matrix is a copy of the embedding") {
  const TempDir folder;
  const std::string tied = golden("qwen2_mqa_tied.gguf"), copied = folder.file("copied.gguf");
  rewrite(
      tied, copied,
      [](std::vector<Rewritten>& tensors) {
        for (const Rewritten& t : std::vector<Rewritten>(tensors))
          if (t.name == "token_embd.weight") tensors.push_back({"output.weight", t.type, t.dims, t.data});
      },
      [](gguf::Writer&) {});
  const auto expected = logits_of_file(tied);
  CHECK(expected.size() > 0);
  CHECK(logits_of_file(copied) == expected);
}

namespace {

/// Bytes of matrix i of those that are stacked in a tensor.
std::span<std::byte> stacked(Rewritten& t, std::int64_t i) {
  const auto bytes = static_cast<std::ptrdiff_t>(t.data.size()) / t.dims.back();
  return {t.data.data() + i * bytes, static_cast<std::size_t>(bytes)};
}

bool is_expert(const Rewritten& t) { return t.name.find("_exps.") != std::string::npos; }
bool is_router(const Rewritten& t) { return t.name.find(".ffn_gate_inp.") != std::string::npos; }

/// The golden model with experts, changed, and how many of them a token uses.
std::vector<float> logits_with_experts(std::uint32_t n_used, const std::function<void(Rewritten&)>& change) {
  const TempDir folder;
  rewrite(
      golden("mixtral.gguf"), folder.file("changed.gguf"),
      [&](std::vector<Rewritten>& tensors) {
        for (Rewritten& t : tensors) change(t);
      },
      [&](gguf::Writer& writer) { writer.set_u32("llama.expert_used_count", n_used); });
  return logits_of_file(folder.file("changed.gguf"));
}

void make_alike(Rewritten& t) {
  for (std::int64_t i = 1; is_expert(t) && i < t.dims.back(); ++i) std::ranges::copy(stacked(t, 0), stacked(t, i).begin());
}

} // namespace

TEST_CASE("experts all alike are the dense FFN") {
  if (!promises_bits()) return;
  const TempDir folder;
  const std::string dense = folder.file("dense.gguf");
  rewrite(
      golden("mixtral.gguf"), dense,
      [](std::vector<Rewritten>& tensors) {
        std::erase_if(tensors, is_router);
        for (Rewritten& t : tensors) {
          if (!is_expert(t)) continue;
          const auto first = stacked(t, 0);
          t.data = {first.begin(), first.end()};
          t.dims.pop_back();
          t.name.replace(t.name.find("_exps"), 5, "");
        }
      },
      [](gguf::Writer& writer) { writer.set_u32("llama.expert_count", 0); });
  const auto expected = logits_of_file(dense);
  CHECK(logits_with_experts(1, make_alike) == expected); // its weight is 1: to the bit
  const auto several = logits_with_experts(3, make_alike);
  REQUIRE(several.size() == expected.size());
  float worst = 0, largest = 0;
  for (std::size_t i = 0; i < several.size(); ++i) {
    worst = std::max(worst, std::fabs(several[i] - expected[i]));
    largest = std::max(largest, std::fabs(expected[i]));
  }
  CHECK(worst < 1e-5f * largest); // weights that sum to 1, and a sum of three, round
}

TEST_CASE("a token reads the weights of its experts only") {
  const std::string shape = "layers=2,d_model=64,d_ff=48,heads=2,vocab=50,experts_used=3,experts=";
  const Model few = make_model(shape + "3", Mix::Q8_0), many = make_model(shape + "16", Mix::Q8_0); // routers: a panel each
  CHECK(many.bytes_per_token() == few.bytes_per_token());
  CHECK(many.memory().parameters > few.memory().parameters);
}

TEST_CASE("of experts with equal scores those of lower number are used") {
  const auto make_ties = [](Rewritten& t) {
    if (is_router(t)) std::ranges::fill(t.data, std::byte{0});
  };
  const auto without = [&](std::int64_t expert) { // its weights are 0
    return logits_with_experts(2, [&](Rewritten& t) {
      make_ties(t);
      if (is_expert(t)) std::ranges::fill(stacked(t, expert), std::byte{0});
    });
  };
  const auto expected = logits_with_experts(2, make_ties);
  for (const std::int64_t unused : {2, 3, 4}) CHECK(without(unused) == expected);
  for (const std::int64_t used : {0, 1}) CHECK(without(used) != expected);
}

TEST_CASE("scores that are no numbers choose some experts all the same") {
  const auto logits = logits_with_experts(2, [](Rewritten& t) {
    if (is_router(t)) std::ranges::fill(t.data, std::byte{0xff});
  });
  CHECK(std::isnan(logits[0]));
}

TEST_CASE("grouped heads are as many kv heads with equal weights") {
  if (!promises_bits()) return;
  constexpr int kKvHeads = 2, kGroup = 3; // of the model
  const TempDir folder;
  const std::string grouped = golden("llama_gqa.gguf"), repeated = folder.file("repeated.gguf");
  rewrite(
      grouped, repeated,
      [](std::vector<Rewritten>& tensors) {
        for (Rewritten& t : tensors) {
          if (t.name.find(".attn_k.") == std::string::npos && t.name.find(".attn_v.") == std::string::npos) continue;
          const std::vector<std::byte> heads = std::move(t.data);
          const auto head_bytes = static_cast<std::ptrdiff_t>(heads.size()) / kKvHeads;
          t.data.clear();
          for (int head = 0; head < kKvHeads; ++head)
            for (int copy = 0; copy < kGroup; ++copy)
              t.data.insert(t.data.end(), heads.begin() + head * head_bytes, heads.begin() + (head + 1) * head_bytes);
          t.dims[1] *= kGroup;
        }
      },
      [](gguf::Writer& writer) { writer.set_u32("llama.attention.head_count_kv", kKvHeads * kGroup); });
  CHECK(logits_of_file(repeated) == logits_of_file(grouped));
}

TEST_CASE("a window that covers the whole context is no window") {
  const auto spec = spec_from_shape("family=gemma2,layers=3,d_model=160,d_ff=200,heads=5,kv_heads=1,vocab=77,ctx=400");
  REQUIRE(spec);
  ModelSpec windowed = *spec;
  windowed.layers[0].attention()->window = windowed.layers[2].attention()->window = windowed.n_ctx;
  ModelSpec narrow = windowed;
  narrow.layers[0].attention()->window = 90;
  const auto logits = [](const ModelSpec& s) {
    const auto model = Model::random(s, Mix::Q8_0, 7, {});
    REQUIRE(model);
    return logits_of(*model, make_prompt(*model, 300), {}, {299, 1});
  };
  CHECK(logits(*spec) == logits(windowed));
  CHECK(logits(*spec) != logits(narrow));
}

namespace {

/// own: with weights for every layer; shared: where some use those of others, namely, of a tensor, that of the name source(its
/// own name), or none if that is empty.
void check_copies(const ModelSpec& own, const ModelSpec& shared, std::string (*source)(const std::string&)) {
  CHECK(parameter_count(shared) < parameter_count(own));
  const TempDir folder;
  QuantizeOptions options;
  options.mix = Mix::F16;
  REQUIRE(save_random_model(own, 7, folder.file("own.gguf"), options));
  rewrite(
      folder.file("own.gguf"), folder.file("copies.gguf"),
      [&](std::vector<Rewritten>& tensors) {
        for (Rewritten& t : tensors)
          if (const std::string from = source(t.name); !from.empty())
            t.data = std::find_if(tensors.begin(), tensors.end(), [&](const Rewritten& o) { return o.name == from; })->data;
      },
      [](gguf::Writer&) {});
  const auto copies = Model::open(folder.file("copies.gguf"));
  const auto sharing = Model::random(shared, Mix::F16, 7, {});
  REQUIRE(copies);
  REQUIRE(sharing);
  CHECK(sharing->memory().parameters < copies->memory().parameters);
  const auto prompt = make_prompt(*copies, 20);
  CHECK(logits_of(*sharing, prompt, {}, {7, 1}) == logits_of(*copies, prompt, {}, {7, 1}));
}

} // namespace

TEST_CASE("layers that use another's weights are layers with copies of them") {
  const auto spec = spec_from_shape("layers=4,d_model=96,d_ff=160,heads=3,vocab=61,ctx=64");
  REQUIRE(spec);
  ModelSpec shared = *spec;
  shared.layers[1].mixer_from = shared.layers[1].ffn_from = 0;
  shared.layers[2].ffn_from = 0;
  check_copies(*spec, shared, [](const std::string& name) {
    const bool of_ffn = name.find(".ffn_") != std::string::npos && name.find("norm") == std::string::npos;
    const bool copied = name.starts_with("blk.1.") || (name.starts_with("blk.2.") && of_ffn);
    return copied ? "blk.0." + name.substr(6) : std::string();
  });
}

TEST_CASE("a shared block is a copy of it with adapters of its own") {
  const std::string shape =
      "family=zamba2,layers=4,d_model=96,ssm_heads=6,d_ff=160,heads=3,attention_layers=1:3,qkv_rank=7,ffn_rank=9,vocab=61,ctx=64";
  const auto own = spec_from_shape(shape + ",shared_blocks=2"), shared = spec_from_shape(shape);
  REQUIRE(own);
  REQUIRE(shared);
  check_copies(*own, *shared, [](const std::string& name) {
    const std::string role = name.substr(std::min<std::size_t>(6, name.size()));
    const bool stored = role == "block_norm.weight" || role.starts_with("attn_") || role.starts_with("ffn_");
    const bool copied = name.starts_with("blk.3.") && stored && role != "attn_norm.weight" && role.find("adapter") == role.npos;
    return copied ? "blk.1." + role : std::string();
  });
}
