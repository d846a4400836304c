/// What a family of models is: a name in general.architecture, how its metadata becomes a spec, and what its shapes have in
/// common.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/gguf/key_values.h"
#include "lib/spec/metadata.h"
#include "mote/spec.h"

namespace mote::spec {

/// Sets keys under the family's prefix.
class KeyWriter {
 public:
  KeyWriter(std::string_view prefix, gguf::KeyValues& keys) : prefix_(prefix), keys_(keys) {}
  void set(std::string_view key, int value) { keys_.set_u32(full(key), static_cast<std::uint32_t>(value)); }
  void set(std::string_view key, float value) { keys_.set_f32(full(key), value); }
  void set(std::string_view key, bool value) { keys_.set_bool(full(key), value); }
  void set(std::string_view key, const char* value) { keys_.set_string(full(key), value); }
  /// One value for all layers where they agree.
  void set(std::string_view key, const std::vector<int>& per_layer);

 private:
  std::string full(std::string_view key) const { return std::string(prefix_) + "." + std::string(key); }
  std::string_view prefix_;
  gguf::KeyValues& keys_;
};

struct Family {
  std::string_view name;
  /// What the models of the family share: one layer, or one of each kind that it mixes, attention first and a recurrent one
  /// second; no sizes; rope->dims = 0 stands for all of head_dim, embedding.n_positions > 0 for as many as n_ctx,
  /// embedding.scale = 0 for sqrt(d_model).
  ModelSpec (*defaults)();
  /// The spec of a file. Errors stay in the metadata; the spec is of no use then.
  ModelSpec (*read)(Metadata& metadata);
  /// Keys that only files of this family have; null: none.
  void (*write)(const ModelSpec& spec, KeyWriter& keys) = nullptr;
};

// Each in its own file in families/; families.cpp lists them.
extern const Family kBloom, kDeepSeek2, kGemma, kGemma2, kGemma3, kGpt2, kGptNeox, kGranite, kGraniteHybrid, kGraniteMoe, kJamba,
    kLfm2, kLlama, kMamba, kMamba2, kMiniCpm, kMiniCpm3, kNemotron, kOlmo, kOlmo2, kOlmoe, kOpenElm, kOpenLm, kOpt, kPhi2, kPhi3,
    kPhiMoe, kQwen, kQwen2, kQwen2Moe, kQwen3, kRecurrentGemma, kSmolLm3, kStableLm, kZamba2;

/// Sorted by name.
std::span<const Family* const> families() noexcept;
/// Null when there is none of this name.
const Family* find_family(std::string_view name) noexcept;

} // namespace mote::spec
