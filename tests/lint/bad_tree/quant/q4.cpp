#include "kernels/pack.h"
#include "q4.h"
#include "quant/quant.h"
