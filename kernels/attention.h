// Causal softmax attention of the query heads that share one kv head. Included by ISA units only.
//
// A row is one query: a head of a token. Rows are taken in tiles that share every load of k and v. All arithmetic of a row is
// its own, in an order that depends on nothing but its position:
// - score of a position: fma over the dimensions, ascending, lanes are positions; then times the scale;
// - in each chunk of 256 positions: the largest score, p = e^(score - largest), the sum of p in 16 lanes, and for each
//   dimension the sum of p * v: fma over the positions, ascending, lanes are dimensions;
// - chunks ascending: sums so far and sums of the chunk are brought to the larger of the two maxima and added.
// Positions behind a row's own contribute nothing at all, whatever the cache holds there: their scores are replaced before
// they meet others, and their values are not touched (0 * NaN would be NaN).
#pragma once
#include "kernels/math.h"
#include "kernels/table.h"

namespace mote::kernels {
namespace {

constexpr int kChunk = 256;

/// Scratch of one tile, and what is the same for all its rows. Element: of the cache, uint16_t for f16 or float.
template <class Element> struct AttentionTile {
  const AttentionArgs* args;
  const Element* k;
  const Element* v;
  int n_vectors;  // of 16 dimensions
  float* scores;  // [n_rows, kChunk], then the probabilities
  float* sums;    // [n_rows, n_vectors, 16] of p * v so far
  float* partial; // the same for one chunk
  float* q;       // [head_dim, n_rows]
};

template <class P> MOTE_INLINE inline typename P::F32 load_cached(const uint16_t* p) { return P::load_f16(p); }
template <class P> MOTE_INLINE inline typename P::F32 load_cached(const float* p) { return P::load(p); }

/// Positions of the chunk that starts at chunk_first which a row with n_positions attends to.
inline int positions_in_chunk(int n_positions, int chunk_first) {
  const int n = n_positions - chunk_first;
  return n < 0 ? 0 : n < kChunk ? n : kChunk;
}

/// Scores of kRows queries for kPanels panels of 16 positions.
template <class P, int kRows, int kPanels, class Element>
MOTE_INLINE inline void score_panels(const AttentionTile<Element>& tile, const Element* k, float* scores) {
  const int head_dim = tile.args->head_dim;
  typename P::F32 acc[kPanels][kRows];
  for (int j = 0; j < kPanels; ++j)
    for (int r = 0; r < kRows; ++r) acc[j][r] = P::zero();
  const float* q = tile.q;
  for (int d = 0; d < head_dim; ++d, q += kRows, k += 16) {
    _Pragma("GCC unroll 8") for (int j = 0; j < kPanels; ++j) {
      const auto column = load_cached<P>(k + static_cast<ptrdiff_t>(j) * 16 * head_dim);
      _Pragma("GCC unroll 8") for (int r = 0; r < kRows; ++r) acc[j][r] = P::fma(P::splat(q[r]), column, acc[j][r]);
    }
  }
  const auto scale = P::splat(tile.args->scale);
  for (int j = 0; j < kPanels; ++j)
    for (int r = 0; r < kRows; ++r) P::store(scores + r * kChunk + 16 * j, P::mul(acc[j][r], scale));
}

/// Scores of the panels that hold positions chunk_first .. chunk_first + n - 1.
template <class P, int kRows, class Element> void score_chunk(const AttentionTile<Element>& tile, int chunk_first, int n) {
  constexpr int kPanels = P::kAttentionSums / kRows > 1 ? P::kAttentionSums / kRows : 1;
  const ptrdiff_t panel_size = static_cast<ptrdiff_t>(tile.args->head_dim) * 16;
  const Element* k = tile.k + chunk_first / 16 * panel_size;
  int i = 0;
  for (; i + 16 * kPanels <= n; i += 16 * kPanels, k += kPanels * panel_size)
    score_panels<P, kRows, kPanels>(tile, k, tile.scores + i);
  for (; i < n; i += 16, k += panel_size) score_panels<P, kRows, 1>(tile, k, tile.scores + i);
}

struct SoftmaxState {
  float max;
  float sum;
};

/// n scores of one row -> probabilities relative to their maximum.
template <class P> SoftmaxState softmax_chunk(float* scores, int n) {
  const auto lowest = P::splat(-__builtin_inff());
  auto largest = lowest;
  int i = 0;
  for (; i + 16 <= n; i += 16) largest = P::max(largest, P::load(scores + i));
  if (i < n) largest = P::max(largest, P::first_of(P::load(scores + i), lowest, n - i));
  const float max = max_lanes<P>(largest);
  const auto shift = P::splat(max);
  auto sum = P::zero();
  each_16<P>(n, [&](int first, auto lanes) MOTE_INLINE {
    const auto p = lanes.others_zero(exp<P>(P::sub(lanes.load(scores + first), shift)));
    lanes.store(scores + first, p);
    sum = P::add(sum, p);
  });
  return {max, sum_lanes<P>(sum)};
}

/// partial += p * v over positions first .. last - 1 of the chunk, for kRows rows and kVectors * 16 dimensions.
template <class P, int kRows, int kVectors, class Element>
MOTE_INLINE inline void add_values(const AttentionTile<Element>& tile, const Element* v, const float* p, int n, float* partial) {
  const ptrdiff_t row_size = static_cast<ptrdiff_t>(tile.n_vectors) * 16;
  const ptrdiff_t v_stride = tile.args->v_stride;
  typename P::F32 acc[kVectors][kRows];
  for (int j = 0; j < kVectors; ++j)
    for (int r = 0; r < kRows; ++r) acc[j][r] = P::load(partial + r * row_size + 16 * j);
  for (int i = 0; i < n; ++i, ++p, v += v_stride) {
    _Pragma("GCC unroll 8") for (int j = 0; j < kVectors; ++j) {
      const auto values = load_cached<P>(v + 16 * j);
      _Pragma("GCC unroll 8") for (int r = 0; r < kRows; ++r) acc[j][r] = P::fma(P::splat(p[r * kChunk]), values, acc[j][r]);
    }
  }
  for (int j = 0; j < kVectors; ++j)
    for (int r = 0; r < kRows; ++r) P::store(partial + r * row_size + 16 * j, acc[j][r]);
}

/// The same for all dimensions of rows row .. row + kRows - 1, a few positions at a time so that v is read front to back.
template <class P, int kRows, class Element>
void add_value_range(const AttentionTile<Element>& tile, int row, int chunk_first, int first, int last) {
  constexpr int kVectors = P::kAttentionSums / kRows > 1 ? P::kAttentionSums / kRows : 1;
  constexpr int kPositions = 32;
  const ptrdiff_t v_stride = tile.args->v_stride;
  float* partial = tile.partial + static_cast<ptrdiff_t>(row) * tile.n_vectors * 16;
  for (; first < last; first += kPositions) {
    const int n = last - first < kPositions ? last - first : kPositions;
    const Element* v = tile.v + (chunk_first + first) * v_stride;
    const float* p = tile.scores + row * kChunk + first;
    int j = 0;
    for (; j + kVectors <= tile.n_vectors; j += kVectors)
      add_values<P, kRows, kVectors>(tile, v + 16 * j, p, n, partial + 16 * j);
    for (; j < tile.n_vectors; ++j) add_values<P, kRows, 1>(tile, v + 16 * j, p, n, partial + 16 * j);
  }
}

/// sums and state of a row += those of a chunk.
template <class P, class Element>
void merge_chunk(const AttentionTile<Element>& tile, int row, const SoftmaxState& chunk, SoftmaxState& state) {
  const auto old_max = P::splat(state.max), chunk_max = P::splat(chunk.max), max = P::max(old_max, chunk_max);
  const auto old_factor = exp<P>(P::sub(old_max, max)), chunk_factor = exp<P>(P::sub(chunk_max, max));
  auto merged = [&](typename P::F32 old, typename P::F32 added) MOTE_INLINE {
    return P::fma(old, old_factor, P::mul(added, chunk_factor));
  };
  const ptrdiff_t offset = static_cast<ptrdiff_t>(row) * tile.n_vectors * 16;
  float *sums = tile.sums + offset, *partial = tile.partial + offset;
  for (int i = 0; i < 16 * tile.n_vectors; i += 16) P::store(sums + i, merged(P::load(sums + i), P::load(partial + i)));
  P::store_first(&state.sum, merged(P::splat(state.sum), P::splat(chunk.sum)), 1);
  P::store_first(&state.max, max, 1);
}

/// Rows first .. first + kRows - 1.
template <class P, int kRows, class Element> void attend_tile(const AttentionTile<Element>& tile, int first) {
  const AttentionArgs& a = *tile.args;
  int n_positions[kRows]; // ascending
  SoftmaxState state[kRows];
  for (int r = 0; r < kRows; ++r) {
    const int token = (first + r) / a.n_heads, head = (first + r) % a.n_heads;
    const float* q = a.q + static_cast<size_t>(token) * a.q_stride + static_cast<size_t>(head) * static_cast<size_t>(a.head_dim);
    for (int d = 0; d < a.head_dim; ++d) tile.q[d * kRows + r] = q[d];
    n_positions[r] = a.first_pos + token + 1;
    state[r] = {-__builtin_inff(), 0};
  }
  const int n_sums = kRows * tile.n_vectors * 16;
  for (int i = 0; i < n_sums; i += 16) P::store(tile.sums + i, P::zero());
  for (int chunk = 0; chunk < n_positions[kRows - 1]; chunk += kChunk) {
    score_chunk<P, kRows>(tile, chunk, positions_in_chunk(n_positions[kRows - 1], chunk));
    SoftmaxState chunk_state[kRows];
    for (int r = 0; r < kRows; ++r)
      if (const int n = positions_in_chunk(n_positions[r], chunk); n > 0)
        chunk_state[r] = softmax_chunk<P>(tile.scores + r * kChunk, n);
    for (int i = 0; i < n_sums; i += 16) P::store(tile.partial + i, P::zero());
    const int shared = positions_in_chunk(n_positions[0], chunk);
    add_value_range<P, kRows>(tile, 0, chunk, 0, shared);
    for (int r = 0; r < kRows; ++r)
      if (const int n = positions_in_chunk(n_positions[r], chunk); n > 0) {
        add_value_range<P, 1>(tile, r, chunk, shared, n);
        merge_chunk<P>(tile, r, chunk_state[r], state[r]);
      }
  }
  for (int r = 0; r < kRows; ++r) {
    const int token = (first + r) / a.n_heads, head = (first + r) % a.n_heads;
    float* out = a.out + static_cast<size_t>(token) * a.out_stride + static_cast<size_t>(head) * static_cast<size_t>(a.head_dim);
    const float* sums = tile.sums + static_cast<ptrdiff_t>(r) * tile.n_vectors * 16;
    const auto sum = P::splat(state[r].sum);
    each_16<P>(a.head_dim, [&](int i, auto lanes) MOTE_INLINE { lanes.store(out + i, P::div(P::load(sums + i), sum)); });
  }
}

/// n_rows <= kMost rows in one tile of just that size.
template <class P, int kMost, class Element> void attend_rows(const AttentionTile<Element>& tile, int first, int n_rows) {
  if (n_rows == kMost) return attend_tile<P, kMost>(tile, first);
  if constexpr (kMost > 1) attend_rows<P, kMost - 1>(tile, first, n_rows);
}

template <class P, class Element> void attention(const AttentionArgs& args) {
  constexpr int kRows = P::kAttentionRows;
  static_assert(kRows <= 8, "attention_scratch()");
  AttentionTile<Element> tile;
  tile.args = &args;
  tile.k = static_cast<const Element*>(args.k);
  tile.v = static_cast<const Element*>(args.v);
  tile.n_vectors = (args.head_dim + 15) / 16;
  const ptrdiff_t row_size = static_cast<ptrdiff_t>(tile.n_vectors) * 16;
  tile.scores = args.scratch;
  tile.sums = tile.scores + kRows * kChunk;
  tile.partial = tile.sums + kRows * row_size;
  tile.q = tile.partial + kRows * row_size;
  const int n_rows = args.n_tokens * args.n_heads;
  for (int first = 0; first < n_rows;) { // tiles of nearly equal size: 7 rows are 4 + 3 rather than 4 + 2 + 1
    const int left = n_rows - first, n_tiles = (left + kRows - 1) / kRows, n = (left + n_tiles - 1) / n_tiles;
    attend_rows<P, kRows>(tile, first, n);
    first += n;
  }
}

} // namespace
} // namespace mote::kernels
