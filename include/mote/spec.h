/// A model's architecture as plain data: what the decoder computes, layer by layer. Printable and comparable; needs no file.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mote/result.h"

namespace mote {

enum class Activation : std::uint8_t {
  silu,         ///< x * sigmoid(x)
  gelu_tanh,    ///< 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  gelu_erf,     ///< x * Phi(x)
  relu,         ///< max(x, 0)
  relu_squared, ///< max(x, 0)^2
};

enum class NormKind : std::uint8_t {
  rms,   ///< x / sqrt(mean(x^2) + eps) * weight
  layer, ///< (x - mean) / sqrt(variance + eps) * weight + bias
};

struct NormSpec {
  NormKind kind = NormKind::rms;
  float eps = 1e-5f;
  bool bias = false;
  bool weight = true; ///< false: weights are all one, and no tensor
  bool operator==(const NormSpec&) const = default;
};

/// Which dimensions of a head form a rotated pair.
enum class RopeStyle : std::uint8_t {
  interleaved, ///< (2i, 2i + 1)
  halves,      ///< (i, i + dims/2)
};

/// YaRN (Peng et al. 2023): frequencies that turn more than beta_fast times in the original context stay, those that turn less
/// than beta_slow times are divided by the factor, those between are blended.
struct YarnSpec {
  float factor = 1, beta_fast = 32, beta_slow = 1;
  int original_ctx = 0;
  bool operator==(const YarnSpec&) const = default;
};

/// Rotary position embedding: pair i of a head turns by position * base^(-2i/dims) / factors[i], and grows by `magnitude`.
struct RopeSpec {
  RopeStyle style = RopeStyle::interleaved;
  int dims = 0; ///< leading dimensions of a head that are rotated; even, at most head_dim
  double base = 10000.0;
  std::vector<float> factors = {}; ///< [dims/2] divisors of the frequencies, or empty: all 1
  /// The same for sessions of more than n_short_ctx positions, for all that they compute (LongRoPE, Ding et al. 2024); or empty.
  std::vector<float> long_factors = {};
  int n_short_ctx = 0;
  float magnitude = 1;
  std::optional<YarnSpec> yarn = std::nullopt;
  bool operator==(const RopeSpec&) const = default;
};

/// How a file of this family stores the q, k and v projections; decides the type that a mix gives them.
enum class QkvStorage : std::uint8_t { separate, fused };

/// What a norm of q and k is over.
enum class QkNormScope : std::uint8_t {
  head,       ///< each head by itself; weights [head_dim] that the heads share
  each_head,  ///< each head by itself; weights [n_heads, head_dim] and [n_kv_heads, head_dim], no bias
  projection, ///< all heads together; weights [n_heads * head_dim] and [n_kv_heads * head_dim]
};

/// Attention whose k and v are made from a latent of each position, which is what the cache holds (DeepSeek-AI 2024: multi-head
/// latent attention). Of head_dim the last RopeSpec::dims are rotated; their part of k is one for all heads.
struct LatentSpec {
  int q_rank = 0;                                ///< width of the latent of q; 0: q is made from the stream
  int kv_rank = 0;                               ///< width of the latent of k and v
  int v_dim = 0;                                 ///< of a head
  NormSpec norm = {NormKind::rms, 1e-6f, false}; ///< of the latents
  bool operator==(const LatentSpec&) const = default;
};

/// Softmax attention with grouped heads. MHA (n_kv_heads = n_heads) and MQA (n_kv_heads = 1) are values of it.
struct AttentionSpec {
  int n_heads = 0;
  int n_kv_heads = 0; ///< divides n_heads
  int head_dim = 0;
  QkvStorage qkv_storage = QkvStorage::separate;
  bool qkv_bias = false;
  bool output_bias = false;
  float clamp = 0;                 ///< bound of q, k and v as they leave their projections; 0: none
  std::optional<NormSpec> qk_norm; ///< of q and of k, before the rotation
  QkNormScope qk_norm_scope = QkNormScope::head;
  float scale = 0;              ///< multiplies q.k, usually 1/sqrt(head_dim)
  float softcap = 0;            ///< c: scores s become c * tanh(s / c); 0: none
  std::optional<RopeSpec> rope; ///< none: the positions come from elsewhere, or there are none
  /// ALiBi (Press et al. 2021): slope_h * (key position - query position) is added to the scores, with the slopes
  /// 2^(-bias (h+1) / n), h < n, n the largest power of two up to n_heads; then 2^(-bias (2 (h-n) + 1) / 2n). 0: none.
  float alibi_max_bias = 0;
  int window = 0; ///< how many positions a token attends to, its own counted; 0: all
  /// n > 0: a query at a position p >= n (from 0) is multiplied by ln(p + 1) / ln(n). 0: none.
  int log_scaling_from = 0;
  std::optional<LatentSpec> latent = std::nullopt; ///< n_kv_heads is n_heads then
  bool operator==(const AttentionSpec&) const = default;
};

enum class FfnKind : std::uint8_t {
  gated,    ///< down(act(gate x) * up x)
  standard, ///< down(act(up x))
};

/// How a file of this family stores the gate and up matrices.
enum class GateStorage : std::uint8_t { separate, fused };

/// How the scores of the experts, one product of the router for each, choose experts and their weights.
enum class Router : std::uint8_t {
  softmax,         ///< the largest scores; weights: softmax over all scores, as they are
  softmax_of_used, ///< the largest scores; weights: softmax over these alone, which is softmax over all made to sum to 1
  sparse_mixer,    ///< one after another: the largest score; its weight: softmax over what is left and close to it (Phi-3.5-MoE)
};

/// Several FFNs of one shape of which each token uses a few: the sum of their outputs, each times its weight. Of equal scores the
/// lower number of expert counts as larger.
struct ExpertsSpec {
  int n_experts = 0;
  int n_used = 0; ///< of a token
  Router router = Router::softmax_of_used;
  float scale = 1;          ///< multiplies the weights
  int shared_d_ff = 0;      ///< width of one more, which every token uses with weight 1; 0: none
  bool shared_gate = false; ///< the weight of the shared one is sigmoid(gate . x) instead
  bool operator==(const ExpertsSpec&) const = default;
};

struct FfnSpec {
  FfnKind kind = FfnKind::gated;
  Activation activation = Activation::silu;
  int d_ff = 0; ///< of one expert where there are some
  bool bias = false;
  GateStorage gate_storage = GateStorage::separate;
  std::optional<ExpertsSpec> experts = std::nullopt; ///< none: one FFN for all tokens
  bool operator==(const FfnSpec&) const = default;
};

enum class Residual : std::uint8_t {
  sequential,      ///< x += attention(norm x); x += ffn(norm2 x)
  parallel,        ///< x += attention(norm x) + ffn(norm2 x)
  parallel_shared, ///< x += attention(norm x) + ffn(norm x)
};

/// Where the norms of a mixer or FFN f stand. `parallel` residuals know only pre.
enum class NormPlacement : std::uint8_t {
  pre,      ///< x += f(norm x)
  post,     ///< x = norm(x + f(x))
  sandwich, ///< x += norm2(f(norm x))
  output,   ///< x += norm(f(x))
};

/// Selective state space (Gu, Dao 2023, "Mamba"). Each of d_inner channels u has a state h of d_state numbers; of every token
/// dt = softplus(Wdt dt' + bias), h = exp(dt A) h + dt B u, y = C h + D u, where u = silu(convolution(x)), [x | z] = Win in,
/// [dt' | B | C] = Wx u; the result is Wout (y silu(z)).
struct MambaSpec {
  int d_inner = 0;
  int d_state = 0;
  int dt_rank = 0;           ///< length of dt'
  int d_conv = 0;            ///< tokens that the causal convolution of each channel sees; it has a bias
  bool dt_b_c_norms = false; ///< dt', B and C pass a norm like the layer's, with weights of their own
  bool operator==(const MambaSpec&) const = default;
};

/// State space duality (Dao, Gu 2024, "Mamba-2"): as MambaSpec, but [z | x | B | C | dt] = Win in, the convolution takes x, B
/// and C, a head has one A, D and dt, the heads of a group share B and C, and y silu(z) passes a norm like the layer's, of each
/// group by itself, before Wout.
struct Mamba2Spec {
  int n_heads = 0;
  int head_dim = 0;
  int d_state = 0;
  int n_groups = 0; ///< divides n_heads
  int d_conv = 0;   ///< with a bias
  int d_inner() const noexcept { return n_heads * head_dim; }
  int n_channels() const noexcept { return d_inner() + 2 * n_groups * d_state; } ///< of the convolution: x | B | C
  bool operator==(const Mamba2Spec&) const = default;
};

/// Gated short convolution (Liquid AI 2025, "LFM2"): [b | c | x] = Win in, each d_model wide; Wout (c convolution(b x)).
struct ShortConvSpec {
  int d_conv = 0; ///< without a bias
  bool operator==(const ShortConvSpec&) const = default;
};

/// Real-gated linear recurrent unit (De et al. 2024, "Griffin"). [x | y] = Win in + bias; u = convolution(x); of every token
/// i = sigmoid(Wi u + bias), r = sigmoid(Wr u + bias), log a = -8 r softplus(L), h = a h + sqrt(1 - a^2) i u, without the root at
/// position 0; the result is Wout (h gelu_tanh(y)) + bias. Wi and Wr are block-diagonal.
struct RgLruSpec {
  int d_inner = 0;
  int n_blocks = 0; ///< divides d_inner
  int d_conv = 0;   ///< with a bias
  bool operator==(const RgLruSpec&) const = default;
};

/// What mixes the positions of a layer. All but attention keep a state of fixed size instead of the past's keys and values.
using MixerSpec = std::variant<AttentionSpec, MambaSpec, Mamba2Spec, ShortConvSpec, RgLruSpec>;

/// A block of attention and FFN whose weights several layers use, in front of their mixers (Glorioso et al. 2024, "The Zamba2
/// Suite"). With x the stream and e what the first layer got: t = ffn(norm(attention(norm [x | e]))); the mixer takes
/// norm(x + Wout t), which is added to nothing else. The widths are 2 d_model in front of the attention, d_model behind it.
struct BlockSpec {
  AttentionSpec attention;
  FfnSpec ffn;
  /// Ranks of the adapters: to W y each use adds B A y, with A and B of its own, A of so many rows. Of q, k and v (an A each),
  /// and of gate and up (one A for both); 0: none.
  int qkv_rank = 0, ffn_rank = 0;
  /// The layer whose stored block this one uses, though with an output projection and adapters of its own; -1: its own.
  int from = -1;
  bool operator==(const BlockSpec&) const = default;
};

struct LayerSpec {
  Residual residual = Residual::sequential;
  NormPlacement placement = NormPlacement::pre;
  NormSpec norm;                                 ///< all norms of the layer
  float residual_scale = 1;                      ///< of what is added to x
  std::optional<BlockSpec> block = std::nullopt; ///< in front of the mixer, which is no attention then; the layer has no FFN
  MixerSpec mixer;
  std::optional<FfnSpec> ffn = FfnSpec{}; ///< none: the layer is its mixer alone
  /// The layers whose stored weights this one uses for its mixer (and its norms) and for its FFN; -1: its own. A layer that uses
  /// another's is the same part of the model run again: it has a cache of its own, but no weights.
  int mixer_from = -1, ffn_from = -1;
  bool operator==(const LayerSpec&) const = default;

  /// That of the block or the mixer; null when there is none.
  const AttentionSpec* attention() const noexcept { return block ? &block->attention : mixer_as<AttentionSpec>(); }
  AttentionSpec* attention() noexcept { return block ? &block->attention : mixer_as<AttentionSpec>(); }
  /// Null when the mixer is of another kind.
  template <class T> const T* mixer_as() const noexcept { return std::get_if<T>(&mixer); }
  template <class T> T* mixer_as() noexcept { return std::get_if<T>(&mixer); }
};

struct HeadSpec {
  std::optional<NormSpec> norm = NormSpec{}; ///< of the last layer's output
  bool tied = false;                         ///< the output matrix is the token embedding
  bool bias = false;
  float scale = 1;   ///< of the logits
  float softcap = 0; ///< c: scaled logits z become c * tanh(z / c); 0: none
  bool operator==(const HeadSpec&) const = default;
};

/// What becomes of a token before the first layer: table row, times scale, plus its position's row, through the projection, norm.
struct EmbeddingSpec {
  int d_embedding = 0; ///< width of the table where a matrix projects it to d_model (and back before the head); 0: d_model
  float scale = 1;
  int n_positions = 0;    ///< rows of the table of learned positions; 0: none
  int first_position = 0; ///< the row of position 0
  std::optional<NormSpec> norm;
  bool operator==(const EmbeddingSpec&) const = default;
};

struct ModelSpec {
  std::string family; ///< general.architecture of the files that hold it: "llama", "qwen2", ...
  std::string name;   ///< of the preset or from the file; for people
  int d_model = 0;
  int n_vocab = 0;
  int n_ctx = 0; ///< positions that the model was made for
  EmbeddingSpec embedding;
  std::vector<LayerSpec> layers;
  HeadSpec head;
  bool operator==(const ModelSpec&) const = default;
};

/// Several lines of text: every value of the spec, consecutive equal layers printed once.
std::string to_string(const ModelSpec& spec);
/// The values in which b differs from a, a line each ("layers[3].ffn.d_ff: 1536 -> 2048"); empty when equal.
std::string diff(const ModelSpec& a, const ModelSpec& b);
/// Checks every number for sense and for the limits of the decoder. Error: invalid_argument or unsupported, naming the field.
Status validate(const ModelSpec& spec);
/// Number of weights; a tied embedding counts once.
std::int64_t parameter_count(const ModelSpec& spec);
/// Whether some layer keeps a state that a session cannot take back by a few tokens: any mixer but attention.
bool is_recurrent(const ModelSpec& spec) noexcept;

/// The families that a file or a shape can name, sorted.
std::vector<std::string_view> family_names();

struct Preset {
  std::string name; ///< "qwen2-0.5b"
  /// Who lists it: "table 1" and "table 9" (of Demystifying Small Language Models, ACL 2025), "surveys", "current".
  std::string group;
  std::string shape; ///< as spec_from_shape takes it; empty: not published
};
/// The models that are known by name, in the order of their data file.
std::vector<Preset> all_presets();
/// Error: invalid_argument with the nearest names.
Result<ModelSpec> spec_from_preset(std::string_view name);
/// "key=value,key=value": `base=PRESET` starts from a preset, `family=` (default llama) from that family's defaults; README lists
/// the keys. Error: invalid_argument naming the key, what was found and what is allowed.
Result<ModelSpec> spec_from_shape(std::string_view shape);

} // namespace mote
