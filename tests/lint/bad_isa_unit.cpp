// An ISA unit with everything that it must not have.
namespace mote::kernels {

struct KernelTable {
  float (*run)(float);
  void (*take)(void*);
};
extern const KernelTable kBadKernels, kWorseKernels;

template <class T>
[[gnu::noinline]] T instantiated_for_everyone(T x) {
  return x + 1;
}
float external(float x) { return x * 2; }
namespace {
float hidden(float x) { return x * 3; }
} // namespace

const KernelTable kBadKernels = {instantiated_for_everyone<float>, ::operator delete};
const KernelTable kWorseKernels = {hidden, nullptr};

} // namespace mote::kernels

// As a compiler names the function that runs before main.
asm(".data\n_GLOBAL__sub_I_bad_isa_unit.cpp: .byte 0\n");
