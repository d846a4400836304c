// Models that say the same thing in two ways compute the same bits.
#include <cstring>
#include <functional>

#include "lib/gguf/file.h"
#include "lib/gguf/writer.h"
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
