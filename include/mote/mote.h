/// Everything that mote offers.
#pragma once
#include "mote/isa.h"
#include "mote/kernels.h"
#include "mote/memory.h"
#include "mote/model.h"
#include "mote/profile.h"
#include "mote/quantize.h"
#include "mote/result.h"
#include "mote/sampler.h"
#include "mote/session.h"
#include "mote/spec.h"
#include "mote/tokenizer.h"
#include "mote/types.h"
