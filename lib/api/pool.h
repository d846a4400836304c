/// The threads of what is done once: loading, quantizing, saving.
#pragma once
#include <memory>
#include <string>

#include "lib/runtime/thread_pool.h"
#include "mote/model.h"

namespace mote::api {

/// n_threads: as in the public options, 0 for the default. Errors: invalid_argument, out_of_memory.
inline Result<std::unique_ptr<runtime::ThreadPool>> make_pool(int n_threads) {
  if (n_threads < 0)
    return Error{ErrorCode::invalid_argument, "n_threads is " + std::to_string(n_threads) + ", expected 0 or more"};
  return runtime::ThreadPool::create(n_threads > 0 ? n_threads : default_thread_count());
}

} // namespace mote::api
