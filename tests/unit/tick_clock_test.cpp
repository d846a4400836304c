#include "lib/runtime/tick_clock.h"

#include <thread>

#include "tests/catch.h"

using mote::runtime::TickClock;
using namespace std::chrono_literals;

TEST_CASE("Ticks are nanoseconds of the steady clock once they are scaled", "[runtime]") {
  const auto steady_ns = [] { return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  const TickClock clock;
  const std::int64_t before = steady_ns(), begin = clock.now();
  std::this_thread::sleep_for(20ms);
  const std::int64_t end = clock.now(), after = steady_ns();
  const TickClock::Scale scale = clock.scale();
  constexpr std::int64_t kSkew = 20'000; // of the two clocks' rates, and of reading them one after the other
  CHECK(scale.duration_ns(end - begin) >= 20'000'000 - kSkew);
  CHECK(scale.duration_ns(end - begin) <= after - before + kSkew);
  CHECK(scale.time_ns(begin) >= before - kSkew);
  CHECK(scale.time_ns(end) <= after + kSkew);
  CHECK(scale.duration_ns(0) == 0);
}
