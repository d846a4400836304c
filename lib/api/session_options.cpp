#include "lib/api/session_options.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mote::api {
namespace {

Error invalid(std::string message) { return {ErrorCode::invalid_argument, std::move(message)}; }

} // namespace

Result<decoder::DecoderOptions> resolve(const SessionOptions& options, int model_n_ctx) {
  constexpr int kMaxThreads = 1024, kMaxBatch = 65536, kMaxTraceEvents = 1 << 24;
  if (options.n_ctx < 0 || options.n_ctx > model_n_ctx)
    return invalid("n_ctx is " + std::to_string(options.n_ctx) + ", expected 1.." + std::to_string(model_n_ctx) +
                   ", the positions that the model was made for, or 0 for all of them");
  if (options.n_batch < 1 || options.n_batch > kMaxBatch)
    return invalid("n_batch is " + std::to_string(options.n_batch) + ", expected 1.." + std::to_string(kMaxBatch));
  if (options.n_threads < 0 || options.n_threads > kMaxThreads)
    return invalid("n_threads is " + std::to_string(options.n_threads) + ", expected 1.." + std::to_string(kMaxThreads) +
                   ", or 0 for the default");
  if (options.trace_events < 0 || options.trace_events > kMaxTraceEvents)
    return invalid("trace_events is " + std::to_string(options.trace_events) + ", expected 0.." +
                   std::to_string(kMaxTraceEvents));
  if (options.kv_type != TensorType::F16 && options.kv_type != TensorType::F32)
    return invalid("kv_type is " + std::string(type_info(options.kv_type).name) + ", expected F16 or F32");
  decoder::DecoderOptions resolved;
  resolved.kv_type = options.kv_type;
  resolved.n_ctx = options.n_ctx > 0 ? options.n_ctx : model_n_ctx;
  resolved.n_batch = std::min(options.n_batch, resolved.n_ctx);
  resolved.n_threads = options.n_threads > 0 ? options.n_threads : default_thread_count();
  resolved.profile = options.profile;
  resolved.trace_events = options.trace_events;
  return resolved;
}

} // namespace mote::api
