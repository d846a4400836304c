/// Reading the keys and tensors of a file that describe its architecture, and the steps that families are made of.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/gguf/file.h"
#include "mote/result.h"
#include "mote/spec.h"

namespace mote::spec {

/// Keys are given without the architecture's prefix. The first error is kept; readers go on with values that do no harm, so
/// that a family is read in a straight line and status() is asked once at the end.
class Metadata {
 public:
  /// The file must outlive it.
  Metadata(const gguf::File& file, std::string_view architecture) : file_(file), architecture_(architecture) {}

  const Status& status() const noexcept { return status_; }
  /// Puts the file's name before the message.
  void fail(ErrorCode code, const std::string& message);

  /// "llama.rope.freq_base"
  std::string full_key(std::string_view key) const;
  bool has(std::string_view key) const;
  int integer(std::string_view key, int min, int max);
  int integer_or(std::string_view key, int fallback, int min, int max);
  /// Any number; the caller checks its range, or validate() does.
  double real(std::string_view key);
  double real_or(std::string_view key, double fallback);
  bool boolean_or(std::string_view key, bool fallback);
  std::string_view string_or(std::string_view key, std::string_view fallback);
  /// One value for all layers, or an array with one for each.
  std::vector<int> per_layer(std::string_view key, std::size_t n_layers, int min, int max);

  bool has_tensor(std::string_view name) const { return file_.find_tensor(name) != nullptr; }
  /// "blk.3.attn_q.bias"
  bool layer_has(std::size_t layer, std::string_view name) const;
  /// Rows of a matrix that must be there, between 1 and max.
  int matrix_rows(std::string_view name, int max);
  const gguf::File& file() const noexcept { return file_; }

 private:
  template <class T> T take(Result<T> result, T fallback);

  const gguf::File& file_;
  std::string architecture_;
  Status status_;
};

/// A file of a family whose models differ from its defaults in nothing but sizes, which layers are attention, the eps of the
/// norms, rope, the scales, caps and bounds that have keys, and what the presence of tensors says: biases, fused q, k and v, an
/// output matrix of its own. Also the keys of lib/spec/README.md.
ModelSpec read_decoder(Metadata& metadata, ModelSpec defaults);
/// The keys expert_* of a family whose files have them, into the layers whose experts are set, with what the keys do not say.
/// The first layers may turn out to have none. d_ff of the layers is that of an FFN without experts.
void read_experts(Metadata& metadata, ModelSpec& spec);
/// attention.sliding_window, where it is shorter than the context: every n_turn-th layer attends to all positions, the others to
/// the window. 0: there are no others. The file's sliding_window_pattern goes before n_turn.
void read_windows(Metadata& metadata, ModelSpec& spec, int n_turn);
/// logit_scale, by which the logits are divided.
void read_logit_divisor(Metadata& metadata, ModelSpec& spec);
/// Refuses, by its key, whatever would have to be computed but is not.
void refuse_features(Metadata& metadata, const ModelSpec& spec);

} // namespace mote::spec
