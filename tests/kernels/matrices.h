/// What the tests of the matrix kernels share: weights made to be difficult, memory of exact size, and one call of a kernel.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/pack.h"
#include "mote/isa.h"
#include "mote/kernels.h"
#include "mote/types.h"
#include "quant/quant.h"

namespace kernel_tests {

using mote::Isa;
using mote::TensorType;
using mote::kernels::ActBlock;
using mote::kernels::KernelTable;
using mote::kernels::MulMatArgs;

inline std::size_t to_size(int n) { return static_cast<std::size_t>(n); }

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 88172645463325252u) {}
  std::uint32_t u32() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 32);
  }
  int below(int n) { return static_cast<int>(u32() % static_cast<std::uint32_t>(n)); }
  float unit() { return static_cast<float>(below(20001) - 10000) * 1e-4f; } ///< -1 .. 1

 private:
  std::uint64_t state_;
};

/// Memory of exactly n elements, with a page behind it that must not be touched. 64-byte aligned when n elements are a multiple
/// of 64 bytes, as panels and activation blocks are; else aligned for T only.
template <class T> class Exact {
 public:
  explicit Exact(std::size_t n, const T& value = {}) : size_(n) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), n_pages = (bytes() + page - 1) / page;
    mapped_ = (n_pages + 1) * page;
    mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED) throw std::bad_alloc();
    auto* guard = static_cast<std::byte*>(mapping_) + n_pages * page;
    mprotect(guard, page, PROT_NONE);
    data_ = reinterpret_cast<T*>(guard - bytes());
    std::uninitialized_fill_n(data_, n, value);
  }
  ~Exact() { munmap(mapping_, mapped_); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  std::size_t size_, mapped_;
  void* mapping_;
  T* data_;
};

#ifdef MOTE_HAVE_X86
extern const KernelTable kAvxVnniEvexKernels; ///< for the processors of Isa::avx512
#endif

/// The tables that this machine can run, scalar first; says which ones it cannot.
inline std::vector<const KernelTable*> tables() {
  std::vector<const KernelTable*> found;
  for (Isa isa : mote::all_isas()) {
    const auto table = mote::kernels::kernels_for(isa);
    if (table) found.push_back(*table);
    else std::printf("not run here: %s\n", table.error().message.c_str());
  }
#ifdef MOTE_HAVE_X86
  if (mote::isa_available(Isa::avx512)) found.push_back(&kAvxVnniEvexKernels);
#endif
  return found;
}

/// Where the f16 scales of a block stand.
inline std::vector<int> f16_offsets(TensorType type) {
  switch (type) {
    case TensorType::F32:
    case TensorType::F16:
    case TensorType::BF16:
    case TensorType::MXFP4: return {};
    case TensorType::Q4_1:
    case TensorType::Q5_1:
    case TensorType::Q4_K:
    case TensorType::Q5_K: return {0, 2};
    case TensorType::Q2_K: return {80, 82};
    case TensorType::Q3_K: return {108};
    case TensorType::Q6_K: return {208};
    default: return {0};
  }
}

/// First and last + 1 of the bytes of a block that hold codes, for the types whose weights have a minimum; else empty.
struct ByteRange {
  int first, last;
};
inline ByteRange code_bytes(TensorType type) {
  switch (type) {
    case TensorType::Q4_1: return {4, 20};
    case TensorType::Q5_1: return {4, 24};
    case TensorType::Q2_K: return {16, 80};
    case TensorType::Q4_K: return {16, 144};
    case TensorType::Q5_K: return {16, 176};
    default: return {0, 0};
  }
}

inline bool is_float(TensorType type) { return mote::type_info(type).block_weights == 1; }
/// Whether products of many tokens promise equal bits: not those that this build leaves to another library. Says so.
inline bool promises_bits(TensorType type) {
  if (!is_float(type) || mote::dense_library().empty()) return true;
  std::printf("not checked, as %s multiplies it: %s\n", mote::dense_library().data(), mote::type_info(type).name.data());
  return false;
}

enum class Weights {
  finite,  ///< random codes and scales, whole blocks of extreme codes, scales zero, subnormal and of both signs
  hostile, ///< any bytes at all: infinite and NaN scales and weights too
};

inline void put_f16(std::byte* at, std::uint32_t bits) {
  at[0] = static_cast<std::byte>(bits);
  at[1] = static_cast<std::byte>(bits >> 8);
}

/// A float weight, finite: mostly around 1, some tiny, subnormal or zero.
inline void put_float_weight(TensorType type, std::byte* at, Random& random) {
  float w = random.unit();
  const int kind = random.below(64);
  if (kind == 0) w = 0;
  if (kind == 1) w *= 0x1p-20f;
  if (kind == 2) w *= 100;
  if (kind == 3 && type != TensorType::F16) w *= 0x1p-120f;
  if (type == TensorType::F32) std::memcpy(at, &w, 4);
  else put_f16(at, type == TensorType::F16 ? mote::quant::f16_from_f32(w) : mote::quant::bf16_from_f32(w));
}

inline std::vector<std::byte> make_rows(TensorType type, int n_rows, int n_cols, Weights kind, Random& random) {
  const auto& info = mote::type_info(type);
  const auto block_bytes = to_size(info.block_bytes);
  std::vector<std::byte> rows(to_size(n_rows) * mote::row_bytes(type, to_size(n_cols)));
  for (auto& byte : rows) byte = static_cast<std::byte>(random.u32());
  constexpr int kExtremes[4] = {0x00, 0xff, 0x80, 0x7f}; // whole blocks of them reach the limits of every accumulator
  for (std::size_t at = 0; at < rows.size(); at += block_bytes) {
    std::byte* block = &rows[at];
    if (random.below(4) == 0) std::memset(block, kExtremes[random.below(4)], block_bytes);
    if (kind == Weights::hostile) continue;
    if (is_float(type)) put_float_weight(type, block, random);
    for (int offset : f16_offsets(type)) { // mostly 2^-10 .. 2^-6
      std::uint32_t bits = static_cast<std::uint32_t>(random.below(0x1000)) + 0x1400u;
      if (random.below(32) == 0) bits = 0;
      if (random.below(32) == 0) bits = static_cast<std::uint32_t>(random.below(0x400));
      put_f16(block + offset, bits | (random.u32() & 0x8000u));
    }
    if (type == TensorType::MXFP4)
      block[0] = static_cast<std::byte>(random.below(16) == 0 ? random.below(4) : 118 + random.below(8));
  }
  return rows;
}

struct Matrix {
  TensorType type;
  int n_rows, n_cols;
  std::vector<std::byte> rows; ///< as in a file
  Exact<std::byte> panels;

  Matrix(TensorType type, int n_rows, int n_cols, std::vector<std::byte> file_rows)
      : type(type),
        n_rows(n_rows),
        n_cols(n_cols),
        rows(std::move(file_rows)),
        panels(mote::kernels::panel_bytes(type, n_cols) * to_size(n_panels())) {
    for (int p = 0; p < n_panels(); ++p) {
      const int first = 16 * p, count = n_rows - first < 16 ? n_rows - first : 16;
      mote::kernels::pack_panel(type, row(first), count, n_cols, panels.data() + to_size(p) * panel_bytes());
    }
  }
  Matrix(TensorType type, int n_rows, int n_cols, Weights kind, Random& random)
      : Matrix(type, n_rows, n_cols, make_rows(type, n_rows, n_cols, kind, random)) {}

  int n_panels() const { return mote::kernels::panel_count(n_rows); }
  std::size_t panel_bytes() const { return mote::kernels::panel_bytes(type, n_cols); }
  std::size_t row_bytes() const { return mote::row_bytes(type, to_size(n_cols)); }
  const std::byte* row(int i) const { return rows.data() + to_size(i) * row_bytes(); }
  std::vector<float> dequantized_row(int i) const {
    std::vector<float> weights(to_size(n_cols));
    mote::quant::dequantize(type, row(i), weights);
    return weights;
  }
};

/// Activations in both forms, each of exact size.
struct Inputs {
  int n_tokens, n_cols;
  Exact<float> x;      ///< [n_tokens, n_cols]
  Exact<ActBlock> act; ///< [n_tokens, act_blocks]; empty unless n_cols is a multiple of 32

  Inputs(int n_tokens, int n_cols)
      : n_tokens(n_tokens),
        n_cols(n_cols),
        x(to_size(n_tokens) * to_size(n_cols)),
        act(n_cols % 32 == 0 ? to_size(n_tokens) * stride() : 0) {}
  std::size_t stride() const { return to_size(mote::kernels::act_blocks(n_cols)); }
  float* token(int t) const { return x.data() + to_size(t) * to_size(n_cols); }
  void quantize(const KernelTable& table) const {
    if (n_cols % 32 != 0) return;
    for (int t = 0; t < n_tokens; ++t) table.quantize_row(token(t), 0, n_cols, act.data() + to_size(t) * stride());
  }
  /// Mostly -1 .. 1 with some large and tiny ones; whole 32-blocks of zeros and of the largest codes of either sign.
  void fill(Random& random) const {
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = random.unit();
      if (random.below(64) == 0) x[i] *= 40;
      if (random.below(512) == 0) x[i] *= 0x1p-110f;
    }
    for (std::size_t at = 0; at + 32 <= x.size(); at += 32) {
      const int kind = random.below(12);
      for (std::size_t i = 0; i < 32 && kind < 4; ++i)
        x[at + i] = kind == 0 ? 0.0f : kind == 1 || (kind == 3 && i % 2 != 0) ? 1.5f : -1.5f;
    }
  }
};

/// Tokens first .. first + n - 1 times the panels first_panel .. last_panel - 1; out is [n, out_stride].
inline void multiply(const KernelTable& table, const Matrix& m, const Inputs& in, int first, int n, int first_panel,
                     int last_panel, float* out, std::size_t out_stride) {
  MulMatArgs args{};
  args.panels = reinterpret_cast<const std::uint8_t*>(m.panels.data());
  args.n_rows = m.n_rows;
  args.n_cols = m.n_cols;
  args.first_panel = first_panel;
  args.last_panel = last_panel;
  args.n_tokens = n;
  if (is_float(m.type)) {
    args.x = in.token(first);
    args.x_stride = to_size(in.n_cols);
  } else {
    args.act = in.act.data() + to_size(first) * in.stride();
    args.act_stride = in.stride();
  }
  args.out = out;
  args.out_stride = out_stride;
  table.mul_mat[mote::quant::type_index(m.type)](args);
}

inline std::vector<float> multiply_all(const KernelTable& table, const Matrix& m, const Inputs& in) {
  std::vector<float> out(to_size(in.n_tokens) * to_size(m.n_rows));
  multiply(table, m, in, 0, in.n_tokens, 0, m.n_panels(), out.data(), to_size(m.n_rows));
  return out;
}

/// Columns that a type is tested with: one block, several, odd numbers of them, more than one activation block.
inline std::vector<int> test_columns(TensorType type) {
  switch (mote::type_info(type).block_weights) {
    case 1: return {1, 3, 31, 33, 100, 257, 600};
    case 32: return {32, 96, 160, 288, 576};
    default: return {256, 768, 1280};
  }
}

inline std::string name_of(const KernelTable& table, const Matrix& m) {
  return std::string(table.name) + " " + std::string(mote::type_info(m.type).name) + " " + std::to_string(m.n_rows) + " x " +
         std::to_string(m.n_cols);
}

} // namespace kernel_tests
