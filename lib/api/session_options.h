/// What the options of a session come to.
#pragma once
#include "lib/decoder/decoder.h"
#include "mote/result.h"
#include "mote/session.h"

namespace mote::api {

/// The options with their defaults filled in. Error: invalid_argument.
Result<decoder::DecoderOptions> resolve(const SessionOptions& options, int model_n_ctx);

} // namespace mote::api
