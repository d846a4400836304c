#include <iostream>

#include "../quant/quant.h"
#include "lib/gguf/file.h"
#include "lib/spec/read_spec.h"
