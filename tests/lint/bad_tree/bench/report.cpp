#include <fmt/core.h>

#include "lib/runtime/recorder.h"
#include "mote/mote.h"
