#include <fmt/core.h>

#include "bench/report.h"
#include "mote/mote.h"
