/// How the programs say that something went wrong.
#pragma once
#include <string_view>

#include "mote/result.h"

namespace bench {

/// One line on stderr, whatever the message holds: "program: message". Returns the exit status: 2 for a command line that makes
/// no sense, else 1.
int complain(std::string_view program, const mote::Error& error);

} // namespace bench
