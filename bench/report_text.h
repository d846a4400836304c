/// Numbers as people read them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/report.h"

namespace bench {

inline constexpr double kNsPerMs = 1e6;

/// "71.8 ms  (71.0 .. 74.1)"
std::string milliseconds(const Spread& ns);
/// "86.4 tokens/s  (85.9 .. 86.7)"
std::string speed(const PhaseReport& phase);
/// "391.9 MB"; "none" for 0.
std::string bytes(std::size_t n);
/// "494.0 M"
std::string count(std::int64_t n);
/// "12 threads", "1 thread"
std::string counted(int n, std::string_view thing);
/// In units of 1e9 per second; a dash where nothing was counted.
std::string giga(double per_second);
/// "85%"; a dash for what is not known.
std::string percent(double share);
/// "33.8 GB/s, 90% of the 37.7 GB/s that 2 threads can read here"
std::string weight_reading(const RunReport& run);
/// "read 37.7 GB/s, int8 470 and fp32 118 GMAC/s"
std::string limits(const Roofline& roofline);

/// Labels and texts.
using Lines = std::vector<std::pair<std::string, std::string>>;
/// What is held and what was predicted.
Lines memory_lines(const RunReport& run);
/// Counters and energy, and what was measured beside the runs.
Lines instrument_lines(const RunReport& run);

/// The row of this name, or null.
const Row* find_row(const std::vector<Row>& rows, std::string_view name);

} // namespace bench
