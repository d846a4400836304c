#pragma once
#include <fmt/core.h>
#include <string>
#include <unistd.h>

#include "lib/gguf/file.h"
#include "mote/result.h"
