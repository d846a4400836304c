// Counts the allocations of the whole process and sees that decoding makes none.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "mote/mote.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOTE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MOTE_TEST_SANITIZED 1
#endif
#endif

namespace {

std::atomic<long> n_allocations{0};

} // namespace

#if defined(__GLIBC__) && !defined(MOTE_TEST_SANITIZED)

// Everything that allocates, operator new included, ends here.
extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;

void* malloc(std::size_t size) noexcept { return ++n_allocations, __libc_malloc(size); }
void* calloc(std::size_t n, std::size_t size) noexcept { return ++n_allocations, __libc_calloc(n, size); }
void* realloc(void* old, std::size_t size) noexcept { return ++n_allocations, __libc_realloc(old, size); }
void* memalign(std::size_t alignment, std::size_t size) noexcept { return ++n_allocations, __libc_memalign(alignment, size); }
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return ++n_allocations, __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) noexcept {
  ++n_allocations;
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : 12; // ENOMEM
}
}

#else

// A sanitizer has malloc for itself; operator new is what C++ code uses.
void* operator new(std::size_t size) {
  ++n_allocations;
  if (void* p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++n_allocations;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

#endif

namespace {

/// Allocations that fn makes, on any thread.
template <class Fn> long count(Fn&& fn) {
  const long before = n_allocations;
  fn();
  return n_allocations - before;
}

bool counter_works() {
  const long direct = count([] { ::operator delete(::operator new(40)); });
  const long grown = count([] {
    std::vector<std::string> v;
    for (int i = 0; i < 10; ++i) v.emplace_back(100, 'x');
  });
  std::atomic<bool> go{false};
  std::thread thread([&] {
    while (!go) std::this_thread::yield();
    ::operator delete(::operator new(40));
  });
  const long elsewhere = count([&] {
    go = true;
    thread.join();
  });
  return direct == 1 && grown >= 10 && elsewhere >= 1;
}

struct Case {
  const char* shape;
  mote::Mix mix;
};

constexpr Case kCases[] = {
    {"layers=2,d_model=256,d_ff=512,heads=4,kv_heads=2,vocab=300,ctx=64,tied=1", mote::Mix::Q4_K_M},
    {"family=gpt2,layers=2,d_model=96,d_ff=384,heads=3,vocab=131,ctx=64", mote::Mix::F16},
    {"family=phi2,layers=2,d_model=160,d_ff=320,heads=2,vocab=131,ctx=64,rope_dims=32", mote::Mix::Q6_K},
    {"family=qwen2moe,layers=2,d_model=96,d_ff=48,heads=3,vocab=131,ctx=64,experts=9,experts_used=3,shared_d_ff=64",
     mote::Mix::Q4_0},
    {"family=minicpm3,layers=2,d_model=64,d_ff=64,heads=4,head_dim=48,rope_dims=16,q_rank=32,kv_rank=64,v_dim=32,vocab=131,ctx="
     "64",
     mote::Mix::Q8_0},
    {"family=gptneox,layers=2,d_model=160,d_ff=320,heads=2,vocab=131,ctx=64", mote::Mix::Q8_0},
    {"family=jamba,layers=3,d_model=96,d_ff=160,heads=3,attention_layers=1,vocab=131,ctx=64", mote::Mix::Q8_0},
    {"family=mamba2,layers=2,d_model=96,ssm_heads=6,ssm_groups=2,vocab=131,ctx=64", mote::Mix::Q4_0},
    {"family=lfm2,layers=3,d_model=96,d_ff=160,heads=3,attention_layers=1,vocab=131,ctx=64", mote::Mix::F16},
    {"family=zamba2,layers=3,d_model=96,ssm_heads=6,d_ff=160,heads=3,attention_layers=1:2,qkv_rank=32,vocab=131,ctx=64",
     mote::Mix::Q8_0},
    {"family=recurrentgemma,layers=3,d_model=96,d_ff=160,heads=3,attention_layers=1,rglru_blocks=2,vocab=131,ctx=64",
     mote::Mix::Q8_0},
};

const char* check(const Case& c, int n_threads, bool profile) {
  const auto spec = mote::spec_from_shape(c.shape);
  if (!spec) return "the shape is refused";
  const auto model = mote::Model::random(*spec, c.mix, 7);
  if (!model) return "no model";
  auto session = mote::Session::create(*model, {.n_batch = 8, .n_threads = n_threads, .profile = profile, .trace_events = 1000});
  if (!session) return "no session";

  const std::vector<std::int32_t> prompt{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  bool fine = true;
  if (count([&] { fine = session->decode(prompt).has_value(); }) != 0) return "the prompt allocates";
  auto greedy = mote::Sampler::create();
  auto sampling = mote::Sampler::create({.temperature = 1, .top_k = 20, .top_p = 0.9f});
  if (!greedy || !sampling) return "no sampler";
  std::int32_t token = greedy->sample(session->logits());
  static_cast<void>(sampling->sample(session->logits()));
  for (int i = 0; i < 40; ++i) {
    if (count([&] { fine = fine && session->decode({&token, 1}).has_value(); }) != 0) return "a decoded token allocates";
    if (count([&] { token = i % 2 ? greedy->sample(session->logits()) : sampling->sample(session->logits()); }) != 0)
      return "sampling allocates";
  }
  const int n_keep = mote::is_recurrent(*spec) ? 0 : 5;
  if (count([&] { fine = fine && session->truncate(n_keep).has_value(); }) != 0) return "truncate allocates";
  return fine ? nullptr : "decode failed";
}

} // namespace

int main() {
  if (!counter_works()) {
    std::puts("the counter does not count");
    return 1;
  }
  int n_bad = 0;
  for (const Case& c : kCases) {
    for (const int n_threads : {1, 2, 4}) {
      for (const bool profile : {false, true}) {
        if (const char* fault = check(c, n_threads, profile)) {
          std::printf("%s %s, %d threads, profile %d: %s\n", c.shape, std::string(mote::mix_name(c.mix)).c_str(), n_threads,
                      profile, fault);
          ++n_bad;
        }
      }
    }
  }
  return n_bad == 0 ? 0 : 1;
}
