/// How many processors sessions of this program find.
#pragma once
#include <atomic>

/// Sessions run no more threads than there are processors. What many threads compute is to be tested on any machine, so this
/// program has a count of its own, in place of lib/runtime/cpu_count.cpp: 64, unless a test changes it.
extern std::atomic<int> processor_count;
