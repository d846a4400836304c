// Writes small model files into a folder, sound and unsound: make_fixtures FOLDER
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "tests/gguf_builder.h"

namespace {

using mote::test::Bytes;
using mote::test::GgufBuilder;
using mote::test::TensorInfo;
using mote::test::ValueType;

/// <unk> <s> </s>, the 256 bytes, and a few pieces as a SentencePiece-style vocabulary has them.
std::vector<std::string> vocabulary() {
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>"};
  for (int b = 0; b < 256; ++b) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(b));
    tokens.emplace_back(name);
  }
  for (const char* piece : {"\u2581", "a", "b", "ab", "\u2581a"}) tokens.emplace_back(piece);
  return tokens;
}

GgufBuilder& add_tokenizer(GgufBuilder& file) {
  const std::vector<std::string> tokens = vocabulary();
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    scores.push_back(-static_cast<float>(i));
    types.push_back(i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1); // unknown, control, byte, normal
  }
  return file.string("tokenizer.ggml.model", "llama")
      .strings("tokenizer.ggml.tokens", tokens)
      .numbers<float>("tokenizer.ggml.scores", ValueType::f32, scores)
      .numbers<std::int32_t>("tokenizer.ggml.token_type", ValueType::i32, types)
      .u32("tokenizer.ggml.bos_token_id", 1)
      .u32("tokenizer.ggml.eos_token_id", 2)
      .u32("tokenizer.ggml.unknown_token_id", 0);
}

/// A tensor of small numbers that look random; ones for norms.
void add_tensor(GgufBuilder& file, const std::string& name, std::vector<std::uint64_t> dims) {
  std::uint64_t n = 1, state = name.size() + 1;
  for (const std::uint64_t d : dims) n *= d;
  Bytes data;
  for (std::uint64_t i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    data.put(dims.size() == 1 ? 1.0f : static_cast<float>(static_cast<std::int32_t>(state >> 32)) * 0x1p-33f);
  }
  file.tensor(TensorInfo{name, std::move(dims), 0, data.str(), {}, {}, {}});
}

/// One layer of llama.
std::string model(const std::string& architecture, bool with_tokenizer, std::uint32_t n_ctx = 16) {
  constexpr std::uint32_t kDModel = 32, kDff = 48, kHeads = 2;
  const std::uint64_t n_vocab = vocabulary().size();
  GgufBuilder file;
  file.string("general.architecture", architecture).string("general.name", "fixture").u32("general.file_type", 0);
  const std::string key = architecture + ".";
  file.u32(key + "block_count", 1).u32(key + "context_length", n_ctx).u32(key + "embedding_length", kDModel);
  file.u32(key + "feed_forward_length", kDff)
      .u32(key + "attention.head_count", kHeads)
      .u32(key + "attention.head_count_kv", kHeads);
  file.f32(key + "attention.layer_norm_rms_epsilon", 1e-5f).u32(key + "rope.dimension_count", kDModel / kHeads);
  if (with_tokenizer) add_tokenizer(file);
  add_tensor(file, "token_embd.weight", {kDModel, n_vocab});
  for (const char* name : {"attn_norm", "ffn_norm"}) add_tensor(file, std::string("blk.0.") + name + ".weight", {kDModel});
  for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"})
    add_tensor(file, std::string("blk.0.") + name + ".weight", {kDModel, kDModel});
  for (const char* name : {"ffn_gate", "ffn_up"}) add_tensor(file, std::string("blk.0.") + name + ".weight", {kDModel, kDff});
  add_tensor(file, "blk.0.ffn_down.weight", {kDff, kDModel});
  add_tensor(file, "output_norm.weight", {kDModel});
  add_tensor(file, "output.weight", {kDModel, n_vocab});
  return file.build();
}

bool write(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) std::printf("cannot write %s\n", path.c_str());
  return static_cast<bool>(out);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::puts("usage: make_fixtures FOLDER"), 2;
  const std::string folder = std::string(argv[1]) + "/";
  const std::string tiny = model("llama", true);
  GgufBuilder vocabulary_only;
  vocabulary_only.string("general.architecture", "llama");
  add_tokenizer(vocabulary_only);
  const bool written = write(folder + "tiny.gguf", tiny) && write(folder + "roomy.gguf", model("llama", true, 256)) &&
                       write(folder + "no_tokenizer.gguf", model("llama", false)) &&
                       write(folder + "unknown_architecture.gguf", model("mystery", true)) &&
                       write(folder + "truncated.gguf", tiny.substr(0, tiny.size() / 2)) &&
                       write(folder + "truncated_header.gguf", tiny.substr(0, 1000)) &&
                       write(folder + "vocabulary.gguf", vocabulary_only.build()) &&
                       write(folder + "text.gguf", "This is no model but a text.\n") && write(folder + "empty.gguf", "");
  return written ? 0 : 1;
}
