#include "kernels/dispatch.h"

#include <array>
#include <cstdlib>
#include <string>

#include "kernels/dense_library.h"

#ifdef MOTE_HAVE_X86
#include <cpuid.h>
#endif
#if defined(MOTE_HAVE_ARM) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace mote {
namespace {

struct IsaEntry {
  Isa isa;
  std::string_view name;
  std::string_view needs; ///< for people
  const kernels::KernelTable* table;
};

constexpr std::array kIsas{
    IsaEntry{Isa::scalar, "scalar", "nothing", &kernels::kScalarKernels},
#ifdef MOTE_HAVE_X86
    IsaEntry{Isa::avx2, "avx2", "AVX2, FMA and F16C", &kernels::kAvx2Kernels},
    IsaEntry{Isa::avx_vnni, "avx-vnni", "AVX2, FMA, F16C and AVX-VNNI", &kernels::kAvxVnniKernels},
    IsaEntry{Isa::avx512, "avx512", "AVX-512 F, BW, DQ, VL and VNNI", &kernels::kAvx512Kernels},
#endif
#ifdef MOTE_HAVE_ARM
    IsaEntry{Isa::neon, "neon", "NEON", &kernels::kNeonKernels},
    IsaEntry{Isa::neon_dotprod, "neon-dotprod", "NEON with dot products", &kernels::kNeonDotprodKernels},
    IsaEntry{Isa::neon_i8mm, "neon-i8mm", "NEON with dot products and products of int8 matrices", &kernels::kNeonI8mmKernels},
#endif
};
constexpr std::array<std::string_view, 7> kNames{"scalar", "avx2",         "avx-vnni", "avx512",
                                                "neon",   "neon-dotprod", "neon-i8mm"};

constexpr auto kIsaValues = [] {
  std::array<Isa, kIsas.size()> isas{};
  for (std::size_t i = 0; i < isas.size(); ++i) isas[i] = kIsas[i].isa;
  return isas;
}();

const IsaEntry* find_entry(Isa isa) noexcept {
  for (const IsaEntry& entry : kIsas) {
    if (entry.isa == isa) return &entry;
  }
  return nullptr;
}

Error cannot_run(Isa isa) {
  const IsaEntry* entry = find_entry(isa);
  const std::string name(isa_name(isa));
  if (entry == nullptr) return {ErrorCode::unsupported, "ISA " + name + ": this build has no kernels for it"};
  return {ErrorCode::unsupported, "ISA " + name + ": this machine cannot run it, which needs " + std::string(entry->needs)};
}

} // namespace

std::span<const Isa> all_isas() noexcept { return kIsaValues; }

std::string_view isa_name(Isa isa) noexcept {
  const auto i = static_cast<std::size_t>(isa);
  return i < kNames.size() ? kNames[i] : "unknown";
}

Result<Isa> isa_from_name(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Isa>(i);
    known += (i > 0 ? ", " : "") + std::string(kNames[i]);
  }
  return Error{ErrorCode::invalid_argument, "unknown ISA \"" + std::string(name) + "\"; there are " + known};
}

bool isa_available(Isa isa) noexcept { return kernels::can_run(isa, kernels::cpu_state()); }

Result<Isa> default_isa() { return kernels::choose_isa(std::getenv("MOTE_ISA"), kernels::cpu_state()); }

namespace kernels {

CpuState cpu_state() noexcept {
  CpuState state;
#ifdef MOTE_HAVE_X86
  constexpr std::uint32_t kOsXsave = 1u << 27;
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) state.leaf1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) {
    state.leaf7_ebx = ebx;
    state.leaf7_ecx = ecx;
    if (eax >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) state.leaf7_1_eax = eax;
  }
  if ((state.leaf1_ecx & kOsXsave) != 0) {
    asm("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    state.xcr0 = static_cast<std::uint64_t>(edx) << 32 | eax;
  }
#endif
#if defined(MOTE_HAVE_ARM) && defined(__linux__)
  state.hwcap = getauxval(AT_HWCAP);
  state.hwcap2 = getauxval(AT_HWCAP2);
#endif
  return state;
}

namespace {

bool has(std::uint64_t word, std::uint64_t bits) { return (word & bits) == bits; }

bool can_run_x86(Isa isa, const CpuState& state) {
  constexpr std::uint32_t kFma = 1u << 12, kAvx = 1u << 28, kF16c = 1u << 29;                   // leaf 1, ecx
  constexpr std::uint32_t kAvx2 = 1u << 5, kF = 1u << 16, kDq = 1u << 17, kBw = 1u << 30, kVl = 1u << 31; // leaf 7, ebx
  constexpr std::uint32_t kVnni = 1u << 11;                                                       // leaf 7, ecx
  constexpr std::uint32_t kAvxVnni = 1u << 4;                                                     // leaf 7, subleaf 1, eax
  constexpr std::uint64_t kYmm = 0x06, kZmm = 0xe6; // SSE and AVX registers; also masks and both parts of the zmm registers
  const bool avx2 = has(state.leaf1_ecx, kFma | kAvx | kF16c) && has(state.leaf7_ebx, kAvx2) && has(state.xcr0, kYmm);
  if (isa == Isa::avx2) return avx2;
  if (isa == Isa::avx_vnni) return avx2 && has(state.leaf7_1_eax, kAvxVnni);
  return avx2 && has(state.leaf7_ebx, kF | kDq | kBw | kVl) && has(state.leaf7_ecx, kVnni) && has(state.xcr0, kZmm);
}

bool can_run_arm(Isa isa, const CpuState& state) {
  constexpr std::uint64_t kAsimdDp = 1u << 20, kI8mm = 1u << 13; // of hwcap, of hwcap2
  if (isa == Isa::neon) return true;
  return has(state.hwcap, kAsimdDp) && (isa == Isa::neon_dotprod || has(state.hwcap2, kI8mm));
}

} // namespace

bool can_run(Isa isa, const CpuState& state) noexcept {
  if (find_entry(isa) == nullptr) return false;
  if (isa == Isa::scalar) return true;
  return isa < Isa::neon ? can_run_x86(isa, state) : can_run_arm(isa, state);
}

Result<Isa> choose_isa(const char* wanted, const CpuState& state) {
  if (wanted != nullptr && *wanted != '\0') {
    const auto isa = isa_from_name(wanted);
    if (!isa) return Error{isa.error().code, "environment variable MOTE_ISA: " + isa.error().message};
    if (!can_run(*isa, state)) {
      Error error = cannot_run(*isa);
      error.message = "environment variable MOTE_ISA: " + error.message;
      return error;
    }
    return *isa;
  }
  Isa best = Isa::scalar;
  for (const IsaEntry& entry : kIsas) {
    if (can_run(entry.isa, state)) best = entry.isa;
  }
  return best;
}

Result<const KernelTable*> kernels_for(Isa isa) {
  if (!isa_available(isa)) return cannot_run(isa);
  return with_dense_library(find_entry(isa)->table);
}

} // namespace kernels
} // namespace mote
