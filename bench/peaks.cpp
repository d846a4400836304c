#include "bench/peaks.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <string_view>

#include "bench/team.h"

namespace bench {
namespace {

// Loops over independent instructions, each as one piece of assembly, so that no compiler has a say in them. All operands are
// zero, which no processor multiplies more slowly than other numbers.
#define FOUR(X) X(0) X(1) X(2) X(3)
#define TWELVE(X) FOUR(X) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define ALL(X) TWELVE(X) X(12) X(13) X(14) X(15)

#if defined(__x86_64__)
#define ZERO(i) "vpxor %%xmm" #i ", %%xmm" #i ", %%xmm" #i "\n"
#define REPEAT(body)                                                                                                     \
  asm volatile(ALL(ZERO) "1:\n" body "dec %0\n jnz 1b\n vzeroupper\n"                                                    \
               : "+r"(n)                                                                                                 \
               :                                                                                                         \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
                 "xmm12", "xmm13", "xmm14", "xmm15")
#define FMA_YMM(i) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #i "\n"
#define FMA_ZMM(i) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" #i "\n"
#define DOT_YMM(i) "vpmaddubsw %%ymm14, %%ymm15, %%ymm1" #i "\n vpaddw %%ymm1" #i ", %%ymm" #i ", %%ymm" #i "\n"
#define DOT_VEX(i) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #i "\n"
#define DOT_ZMM(i) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #i "\n"

__attribute__((target("avx2,fma"))) void fp32_avx2(long n) { REPEAT(TWELVE(FMA_YMM)); }
__attribute__((target("avx2"))) void int8_avx2(long n) { REPEAT(FOUR(DOT_YMM)); }
__attribute__((target("avx2,avxvnni"))) void int8_avx_vnni(long n) { REPEAT(TWELVE(DOT_VEX)); }
__attribute__((target("avx512f"))) void fp32_avx512(long n) { REPEAT(TWELVE(FMA_ZMM)); }
__attribute__((target("avx512f,avx512vnni"))) void int8_avx512(long n) { REPEAT(TWELVE(DOT_ZMM)); }

#elif defined(__aarch64__)
#define ZERO(i) "movi v" #i ".16b, #0\n"
#define REPEAT(extension, body)                                              \
  asm volatile(extension ALL(ZERO) "1:\n" body "subs %0, %0, #1\n b.ne 1b\n" \
               : "+r"(n)                                                     \
               :                                                             \
               : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15")
#define FMA(i) "fmla v" #i ".4s, v14.4s, v15.4s\n"
#define DOT_BASE(i) "smull v1" #i ".8h, v14.8b, v15.8b\n smlal2 v1" #i ".8h, v14.16b, v15.16b\n sadalp v" #i ".4s, v1" #i ".8h\n"
#define DOT(i) "sdot v" #i ".4s, v14.16b, v15.16b\n"
#define TILE(i) "smmla v" #i ".4s, v14.16b, v15.16b\n"

void fp32_neon(long n) { REPEAT("", TWELVE(FMA)); }
void int8_neon(long n) { REPEAT("", FOUR(DOT_BASE)); }
void int8_neon_dotprod(long n) { REPEAT(".arch armv8.2-a+dotprod\n", TWELVE(DOT)); }
void int8_neon_i8mm(long n) { REPEAT(".arch armv8.6-a+i8mm\n", TWELVE(TILE)); }
#endif

/// One turn of the loops does so many multiplications.
struct Loops {
  std::string_view isa;
  void (*int8)(long);
  double int8_per_turn;
  void (*fp32)(long);
  double fp32_per_turn;
};
constexpr std::array kLoops {
#if defined(__x86_64__)
  Loops{"avx2", int8_avx2, 4 * 32, fp32_avx2, 12 * 8}, Loops{"avx-vnni", int8_avx_vnni, 12 * 32, fp32_avx2, 12 * 8},
      Loops{"avx512", int8_avx512, 12 * 64, fp32_avx512, 12 * 16},
#elif defined(__aarch64__)
  Loops{"neon", int8_neon, 4 * 16, fp32_neon, 12 * 4}, Loops{"neon-dotprod", int8_neon_dotprod, 12 * 16, fp32_neon, 12 * 4},
      Loops{"neon-i8mm", int8_neon_i8mm, 12 * 32, fp32_neon, 12 * 4},
#endif
      Loops{"", nullptr, 0, nullptr, 0},
};

constexpr int kPasses = 100; // short ones: some of them go undisturbed on a machine that has other work
constexpr long kTurns = 10'000;

/// Per second, on all threads together.
double best_rate(Team& team, void (*loop)(long), double per_turn) {
  double best = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < kPasses; ++pass) best = std::min(best, team.time([=](int) { loop(kTurns); }));
  return team.n_threads() * per_turn * static_cast<double>(kTurns) / best;
}

} // namespace

mote::Result<Peaks> measure_peaks(mote::Isa isa, int n_threads) {
  const auto loops = std::ranges::find(kLoops, mote::isa_name(isa), &Loops::isa);
  if (loops == kLoops.end()) return Peaks{};
  const auto team = Team::start(n_threads);
  if (!team) return team.error();
  return Peaks{best_rate(**team, loops->int8, loops->int8_per_turn), best_rate(**team, loops->fp32, loops->fp32_per_turn)};
}

double measure_core_hz() {
  using Clock = std::chrono::steady_clock;
  constexpr long kSteps = 100'000;
  auto best = Clock::duration::max();
  for (int pass = 0; pass < kPasses; ++pass) {
    const auto begin = Clock::now();
    for (long i = 0, sum = 0; i < kSteps / 10; ++i)
#if defined(__x86_64__)
      asm volatile(
          "add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0\n"
          "add $1, %0\n add $1, %0\n"
          : "+r"(sum)
          :
          : "cc");
#elif defined(__aarch64__)
      asm volatile(
          "add %0, %0, #1\n add %0, %0, #1\n add %0, %0, #1\n add %0, %0, #1\n add %0, %0, #1\n"
          "add %0, %0, #1\n add %0, %0, #1\n add %0, %0, #1\n add %0, %0, #1\n add %0, %0, #1\n"
          : "+r"(sum));
#endif
    best = std::min(best, Clock::now() - begin);
  }
  return static_cast<double>(kSteps) / std::chrono::duration<double>(best).count();
}

} // namespace bench
