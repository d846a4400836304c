#include "lib/gguf/file.h"
#include "lib/runtime/buffer.h"
#include "lib/weights/tensors.h"
