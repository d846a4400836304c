/// A model: its spec, its weights packed for one ISA-independent layout, and its tokenizer. Immutable.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mote/isa.h"
#include "mote/result.h"
#include "mote/spec.h"
#include "mote/types.h"

namespace mote {

class Tokenizer;

struct ModelOptions {
  std::optional<Isa> isa; ///< none: default_isa()
  int n_threads = 0;      ///< for packing; 0: default_thread_count()
  /// open(): a folder, made when it is missing, where packed weights are kept for the next time the same file is opened (as many
  /// bytes as the weights; one file for each model file). Empty: none. The cache is mapped while the model lives. Nothing about
  /// it is an error: a cache that is stale or damaged is written anew, and what cannot be written is said in Model::cache().
  std::string cache_dir;
  /// Called from the loading thread with the share done, 0..1, at most a few hundred times. Return false to cancel.
  std::function<bool(double)> progress;
};

/// What became of ModelOptions::cache_dir.
enum class CacheUse : std::uint8_t {
  none,    ///< there was none
  read,    ///< the weights come from the cache
  written, ///< the weights were packed, and written for the next time
  failed,  ///< the weights were packed, but could not be written
};

struct CacheReport {
  CacheUse use = CacheUse::none;
  std::string path;    ///< of the file in cache_dir
  std::string problem; ///< failed: why, in a line
};

/// Bytes of the parts of a model or session.
struct MemoryUse {
  std::size_t parameters = 0; ///< packed weights; shared ones once
  std::size_t tokenizer = 0;
  std::size_t kv_cache = 0; ///< sessions only
  std::size_t compute = 0;  ///< sessions only: activations, logits, scratch
  std::size_t state = 0;    ///< sessions only: what recurrent layers keep, whatever the context
};

/// A handle; copies share the same weights, which live as long as the last of them and of the sessions made from it.
/// All functions may be called from any thread at any time.
class Model {
 public:
  /// Opens a GGUF file (or the first part of a split one) or a Hugging Face directory (config.json and safetensors), packs its
  /// weights and lets go of the files.
  /// Errors: io, bad_file, unsupported (architecture, tensor or type, by name), out_of_memory, cancelled.
  static Result<Model> open(const std::string& path, const ModelOptions& options = {});
  /// A model of this shape with random weights of the types that the mix gives: same spec, mix and seed, same bits.
  /// It has no tokenizer. Errors: invalid_argument (the spec), out_of_memory, cancelled.
  static Result<Model> random(const ModelSpec& spec, Mix mix, std::uint64_t seed, const ModelOptions& options = {});

  const ModelSpec& spec() const noexcept;
  Isa isa() const noexcept;
  /// The mix that the weights were made with, or what the file says of itself; "Q4_K_M".
  std::string_view type_name() const noexcept;
  /// Null when the model has none, or one that is not supported: it can still be run on token ids.
  const Tokenizer* tokenizer() const noexcept;
  /// Why tokenizer() is null, in a line; empty where it is not, or where the file holds none.
  std::string_view tokenizer_problem() const noexcept;
  MemoryUse memory() const noexcept;
  const CacheReport& cache() const noexcept;
  /// Bytes of packed weights that one decoded token reads (the embedding table counts one row).
  std::size_t bytes_per_token() const noexcept;

  struct Impl;
  const std::shared_ptr<const Impl>& impl() const noexcept { return impl_; }
  explicit Model(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Physical performance cores that this process may use (affinity and cgroup quota counted), at least 1.
int default_thread_count() noexcept;

} // namespace mote
