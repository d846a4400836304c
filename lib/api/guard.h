/// The one place where exceptions of the standard library become errors.
#pragma once
#include <exception>
#include <utility>

#include "mote/result.h"

namespace mote::api {

/// fn() as a Result of its own type. What it throws can only be std::bad_alloc, or std::length_error for a size beyond all memory.
template <class Fn>
auto guard(Fn&& fn) noexcept -> decltype(fn()) {
  try {
    return std::forward<Fn>(fn)();
  } catch (const std::exception&) {
    return Error{ErrorCode::out_of_memory, "out of memory"}; // short enough to need none
  }
}

} // namespace mote::api
