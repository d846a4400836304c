#include "bench/team.h"

#include <algorithm>
#include <system_error>

namespace bench {

mote::Result<std::unique_ptr<Team>> Team::start(int n_threads) {
  std::unique_ptr<Team> team(new Team(n_threads));
  team->helpers_.reserve(team->laps_.size());
  for (int thread = 1; thread < n_threads; ++thread) {
    try {
      team->helpers_.emplace_back([self = team.get(), thread] {
        while (self->take_part(thread)) {
        }
      });
    } catch (const std::system_error&) {
      // Those that were started must not wait for those that were not.
      for (int missing = thread; missing < n_threads; ++missing) team->meeting_.arrive_and_drop();
      return mote::Error{mote::ErrorCode::out_of_memory,
                         "out of memory: not all of " + std::to_string(n_threads) + " threads could be started"};
    }
  }
  return team;
}

Team::~Team() {
  work_ = nullptr;
  meeting_.arrive_and_wait();
  for (std::thread& helper : helpers_) helper.join();
}

double Team::time(const std::function<void(int)>& work) {
  work_ = &work;
  n_awake_ = 0;
  take_part(0);
  Lap all = laps_.front();
  for (const Lap& lap : laps_) all = {std::min(all.begin, lap.begin), std::max(all.end, lap.end)};
  return std::chrono::duration<double>(all.end - all.begin).count();
}

/// False when there is no more work.
bool Team::take_part(int thread) {
  meeting_.arrive_and_wait();
  if (work_ == nullptr) return false;
  ++n_awake_;
  while (n_awake_ < n_threads()) std::this_thread::yield(); // waking from the barrier takes some longer than others
  Lap& lap = laps_[static_cast<std::size_t>(thread)];
  lap.begin = Clock::now();
  (*work_)(thread);
  lap.end = Clock::now();
  meeting_.arrive_and_wait();
  return true;
}

} // namespace bench
