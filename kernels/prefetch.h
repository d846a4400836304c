// Hints to the memory that stay where they are written. No standard library: the ISA units include it.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mote::kernels {
namespace {

/// Asks for the line of p, into the second-level cache; never faults. Spread such hints evenly: a processor has 20 or so buffers
/// for lines on their way and drops the hints that find none. Compilers move __builtin_prefetch to the beginning of a block, all
/// at once: on Zen 3 weights then arrive from memory a fifth slower.
inline void prefetch_here(const void* p) {
#if defined(__x86_64__)
  asm volatile("prefetcht1 %0" : : "m"(*static_cast<const char*>(p)));
#elif defined(__aarch64__)
  asm volatile("prfm pldl2keep, %a0" : : "p"(p));
#else
  constexpr int kIntoL2 = 2;
  __builtin_prefetch(p, 0, kIntoL2);
#endif
}

/// A line of weights, and one that is asked for as this one is read. The lines of a group of panels are asked for as those of the
/// group before it are read: the four quarters in turn. A processor follows each page by itself, and brings a fifth to a third more
/// from memory in several streams than in one (Zen 3).
struct LinesAhead {
  static constexpr int kStreams = 4;
  const uint8_t* p;
  const uint8_t* streams[kStreams]; // what is asked for with this line and with the three behind it
  __attribute__((always_inline)) LinesAhead operator+(ptrdiff_t bytes) const {
    const ptrdiff_t lines = bytes / 64;
    LinesAhead sum;
    sum.p = p + bytes;
    _Pragma("GCC unroll 4") for (int i = 0; i < kStreams; ++i)
      sum.streams[i] = streams[(lines + i) % kStreams] + (lines + i) / kStreams * 64;
    return sum;
  }
};

/// Memory that is needed soon, asked for a little at a time: lines of its first half and of its second half in turn.
struct ComingLines {
  const char* next;
  const char* middle;
  ptrdiff_t half; // bytes
  ComingLines(const void* first, ptrdiff_t bytes)
      : next(static_cast<const char*>(first)), middle(next + bytes / 2), half(bytes / 2) {}
  /// Asks for n lines, an even number, or what is left.
  template <int n> void ask() {
    _Pragma("GCC unroll 4") for (int i = 0; i < n; i += 2) {
      if (next >= middle) return;
      prefetch_here(next);
      prefetch_here(next + half);
      next += 64;
    }
  }
};

/// Lines that are read again.
inline const uint8_t* without_hint(const uint8_t* line) { return line; }
inline const uint8_t* without_hint(const LinesAhead& line) { return line.p; }

/// Lines that are read by other loads than planes: the hint is given here.
inline const uint8_t* line_with_hint(const uint8_t* line) { return line; }
inline const uint8_t* line_with_hint(const LinesAhead& line) {
  prefetch_here(line.streams[0]);
  return line.p;
}

/// The first line of a panel, by its number in a call.
inline LinesAhead lines_ahead(const uint8_t* panels, size_t panel_bytes, int panel) {
  constexpr size_t kLeastGroup = 64 << 10, kStreams = LinesAhead::kStreams;
  const size_t n = (kLeastGroup + panel_bytes - 1) / panel_bytes, bytes = n * panel_bytes, i = static_cast<size_t>(panel);
  const uint8_t* group = panels + i / n * bytes;
  LinesAhead first{group, {}};
  for (size_t stream = 0, line = 0; stream < kStreams; line += (bytes / 64 + kStreams - 1 - stream) / kStreams, ++stream)
    first.streams[stream] = group + bytes + 64 * line;
  return first + static_cast<ptrdiff_t>(i % n * panel_bytes);
}

/// The first line of a panel that lies in the cache. Kernels ask then for lines that have been read, which costs next to nothing.
inline LinesAhead lines_here(const uint8_t* panel) { return {panel, {panel, panel, panel, panel}}; }

} // namespace
} // namespace mote::kernels
