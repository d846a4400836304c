// Two models, every ISA of this machine and several sessions of each, all at work in one process at once: each computes what
// it computes alone.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "mote/mote.h"

namespace {

constexpr int kTokens = 24, kSessionsEach = 2;
constexpr const char* kShapes[] = {
    "family=qwen2,layers=2,d_model=128,d_ff=288,heads=4,kv_heads=2,vocab=203,ctx=24,tied=1",
    "family=gpt2,layers=3,d_model=96,d_ff=224,heads=3,vocab=131,ctx=24",
};

/// The logits after each token, one token at a time; empty after an error.
std::vector<float> decode_all(mote::Session& session) {
  std::vector<float> all;
  for (std::int32_t token = 0; token < kTokens; ++token) {
    const std::int32_t spread = token * 37 % 131;
    if (!session.decode({&spread, 1})) return {};
    all.insert(all.end(), session.logits().begin(), session.logits().end());
  }
  return all;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return !a.empty() && a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct Work {
  mote::Session session;
  const std::vector<float>* expected;
  std::string name;
};

} // namespace

int main() {
  std::vector<std::vector<float>> expected(std::size(kShapes));
  std::vector<Work> works;
  for (std::size_t m = 0; m < std::size(kShapes); ++m) {
    const auto spec = mote::spec_from_shape(kShapes[m]);
    if (!spec) return std::printf("%s\n", spec.error().message.c_str()), 1;
    for (const mote::Isa isa : mote::all_isas()) {
      if (!mote::isa_available(isa)) continue;
      // The handle goes; the sessions keep what they need.
      const auto model =
          mote::Model::random(*spec, mote::Mix::Q8_0, m, {.isa = isa, .n_threads = 2, .cache_dir = "", .progress = nullptr});
      if (!model) return std::printf("%s\n", model.error().message.c_str()), 1;
      if (expected[m].empty()) {
        auto alone = mote::Session::create(*model, {.n_threads = 1});
        if (!alone) return std::printf("%s\n", alone.error().message.c_str()), 1;
        expected[m] = decode_all(*alone);
      }
      for (int i = 0; i < kSessionsEach; ++i) {
        auto session = mote::Session::create(*model, {.n_threads = 1 + i, .profile = i == 0});
        if (!session) return std::printf("%s\n", session.error().message.c_str()), 1;
        works.push_back({*std::move(session), &expected[m], std::string(kShapes[m]) + " on " + std::string(mote::isa_name(isa))});
      }
    }
  }
  if (same_bits(expected[0], expected[1])) return std::puts("two models compute the same"), 1;

  std::atomic<int> n_bad{0};
  std::vector<std::thread> threads;
  for (Work& work : works) {
    threads.emplace_back([&work, &n_bad] {
      if (same_bits(decode_all(work.session), *work.expected)) return;
      std::printf("%s: not what it computes alone\n", work.name.c_str());
      ++n_bad;
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("%zu sessions\n", works.size());
  return n_bad == 0 && !works.empty() ? 0 : 1;
}
