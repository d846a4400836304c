#include <cassert>
#include <immintrin.h>
#include <pcre2.h>

#include "lib/weights/tensors.h"
#include "quant/quant.h"
