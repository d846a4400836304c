// Causal softmax attention of the query heads that share one kv head. Included by ISA units only.
//
// A row is one query: a head of a token. Rows are taken in tiles that share every load of k and v. All arithmetic of a row is
// its own, in an order that depends on nothing but its position:
// - score of a position: fma over the dimensions, ascending, lanes are positions; then times the scale; capped, sloped;
// - in each chunk of 256 positions: the largest score, p = e^(score - largest), the sum of p in 16 lanes, and for each
//   dimension the sum of p * v: fma over the positions, ascending, lanes are dimensions;
// - chunks from the second on, ascending: sums so far and sums of the chunk are brought to the larger of the two maxima and
// added. Positions behind a row's own or before its window contribute nothing at all, whatever the cache holds there: their
// scores are replaced before they meet others, and their values are not touched (0 * NaN would be NaN). Chunks before the window
// are not looked at; the first one that is, is where the sums begin.
#pragma once
#include "kernels/math.h"
#include "kernels/prefetch.h"
#include "kernels/table.h"

namespace mote::kernels {
namespace {

#define MOTE_UNROLL _Pragma("GCC unroll 8")

constexpr int kChunk = kAttentionChunk;

/// Scratch of one tile, and what is the same for all its rows. Element: of the cache, uint16_t for f16 or float.
template <class Element> struct AttentionTile {
  const AttentionArgs* args;
  const Element* k;
  const Element* v;
  ptrdiff_t row_size; // head_dim rounded up to 16
  float* scores;      // [n_rows, kChunk], then the probabilities
  float* sums;        // [n_rows, row_size] of p * v so far
  float* partial;     // [n_rows, partial_stride]: the same for one chunk
  ptrdiff_t partial_stride;
};

template <class P> MOTE_INLINE inline typename P::F32 load_cached(const uint16_t* p) { return P::load_f16(p); }
template <class P> MOTE_INLINE inline typename P::F32 load_cached(const float* p) { return P::load(p); }

/// What is asked for ahead (kAsks): v of a chunk as its k is read, k of the next chunk during the softmax and as v is read. The
/// processor by itself sees no further than a page, and the arithmetic of several queries is long enough to wait at the beginning
/// of each.
template <class Element, bool kAsks> struct ComingCache {
  ComingLines lines;
  ComingCache(const Element* first, ptrdiff_t n) : lines(first, n * static_cast<ptrdiff_t>(sizeof(Element))) {}
  /// Asks for kVectors * 16 elements, a multiple of two lines.
  template <int kVectors> MOTE_INLINE void ask() {
    if constexpr (kAsks) lines.ask<kVectors * 16 * static_cast<int>(sizeof(Element)) / 64>();
  }
};

/// Where the rows fill the registers: nothing is loaded before it is needed.
template <class P, int kRows> MOTE_INLINE inline void forget_loads() {
  if constexpr (kRows == P::kAttentionRows) asm volatile("" ::: "memory");
}

/// Where position lies in the chunk that starts at chunk_first: 0 before it, kChunk behind it.
inline int place_in_chunk(int position, int chunk_first) {
  const int place = position - chunk_first;
  return place < 0 ? 0 : place < kChunk ? place : kChunk;
}

/// The first position that a query at position `own` attends to.
inline int first_attended(const AttentionArgs& args, int own) {
  return args.window == 0 || own < args.window ? 0 : own - args.window + 1;
}

/// Scores of the panels that hold positions first .. n - 1 of the chunk that starts at chunk_first. q: the queries of the rows.
template <class P, int kRows, class Element, bool kAsks>
void score_chunk(const AttentionTile<Element>& tile, const float* const (&q)[kRows], int chunk_first, int first, int n,
                 ComingCache<Element, kAsks> coming) {
  const int head_dim = tile.args->head_dim;
  first = first / 16 * 16;
  const Element* k = tile.k + static_cast<ptrdiff_t>(chunk_first + first) * head_dim;
  const auto scale = P::splat(tile.args->scale);
  for (int i = first; i < n; i += 16) {
    typename P::F32 acc[kRows];
    for (int r = 0; r < kRows; ++r) acc[r] = P::zero();
    auto add_column = [&](int d) MOTE_INLINE {
      const auto column = load_cached<P>(k);
      MOTE_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = P::fma(P::splat(q[r][d]), column, acc[r]);
      k += 16;
    };
    int d = 0;
    if constexpr (kAsks)
      for (; d + 4 <= head_dim; d += 4) {
        coming.template ask<4>();
        MOTE_UNROLL for (int j = 0; j < 4; ++j) {
          add_column(d + j);
          forget_loads<P, kRows>();
        }
      }
    for (; d < head_dim; ++d) add_column(d);
    for (int r = 0; r < kRows; ++r) P::store(tile.scores + r * kChunk + i, P::mul(acc[r], scale));
  }
}

/// What becomes of the scores first .. n - 1 of one row. distance: from the chunk's first position to the row's own, negative.
template <class P> void adjust_scores(const AttentionArgs& args, int head, int distance, int first, int n, float* scores) {
  static constexpr float kLanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (int i = first / 16 * 16; i < n; i += 16) {
    auto s = P::load(scores + i);
    if (args.softcap != 0) s = soft_capped<P>(s, P::splat(args.softcap));
    if (args.slopes) {
      const auto positions = P::add(P::splat(static_cast<float>(distance + i)), P::load(kLanes));
      s = P::fma(P::splat(args.slopes[head]), positions, s);
    }
    P::store(scores + i, s);
  }
}

/// Of one row, each in all lanes.
template <class P> struct SoftmaxState { typename P::F32 max, sum; };

/// Scores first .. n - 1 of one row -> probabilities relative to their maximum.
template <class P, class Element, bool kAsks>
SoftmaxState<P> softmax_chunk(float* scores, int first, int n, ComingCache<Element, kAsks>& coming) {
  const auto lowest = P::splat(-__builtin_inff());
  auto largest = lowest;
  int i = first / 16 * 16;
  for (int before = i; before < first; ++before) scores[before] = -__builtin_inff(); // their probability is 0
  scores += i;
  n -= i;
  i = 0;
  for (; i + 16 <= n; i += 16) largest = P::max(largest, P::load(scores + i));
  if (i < n) largest = P::max(largest, P::first_of(P::load(scores + i), lowest, n - i));
  const auto max = P::splat(max_lanes<P>(largest));
  auto sum = P::zero();
  each_16<P>(n, [&](int first, auto lanes) MOTE_INLINE {
    coming.template ask<4>(); // about as much as the cache delivers meanwhile
    const auto p = lanes.others_zero(exp<P>(P::sub(lanes.load(scores + first), max)));
    lanes.store(scores + first, p);
    sum = P::add(sum, p);
  });
  return {max, P::splat(sum_lanes<P>(sum))};
}

/// partial += p * v over n positions, for kRows rows and kVectors * 16 dimensions.
template <class P, int kRows, int kVectors, class Element, bool kAsks>
MOTE_INLINE inline void add_values(const AttentionTile<Element>& tile, const Element* v, const float* p, int n, float* partial,
                                   ComingCache<Element, kAsks>& coming) {
  const ptrdiff_t row_size = tile.partial_stride, v_stride = tile.args->v_stride;
  typename P::F32 acc[kVectors][kRows];
  for (int j = 0; j < kVectors; ++j)
    for (int r = 0; r < kRows; ++r) acc[j][r] = P::load(partial + r * row_size + 16 * j);
  auto add_position = [&] MOTE_INLINE {
    MOTE_UNROLL for (int j = 0; j < kVectors; ++j) {
      const auto values = load_cached<P>(v + 16 * j);
      MOTE_UNROLL for (int r = 0; r < kRows; ++r) acc[j][r] = P::fma(P::splat(p[r * kChunk]), values, acc[j][r]);
    }
    ++p;
    v += v_stride;
  };
  int i = 0;
  if constexpr (kAsks)
    for (; i + 4 <= n; i += 4) {
      coming.template ask<4 * kVectors>();
      MOTE_UNROLL for (int j = 0; j < 4; ++j) {
        add_position();
        forget_loads<P, kRows>();
      }
    }
  for (; i < n; ++i) add_position();
  for (int j = 0; j < kVectors; ++j)
    for (int r = 0; r < kRows; ++r) P::store(partial + r * row_size + 16 * j, acc[j][r]);
}

/// The last n_vectors <= kMost vectors of dimensions.
template <class P, int kRows, int kMost, class Element, bool kAsks>
MOTE_INLINE inline void add_last_values(const AttentionTile<Element>& tile, int n_vectors, const Element* v, const float* p,
                                        int n, float* partial, ComingCache<Element, kAsks>& coming) {
  if (n_vectors == kMost) add_values<P, kRows, kMost>(tile, v, p, n, partial, coming);
  else if constexpr (kMost > 1) add_last_values<P, kRows, kMost - 1>(tile, n_vectors, v, p, n, partial, coming);
}

/// The same for all dimensions of rows row .. row + kRows - 1 and positions first .. last - 1 of the chunk. A pass takes as many
/// dimensions as the registers hold; the positions come in small groups so that the passes together read v front to back.
template <class P, int kRows, class Element, bool kAsks>
void add_value_range(const AttentionTile<Element>& tile, int row, int chunk_first, int first, int last,
                     ComingCache<Element, kAsks>& coming) {
  constexpr int kFit = P::kAttentionSums / kRows, kVectors = kFit > 4 ? 4 : kFit > 1 ? kFit : 1, kPositions = 64;
  const ptrdiff_t v_stride = tile.args->v_stride;
  const int n_vectors = static_cast<int>(tile.row_size / 16);
  float* partial = tile.partial + row * tile.partial_stride;
  for (; first < last; first += kPositions) {
    const int n = last - first < kPositions ? last - first : kPositions;
    const Element* v = tile.v + (chunk_first + first) * v_stride;
    const float* p = tile.scores + row * kChunk + first;
    int j = 0;
    for (; j + kVectors <= n_vectors; j += kVectors)
      add_values<P, kRows, kVectors>(tile, v + 16 * j, p, n, partial + 16 * j, coming);
    if constexpr (kVectors > 1)
      if (j < n_vectors) add_last_values<P, kRows, kVectors - 1>(tile, n_vectors - j, v + 16 * j, p, n, partial + 16 * j, coming);
  }
}

/// sums and state of a row += those of a chunk. sums, partial: [row_size].
template <class P>
void merge_chunk(const SoftmaxState<P>& chunk, const float* partial, ptrdiff_t row_size, SoftmaxState<P>& state, float* sums) {
  const auto max = P::max(state.max, chunk.max);
  const auto old_factor = exp<P>(P::sub(state.max, max)), chunk_factor = exp<P>(P::sub(chunk.max, max));
  auto merged = [&](typename P::F32 old, typename P::F32 added)
                    MOTE_INLINE { return P::fma(old, old_factor, P::mul(added, chunk_factor)); };
  state = {max, merged(state.sum, chunk.sum)};
  for (ptrdiff_t i = 0; i < row_size; i += 16) P::store(sums + i, merged(P::load(sums + i), P::load(partial + i)));
}

template <class P> void set_zero(float* x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i += 16) P::store(x + i, P::zero());
}

/// out = sums / state.sum.
template <class P> void finish_row(const SoftmaxState<P>& state, const float* sums, int head_dim, float* out) {
  each_16<P>(head_dim, [&](int i, auto lanes) MOTE_INLINE { lanes.store(out + i, P::div(P::load(sums + i), state.sum)); });
}

/// kRows queries, their positions in ascending order.
template <class P, int kRows, bool kAsks, class Element> struct TileRows {
  const AttentionArgs& args;
  int first; ///< of the call's n_tokens * n_heads rows
  int token_of(int r) const { return (first + r) / args.n_heads; }
  int n_positions(int r) const { return args.first_pos + token_of(r) + 1; }
  int first_position(int r) const { return first_attended(args, n_positions(r) - 1); }
  size_t place_of(int r, size_t stride) const { // in q and out
    return static_cast<size_t>(token_of(r)) * stride + static_cast<size_t>((first + r) % args.n_heads * args.head_dim);
  }

  /// One chunk of positions into tile.partial and state.
  void attend(const AttentionTile<Element>& tile, int chunk, SoftmaxState<P> (&state)[kRows]) const {
    const float* q[kRows];
    int begin[kRows], end[kRows]; // what each row attends to; both ascend with the rows
    for (int r = 0; r < kRows; ++r) {
      q[r] = args.q + place_of(r, args.q_stride);
      begin[r] = place_in_chunk(first_position(r), chunk);
      end[r] = place_in_chunk(n_positions(r), chunk);
    }
    using Coming = ComingCache<Element, kAsks>;
    const ptrdiff_t v_stride = args.v_stride, head_dim = args.head_dim;
    const int n_next = place_in_chunk(n_positions(kRows - 1), chunk + kChunk);
    score_chunk<P, kRows>(tile, q, chunk, begin[0], end[kRows - 1],
                          Coming(tile.v + (chunk + begin[0]) * v_stride, (end[kRows - 1] - begin[0]) * v_stride));
    Coming coming(tile.k + (chunk + kChunk) * head_dim, n_next * head_dim);
    for (int r = 0; r < kRows; ++r) {
      if (begin[r] >= end[r]) continue;
      float* scores = tile.scores + r * kChunk;
      if (args.softcap != 0 || args.slopes)
        adjust_scores<P>(args, (first + r) % args.n_heads, chunk + 1 - n_positions(r), begin[r], end[r], scores);
      state[r] = softmax_chunk<P>(scores, begin[r], end[r], coming);
    }
    for (int r = 0; r < kRows; ++r) set_zero<P>(tile.partial + r * tile.partial_stride, tile.row_size);
    const int shared_begin = begin[kRows - 1], shared_end = end[0] > shared_begin ? end[0] : shared_begin;
    for (int r = 0; r < kRows && begin[r] < shared_begin; ++r)
      add_value_range<P, 1>(tile, r, chunk, begin[r], end[r] < shared_begin ? end[r] : shared_begin, coming);
    add_value_range<P, kRows>(tile, 0, chunk, shared_begin, shared_end, coming);
    for (int r = 0; r < kRows; ++r)
      if (end[r] > shared_end) add_value_range<P, 1>(tile, r, chunk, shared_end, end[r], coming);
  }
};

/// All positions of rows first .. first + kRows - 1.
template <class P, int kRows, class Element> void attend_tile(const AttentionTile<Element>& tile, int first) {
  const AttentionArgs& a = *tile.args;
  const TileRows<P, kRows, false, Element> rows{a, first};
  SoftmaxState<P> state[kRows], chunk_state[kRows];
  AttentionTile<Element> start = tile; // the first chunk is where the sums begin
  start.partial = tile.sums;
  const int first_chunk = rows.first_position(0) / kChunk * kChunk;
  rows.attend(start, first_chunk, state);
  for (int chunk = first_chunk + kChunk; chunk < rows.n_positions(kRows - 1); chunk += kChunk) {
    rows.attend(tile, chunk, chunk_state);
    for (int r = 0; r < kRows; ++r) {
      if (rows.n_positions(r) <= chunk || rows.first_position(r) >= chunk + kChunk) continue;
      const float* partial = tile.partial + r * tile.partial_stride;
      float* sums = tile.sums + r * tile.row_size;
      if (rows.first_position(r) < chunk) {
        merge_chunk<P>(chunk_state[r], partial, tile.row_size, state[r], sums);
      } else { // this row's window begins here
        state[r] = chunk_state[r];
        for (ptrdiff_t i = 0; i < tile.row_size; i += 16) P::store(sums + i, P::load(partial + i));
      }
    }
  }
  for (int r = 0; r < kRows; ++r)
    finish_row<P>(state[r], tile.sums + r * tile.row_size, a.head_dim, a.out + rows.place_of(r, a.out_stride));
}

/// The chunk args.chunk of rows first .. first + kRows - 1, heads of one token.
template <class P, int kRows, bool kAsks, class Element> void attend_tile_chunk(AttentionTile<Element> tile, int first) {
  const AttentionArgs& a = *tile.args;
  const TileRows<P, kRows, kAsks, Element> rows{a, first};
  SoftmaxState<P> state[kRows];
  tile.partial = a.partials + (a.chunk * a.n_heads + first) * tile.partial_stride;
  rows.attend(tile, a.chunk * kChunk, state);
  for (int r = 0; r < kRows; ++r) {
    float* end = tile.partial + r * tile.partial_stride + tile.row_size;
    P::store(end, state[r].max);
    P::store(end + 16, state[r].sum);
  }
}

/// n_rows <= kMost rows in one tile of just that size; of all positions or of one chunk.
template <class P, int kMost, bool kOneChunk, class Element>
void attend_rows(const AttentionTile<Element>& tile, int first, int n_rows) {
  if (n_rows == kMost) {
    if constexpr (!kOneChunk) return attend_tile<P, kMost>(tile, first);
    else if (first == 0) return attend_tile_chunk<P, kMost, P::kAsksForCache>(tile, first);
    else return attend_tile_chunk<P, kMost, false>(tile, first); // all is there by now
  }
  if constexpr (kMost > 1) attend_rows<P, kMost - 1, kOneChunk>(tile, first, n_rows);
}

template <class P, bool kOneChunk, class Element> void attend(const AttentionArgs& args) {
  constexpr int kRows = P::kAttentionRows;
  static_assert(kRows <= 8, "attention_scratch()");
  AttentionTile<Element> tile;
  tile.args = &args;
  tile.k = static_cast<const Element*>(args.k);
  tile.v = static_cast<const Element*>(args.v);
  tile.row_size = (static_cast<ptrdiff_t>(args.head_dim) + 15) / 16 * 16;
  tile.scores = args.scratch;
  tile.sums = tile.scores + kRows * kChunk;
  tile.partial = tile.sums + kRows * tile.row_size;
  tile.partial_stride = kOneChunk ? static_cast<ptrdiff_t>(attention_partial(args.head_dim)) : tile.row_size;
  const int n_rows = args.n_tokens * args.n_heads;
  for (int first = 0; first < n_rows;) { // tiles of nearly equal size: 9 rows are 5 + 4 rather than 7 + 2
    const int left = n_rows - first, n_tiles = (left + kRows - 1) / kRows, n = (left + n_tiles - 1) / n_tiles;
    attend_rows<P, kRows, kOneChunk>(tile, first, n);
    first += n;
  }
}

template <class P, class Element> void attention(const AttentionArgs& args) { attend<P, false, Element>(args); }
template <class P, class Element> void attend_chunk(const AttentionArgs& args) { attend<P, true, Element>(args); }

template <class P> void merge_chunks(const AttentionArgs& args) {
  const auto row_size = (static_cast<ptrdiff_t>(args.head_dim) + 15) / 16 * 16;
  const auto stride = static_cast<ptrdiff_t>(attention_partial(args.head_dim));
  const int first_chunk = first_attended(args, args.first_pos) / kChunk, last_chunk = args.first_pos / kChunk;
  for (int head = 0; head < args.n_heads; ++head) {
    SoftmaxState<P> state;
    for (int chunk = first_chunk; chunk <= last_chunk; ++chunk) {
      const float* partial = args.partials + (chunk * args.n_heads + head) * stride;
      const SoftmaxState<P> chunk_state{P::load(partial + row_size), P::load(partial + row_size + 16)};
      if (chunk > first_chunk) {
        merge_chunk<P>(chunk_state, partial, row_size, state, args.scratch);
        continue;
      }
      state = chunk_state;
      for (ptrdiff_t i = 0; i < row_size; i += 16) P::store(args.scratch + i, P::load(partial + i));
    }
    finish_row<P>(state, args.scratch, args.head_dim, args.out + head * args.head_dim);
  }
}

} // namespace
} // namespace mote::kernels
