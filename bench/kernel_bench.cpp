#include "bench/kernel_bench.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <new>
#include <optional>

#include "bench/bandwidth.h"
#include "bench/complain.h"
#include "bench/library.h"
#include "bench/peaks.h"
#include "bench/product.h"
#include "bench/team.h"

namespace bench {
namespace {

using mote::Result;
using mote::Status;

/// One benchmark.
struct Case {
  std::string name;
  ProductSize size;
  std::function<Result<Product>(const ProductSize&)> product;
  double peak = 0; ///< multiplications per second that the ISA could do; 0: unknown
  bool from_memory = false; ///< the weights do not lie in a cache
};

/// What the machine can do, measured once.
class Limits {
 public:
  static Result<Limits> measure(const KernelOptions& options) {
    Limits limits;
    limits.core_hz_ = measure_core_hz();
    const bool from_memory = std::ranges::count(options.places, Place::dram) > 0;
    for (const int n_threads : options.threads) {
      if (from_memory) {
        const auto read = measure_read_bandwidth(n_threads);
        if (!read) return read.error();
        limits.read_[n_threads] = *read;
      }
      for (const mote::Isa isa : options.isas) {
        const auto peaks = measure_peaks(isa, n_threads);
        if (!peaks) return peaks.error();
        limits.peaks_[{isa, n_threads}] = *peaks;
      }
    }
    return limits;
  }
  double core_hz() const { return core_hz_; }
  double peak(mote::Isa isa, int n_threads, bool fp32) const {
    const Peaks& peaks = peaks_.at({isa, n_threads});
    return fp32 ? peaks.fp32 : peaks.int8;
  }
  void show() const {
    const auto add = [](const std::string& key, const std::string& value) { benchmark::AddCustomContext(key, value); };
    add("core clock", fmt::format("{:.2f} GHz, by a chain of additions; cycles are times multiplied by it", core_hz_ / 1e9));
    for (const auto& [n_threads, bytes] : read_)
      add(fmt::format("read, threads:{}", n_threads), fmt::format("{:.1f} GB/s", bytes / 1e9));
    for (const auto& [key, peaks] : peaks_)
      if (peaks.int8 > 0)
        add(fmt::format("peak, {}, threads:{}", mote::isa_name(key.first), key.second),
            fmt::format("int8 {:.1f}, fp32 {:.1f} GMAC/s", peaks.int8 / 1e9, peaks.fp32 / 1e9));
  }

 private:
  double core_hz_ = 0;
  std::map<int, double> read_;
  std::map<std::pair<mote::Isa, int>, Peaks> peaks_;
};

/// Bytes of all caches of a level that one core can use; a guess where the system does not say.
std::size_t cache_size(int level, std::size_t otherwise) {
  for (const auto& cache : benchmark::CPUInfo::Get().caches)
    if (cache.level == level && cache.type != "Instruction" && cache.size > 0) return static_cast<std::size_t>(cache.size);
  return otherwise;
}

/// The rows and copies that suit the place.
ProductSize size_in(Place place, const KernelOptions::Matrix& matrix, int n_tokens, int n_threads, double bytes_per_row) {
  ProductSize size{{matrix.n_rows, matrix.n_cols, n_tokens}, 1, n_threads};
  int& n_rows = size.shape.n_rows;
  if (place == Place::l2) {
    size.weights_in = mote::WeightsIn::cache;
    const double half = 0.5 * static_cast<double>(cache_size(2, std::size_t{512} << 10));
    if (n_rows == 0) n_rows = n_threads * std::max(1, static_cast<int>(half / bytes_per_row / 16)) * 16;
  } else {
    const std::size_t l3 = cache_size(3, std::size_t{32} << 20), least = std::size_t{256} << 20;
    if (n_rows == 0) n_rows = 4096;
    size.n_copies = static_cast<std::size_t>(std::ceil(static_cast<double>(std::max(least, 4 * l3)) / bytes_per_row / n_rows));
  }
  return size;
}

/// The product that is being measured: Google Benchmark calls a benchmark several times, with more and more iterations.
class Current {
 public:
  Result<Product*> product_of(const Case& c) {
    if (name_ == c.name) return &*product_;
    product_.reset();
    team_.reset();
    name_.clear();
    Result<Product> product = c.product(c.size);
    if (!product) return product.error();
    Result<std::unique_ptr<Team>> team = Team::start(product->n_callers);
    if (!team) return team.error();
    product_ = *std::move(product);
    team_ = *std::move(team);
    name_ = c.name;
    return &*product_;
  }
  Team& team() { return *team_; }
  /// As many threads as the case has, reading memory.
  Result<MemoryReader*> reader_of(const Case& c) {
    if (!reader_ || reader_->n_threads() != c.size.n_threads) {
      reader_.reset();
      Result<MemoryReader> reader = MemoryReader::start(c.size.n_threads);
      if (!reader) return reader.error();
      reader_ = *std::move(reader);
    }
    return &*reader_;
  }

 private:
  std::string name_;
  std::optional<Product> product_;
  std::unique_ptr<Team> team_;
  std::optional<MemoryReader> reader_;
};

/// Times passes of many calls each, in which the threads do not wait for each other. The counters are those of the fastest pass,
/// but for %read: the median of passes that take turns with plain reading, as memory is not equally fast for long.
void measure(benchmark::State& state, const Case& c, const Limits& limits, Current& current) {
  const auto product = current.product_of(c);
  if (!product) {
    state.SkipWithError(product.error().message.c_str());
    return;
  }
  std::size_t copy = 0;
  const auto pass = [&](std::size_t n_calls) {
    const double seconds = current.team().time([&](int thread) {
      for (std::size_t i = 0; i < n_calls; ++i) (*product)->run((copy + i) % c.size.n_copies, thread);
    });
    copy = (copy + n_calls) % c.size.n_copies;
    return seconds;
  };
  MemoryReader* reader = nullptr;
  if (c.from_memory) {
    const auto started = current.reader_of(c);
    if (!started) {
      state.SkipWithError(started.error().message.c_str());
      return;
    }
    reader = *started;
  }
  const double pass_seconds = reader ? 4e-3 : 5e-4;
  pass(1);
  const auto n_calls = static_cast<std::size_t>(std::clamp(pass_seconds / std::min(pass(1), pass(1)), 1.0, 1e5));
  const double multiplications = c.size.shape.multiplications(), bytes = static_cast<double>((*product)->weight_bytes);
  constexpr std::size_t kReadAtOnce = std::size_t{64} << 20;
  double best = std::numeric_limits<double>::infinity();
  std::vector<double> shares;
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(n_calls))) {
    const double seconds = pass(n_calls);
    state.SetIterationTime(seconds);
    best = std::min(best, seconds / static_cast<double>(n_calls));
    if (reader) shares.push_back(bytes * static_cast<double>(n_calls) / seconds / reader->read(kReadAtOnce));
  }
  state.counters["GB/s"] = bytes / best / 1e9;
  state.counters["GMAC/s"] = multiplications / best / 1e9;
  state.counters["cycles/256"] = best * limits.core_hz() * c.size.n_threads / (multiplications / 256);
  if (c.peak > 0) state.counters["%peak"] = 100 * multiplications / best / c.peak;
  if (!shares.empty()) {
    const auto middle = shares.begin() + static_cast<std::ptrdiff_t>(shares.size() / 2);
    std::nth_element(shares.begin(), middle, shares.end());
    state.counters["%read"] = 100 * *middle;
  }
}

std::string name_of(const std::string& program, const std::string& type, const std::string& who, const ProductSize& size,
                    Place place) {
  const std::string tokens = program == "mul_mat" ? fmt::format("/tokens:{}", size.shape.n_tokens) : "";
  return fmt::format("{}/{}/{}/{}x{}/{}/threads:{}{}", program, type, who, size.shape.n_rows, size.shape.n_cols,
                     place == Place::l2 ? "L2" : "DRAM", size.n_threads, tokens);
}

/// Every combination, the places one after the other, so that each has its table.
std::vector<Case> cases_of(const std::string& program, const KernelOptions& o, const Limits& limits) {
  std::vector<Case> cases;
  const auto add = [&](Place place, const std::string& type, const std::string& who, const KernelOptions::Matrix& matrix,
                       double bytes_per_row, const auto& product, mote::Isa isa, bool fp32) {
    for (const int n_threads : o.threads)
      for (const int n_tokens : o.tokens) {
        const ProductSize size = size_in(place, matrix, n_tokens, n_threads, bytes_per_row);
        cases.push_back({name_of(program, type, who, size, place), size, product, limits.peak(isa, n_threads, fp32),
                         place == Place::dram});
      }
  };
  for (const Place place : o.places)
    for (const KernelOptions::Matrix& matrix : o.matrices) {
      for (const mote::Isa isa : o.isas)
        for (const mote::TensorType type : o.types) {
          const mote::TypeInfo& info = mote::type_info(type);
          add(
              place, std::string(info.name), std::string(mote::isa_name(isa)), matrix,
              static_cast<double>(matrix.n_cols) * info.block_bytes / info.block_weights,
              [=](const ProductSize& size) { return own_product(type, isa, size); }, isa, info.block_weights == 1);
        }
      if (!o.libraries) continue;
      for (const Library& library : libraries())
        add(place, library.type, library.name, matrix,
            static_cast<double>(matrix.n_cols) * static_cast<double>(library.bytes_per_weight()), library.product, o.isas.back(),
            library.type == "F32");
    }
  return cases;
}

void show_libraries() {
  for (const Library& library : libraries())
    if (!library.version.empty()) benchmark::AddCustomContext(library.name, library.version);
  if (const std::string missing = missing_libraries(); !missing.empty())
    benchmark::AddCustomContext("not built in, as CMake did not find them", missing);
}

/// Google Benchmark takes its options out of the arguments; ours are the rest. These of its defaults are ours, and come first, so
/// that the user's win.
std::vector<char*> with_defaults(int argc, char** argv) {
  static char kShort[] = "--benchmark_min_time=0.1", kTable[] = "--benchmark_counters_tabular=true";
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + std::min(argc, 1), {kShort, kTable});
  return arguments;
}

} // namespace

int run_kernel_bench(const std::string& name, int argc, char** argv, const std::vector<int>& tokens,
                     const std::vector<Place>& places) try {
  std::vector<char*> arguments = with_defaults(argc, argv);
  int n = static_cast<int>(arguments.size());
  const bool help = std::ranges::any_of(arguments, [](std::string_view word) { return word == "--help" || word == "-h"; });
  if (!help) benchmark::Initialize(&n, arguments.data());
  const auto options = parse_kernel_options(help ? argc : n, help ? argv : arguments.data(), tokens, places);
  if (!options) return complain("bench_" + name, options.error());
  if (!options->help.empty()) return fmt::print("{}", options->help), 0;
  const auto limits = Limits::measure(*options);
  if (!limits) return complain("bench_" + name, limits.error());
  limits->show();
  if (options->libraries) show_libraries();

  Current current;
  bool failed = false;
  for (const Case& c : cases_of(name, *options, *limits)) {
    const auto run = [&, c](benchmark::State& state) {
      measure(state, c, *limits, current);
      failed = failed || state.error_occurred();
    };
    benchmark::RegisterBenchmark(c.name.c_str(), run)->UseManualTime()->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return failed ? 1 : 0;
} catch (const std::bad_alloc&) {
  return complain("bench_" + name, {mote::ErrorCode::out_of_memory, "out of memory"});
}

} // namespace bench
