#include <nlohmann/json.hpp>

#include "lib/gguf/file.h"
#include PRESETS
