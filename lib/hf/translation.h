/// A Hugging Face directory on its way to a gguf::File: the keys, tensor names and row orders that the file of the family has.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/gguf/assembly.h"
#include "lib/gguf/name_index.h"
#include "lib/hf/config.h"
#include "lib/hf/rows.h"
#include "lib/hf/safetensors.h"

namespace mote::hf {

/// Whether the rows of a matrix are stored as its rows, as nn.Linear does, or as its columns, as GPT-2 does.
enum class Stored : std::uint8_t { rows, columns };

/// A stored tensor that a tensor is made from, or the start of one. In its name {p} stands for the prefix, {i} for the layer, {e}
/// for each expert in turn.
struct From {
  std::string_view name;
  RowOrder order = {};
  Stored stored = Stored::rows;
  float (*change)(float) = nullptr; ///< of each number, such as 1 + x; the tensor is F32 then
};

/// The words of a config for the sizes that nearly all families have. n_ctx and d_ff may be empty: the family sets them; so may
/// n_heads: there is no attention, or the family sets what it has.
struct SizeNames {
  std::string_view n_ctx = "max_position_embeddings", d_model = "hidden_size", n_layers = "num_hidden_layers",
                   d_ff = "intermediate_size", n_heads = "num_attention_heads", n_kv_heads = "num_key_value_heads",
                   n_vocab = "vocab_size";
};

/// A family is read in a straight line: what does not fit is kept as the first error, and the rest does no harm.
/// Tensors in `to` are named as GGUF files do; {i} in them stands for each layer.
class Translation {
 public:
  /// path: of the directory, for messages. The tensors' names differ from each other; their data lies in the sources.
  Translation(Config config, std::string path, std::vector<gguf::Assembly::Source> sources, std::vector<StoredTensor> tensors);

  Config& config() noexcept { return config_; }

  // ---- keys; all but those that begin with "general." or "tokenizer." get the architecture's name before them

  /// The first thing that a family says: the family's name in GGUF files. Sets general.name, too.
  void architecture(std::string_view name);
  void set(std::string_view key, int value);
  void set(std::string_view key, double value);
  void set(std::string_view key, bool value);
  void set(std::string_view key, std::string_view value);
  void set(std::string_view key, const char* value) { set(key, std::string_view(value)); } // not a bool
  void set(std::string_view key, const std::vector<int>& values);
  void set(std::string_view key, const std::vector<float>& values);
  void set(std::string_view key, const std::vector<std::string>& values);

  /// context_length, embedding_length, block_count, feed_forward_length, attention.head_count, head_count_kv, and key_length
  /// where the config says head_dim; vocab_size.
  void sizes(const SizeNames& names = {});
  /// feed_forward_activation from a word of the config; files have it where it is not the family's.
  void activation(std::string_view key, std::string_view fallback);
  /// attention.layer_norm_rms_epsilon, attention.layer_norm_epsilon
  void rms_eps(std::string_view key = "rms_norm_eps");
  void layer_eps(std::string_view key = "layer_norm_eps");
  /// rope.dimension_count and rope.freq_base from the config's words, old and new, and what its scaling asks for. layer_type: of
  /// the layers meant, where the config tells them apart.
  void rope(int n_dims, std::string_view layer_type = {});
  /// The dimensions that are rotated when the config says which part of head_dim.
  int partly_rotated(double fallback);

  /// Before sizes(): each stored layer is run n times in a row; {i} in `to` is the first of its runs.
  void repeat_layers(int n) noexcept { n_runs_ = n; }

  // As sizes() has read them.
  int n_layers() const noexcept { return n_layers_; }
  int d_model() const noexcept { return d_model_; }
  int n_heads() const noexcept { return n_heads_; }
  int n_kv_heads() const noexcept { return n_kv_heads_; }
  int head_dim() const noexcept { return head_dim_; }

  // ---- tensors

  /// What {p} stands for: the first of these with which a tensor of this name is there.
  void prefix(std::initializer_list<std::string_view> prefixes, std::string_view name);
  /// Whether a tensor is stored.
  bool has(std::string_view name) const;
  /// What {e} counts to: experts, or heads.
  void n_each(int n);
  /// The number of experts that the config has under this key: what {e} counts to, and expert_count.
  void n_experts(std::string_view key);
  static constexpr int kMaxExperts = 4096;
  /// One tensor, its rows those of all sources, one behind the other. Error: bad_file, when one is missing.
  void tensor(std::string_view to, std::initializer_list<From> from);
  /// The same, when the sources are there.
  void optional_tensor(std::string_view to, std::initializer_list<From> from);
  /// to.weight and, where it is stored, to.bias: a projection or a norm. The sources are named without ".weight", too.
  void module(std::string_view to, std::initializer_list<From> from);
  void optional_module(std::string_view to, std::initializer_list<From> from);
  /// Makes rows of n_cols numbers of what a vector of this name has become, where there is one: GGUF files have it so.
  void fold(std::string_view to, int n_cols);
  /// The embedding's matrix is the head's as well, or the head has its own, of this name.
  void head(std::string_view name, bool tied_unless_said);
  /// A tensor of one row that is stored nowhere.
  void values(std::string_view to, std::vector<float> numbers);
  /// Rows of token_embd.weight, at most as many as it has bytes.
  std::int64_t n_embedded() const;
  /// A stored tensor that says nothing, if it is there; {i} as above.
  void ignore(std::string_view name);

  /// An error that is not the config's; the directory's path is put before the message.
  void fail(ErrorCode code, const std::string& message);
  /// The file, or the first error. Errors also: unsupported, a stored tensor that nothing has asked for, by name.
  Result<gguf::File> finish();

 private:
  enum class Need : std::uint8_t { required, optional };
  /// What one From of one layer names: a stored tensor, or one for each expert.
  using Found = std::vector<const StoredTensor*>;

  std::string full_key(std::string_view key) const;
  const StoredTensor* take(const std::string& name);
  void add(std::string_view to, std::span<const From> from, std::string_view suffix, Need need);
  void add_one(const std::string& to, std::span<const From> from, std::string_view suffix, Need need, int layer);
  void make_tensor(const std::string& to, std::span<const From> from, const std::vector<Found>& found);
  bool make_piece(const StoredTensor& stored, const From& from, std::int64_t n_cols, Piece& piece);
  void yarn_scaling(const std::string& scaling);
  void llama3_scaling(std::string_view scaling, int n_dims, double base);
  void long_rope(std::string_view scaling);

  Config config_;
  gguf::Assembly assembly_;
  std::vector<StoredTensor> tensors_;
  gguf::NameIndex names_; // of tensors_
  std::vector<bool> used_;
  std::string prefix_, architecture_;
  int n_layers_ = 0, d_model_ = 0, n_heads_ = 0, n_kv_heads_ = 0, head_dim_ = 0, n_each_ = 0, n_runs_ = 1;
};

} // namespace mote::hf
