/// What every call of the public API that computes goes through.
#pragma once
#include <cfenv>
#include <exception>
#include <utility>

#include "mote/result.h"

namespace mote::api {

/// Rounding to nearest and no flushing of denormals, whatever the host has set for itself. Threads started meanwhile inherit it.
class DefaultFloatingPoint {
 public:
  DefaultFloatingPoint() noexcept {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatingPoint() { std::fesetenv(&saved_); }
  DefaultFloatingPoint(const DefaultFloatingPoint&) = delete;
  DefaultFloatingPoint& operator=(const DefaultFloatingPoint&) = delete;

 private:
  std::fenv_t saved_;
};

/// fn() as a Result of its own type: the one place where exceptions of the standard library become errors. They can only be
/// std::bad_alloc, or std::length_error for a size beyond all memory.
template <class Fn> auto guard(Fn&& fn) noexcept -> decltype(fn()) {
  const DefaultFloatingPoint floating_point;
  try {
    return std::forward<Fn>(fn)();
  } catch (const std::exception&) {
    return Error{ErrorCode::out_of_memory, "out of memory"}; // short enough to need none
  }
}

} // namespace mote::api
