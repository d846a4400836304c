// What an ISA unit exports: one table of kernels. Plain C types, so that the units stay free of the standard library.
#pragma once
#include "kernels/layout.h"

/// Which units this build has beside the scalar one.
#if defined(__x86_64__)
#define MOTE_HAVE_X86 1
#elif defined(__aarch64__)
#define MOTE_HAVE_ARM 1
#endif

namespace mote::kernels {

/// out[token * out_stride + row] = sum over columns of weight[row][column] * activation[token][column], for the rows of the
/// panels first_panel .. last_panel - 1. mul_mat_vec is n_tokens = 1. A result that is not a number is 0x7fc00000.
struct MulMatArgs {
  const uint8_t* panels; // of the whole matrix, 64-byte aligned
  int n_rows, n_cols;
  int first_panel, last_panel;
  int n_tokens;
  const ActBlock* act; // [n_tokens, act_stride]; for quantized weights
  size_t act_stride;   // blocks per token, at least act_blocks(n_cols)
  const float* x;      // [n_tokens, x_stride]; for F32, F16 and BF16 weights
  size_t x_stride;
  float* out; // element (token, row) at out[token * out_stride + row]
  size_t out_stride;
  bool in_cache; // the weights lie in the second-level cache: none are asked for ahead
};
/// The most tokens that share one unpacking of a panel.
static constexpr int kUnpackTokens = 64;
using MulMat = void (*)(const MulMatArgs&);

/// Causal softmax attention of the query heads that share one kv head, for consecutive tokens.
/// Token t stands at position first_pos + t and attends to positions 0 .. first_pos + t, whose k and v are in the cache, or to
/// the last `window` of these. Its score of a position is s = scale * q.k, then softcap * tanh(s / softcap), then plus
/// slope * (position - own position).
/// Positions are taken in chunks of 256 (from 0) whose partial results are merged in order, so the result for a token depends
/// neither on the other tokens of the call nor on what lies behind its position or before its window in the cache.
struct AttentionArgs {
  const void* k; // [ceil(n_ctx/16), head_dim, 16] f16 or f32: lanes are positions
  const void* v; // [n_ctx, v_stride] of the same type; v_stride = head_dim rounded up to 16
  int head_dim;
  int v_stride;
  int first_pos, n_tokens;
  int n_heads;         // query heads computed here
  float scale;         // multiplies q.k
  int window;          // 0: all positions
  float softcap;       // 0: none
  const float* slopes; // [n_heads], of ALiBi; null: none
  const float* q;      // head h of token t at q + t * q_stride + h * head_dim
  size_t q_stride;
  float* out; // the same shape with out_stride
  size_t out_stride;
  float* scratch; // attention_scratch(head_dim) floats, 64-byte aligned, this thread's own
  // One token (n_tokens = 1) may be taken in chunks, each with attend_chunk and by any thread; merge_chunks then merges all.
  int chunk;       // for attend_chunk
  float* partials; // [n_chunks, n_heads, attention_partial(head_dim)]
};
static constexpr int kAttentionChunk = 256; // positions
/// Floats of scratch that attention() wants.
static constexpr size_t attention_scratch(int head_dim) { return 16 * 256 + 32 * (static_cast<size_t>(head_dim) + 16); }
/// Floats of the result of one chunk and head: the values, then their maximum and sum.
static constexpr size_t attention_partial(int head_dim) { return (static_cast<size_t>(head_dim) + 15) / 16 * 16 + 32; }

/// Causal convolution of channels by themselves, for consecutive tokens: out[t] = bias + sum over k of weight[k] x[t - d_conv + 1 + k].
/// Panels are of 16 channels; the last one is filled up.
struct ConvArgs {
  const float* x;             // [n_tokens, x_stride]
  size_t x_stride;
  const float* weight;        // [panels, d_conv, 16]
  const float* bias;          // [n_channels] or null
  float* past;                // [panels, d_conv - 1, 16]: x before the first token, oldest first; then before the next call's
  int d_conv, n_channels, n_tokens;
  float* out;                 // [n_tokens, out_stride], not x
  size_t out_stride;
};

/// The recurrence of mote::MambaSpec for some channels and consecutive tokens. Panels are of 16 channels; the last one is filled up.
struct MambaScanArgs {
  const float* u;             // [n_tokens, u_stride]
  size_t u_stride;
  const float* dt;            // [n_tokens, dt_stride], before softplus
  size_t dt_stride;
  const float* z;             // [n_tokens, z_stride]
  size_t z_stride;
  const float *b, *c;         // [n_tokens, bc_stride]: d_state each
  size_t bc_stride;
  const float* a;             // [panels, d_state, 16]
  const float* d;             // [n_channels]
  float* state;               // [panels, d_state, 16]
  int d_state, n_channels, n_tokens;
  float* out;                 // [n_tokens, out_stride]: y silu(z)
  size_t out_stride;
};

/// The recurrence of mote::Mamba2Spec for one head and consecutive tokens.
struct Mamba2ScanArgs {
  const float* x;             // [n_tokens, x_stride]: head_dim
  size_t x_stride;
  const float* dt;            // [n_tokens, dt_stride]: one number, before bias and softplus
  size_t dt_stride;
  const float* z;             // [n_tokens, z_stride]: head_dim
  size_t z_stride;
  const float *b, *c;         // [n_tokens, bc_stride]: d_state each
  size_t bc_stride;
  float dt_bias, a, d;
  float* state;               // [ceil(head_dim/16), d_state, 16]
  int d_state, head_dim, n_tokens;
  float* out;                 // [n_tokens, out_stride]: y silu(z)
  size_t out_stride;
};

/// The recurrence of mote::RgLruSpec for some channels and consecutive tokens.
struct RgLruArgs {
  const float* u;             // [n_tokens, u_stride]
  size_t u_stride;
  const float *input_gate, *recurrence_gate; // [n_tokens, gate_stride], before bias and sigmoid
  size_t gate_stride;
  const float *input_bias, *recurrence_bias; // [n_channels]
  const float* a;             // [n_channels]: L
  const float* y;             // [n_tokens, y_stride], before gelu
  size_t y_stride;
  float* state;               // [n_channels rounded up to 16]
  int first_pos, n_channels, n_tokens;
  float* out;                 // [n_tokens, out_stride]
  size_t out_stride;
};

/// Order of the activations in KernelTable::activate and ::gate: that of mote::Activation.
static constexpr int kNumActivations = 5;

/// n is any positive number in every function; nothing is read or written behind the n-th element.
struct KernelTable {
  const char* name;

  /// Indexed by quant::type_index.
  MulMat mul_mat[16];
  /// Columns first .. first + n - 1 of a row; multiples of 32. x: [n], from column first on; blocks: of the whole row.
  void (*quantize_row)(const float* x, int first, int n, ActBlock* blocks);

  /// out may be x. Formulas: mote::NormKind. weight, bias: [n]; each may be null, bias where weight is not only.
  void (*rms_norm)(const float* x, const float* weight, float eps, int n, float* out);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, int n, float* out);
  void (*add)(float scale, const float* y, int n, float* x);       // x += scale * y, one fma each
  void (*multiply)(const float* y, int n, float* x);               // x *= y
  void (*scale)(float factor, int n, float* x);                    // x *= factor
  void (*clamp)(float limit, int n, float* x);                     // to -limit .. limit
  void (*softcap)(float cap, int n, float* x);                     // x = cap * tanh(x / cap)
  /// x = e^(x - largest) / their sum. Minus infinity beside a larger value becomes 0.
  void (*softmax)(int n, float* x);
  void (*activate[kNumActivations])(int n, float* x);              // x = act(x)
  void (*gate[kNumActivations])(const float* up, int n, float* x); // x = act(x) * up
  /// One head, in place. cos, sin: [dims/2].
  void (*rope_interleaved)(const float* cos, const float* sin, int dims, float* x);
  void (*rope_halves)(const float* cos, const float* sin, int dims, float* x);
  /// Rounds to nearest even. The k form writes element d to out[16 * d]: one lane of a panel of 16 positions.
  void (*f16_from_f32)(const float* x, int n, uint16_t* out);
  void (*f16_from_f32_lane)(const float* x, int n, uint16_t* out);
  /// Over a cache of f16 [0] or f32 [1].
  void (*attention[2])(const AttentionArgs&);
  void (*attend_chunk[2])(const AttentionArgs&); // one chunk into partials; out is not touched
  void (*merge_chunks)(const AttentionArgs&);    // partials of all chunks into out: the bits of attention
  void (*causal_conv)(const ConvArgs&);
  void (*mamba_scan)(const MambaScanArgs&);
  void (*mamba2_scan)(const Mamba2ScanArgs&);
  void (*rg_lru)(const RgLruArgs&);
};

extern const KernelTable kScalarKernels;
#ifdef MOTE_HAVE_X86
extern const KernelTable kAvx2Kernels, kAvxVnniKernels, kAvx512Kernels;
#endif
#ifdef MOTE_HAVE_ARM
extern const KernelTable kNeonKernels, kNeonDotprodKernels, kNeonI8mmKernels;
#endif

} // namespace mote::kernels
