# Instruction sets: kernels/isa_*.cpp are the only sources that are compiled for more than the oldest processor supported.
# After the target mote exists, mote_configure_isa_units() gives each of them its flags.
include_guard(GLOBAL)

# The options of the unit of one ISA, in the variable `result`.
function(mote_isa_options isa result)
  # Nothing from outside the unit: a square root of a negative number sets no errno, nothing unwinds. Both would put references to
  # the C and C++ libraries, and weak symbols, into the unit.
  set(options -fno-math-errno -fno-exceptions)
  # The kernels want all of -O3 in every optimized configuration. Sanitizers make minutes of that; under them the units of a
  # processor do without the checks of undefined behaviour, which the scalar unit, from the same source, keeps.
  if(isa STREQUAL "scalar") # the definition of the results, not a product: -O3 would triple its size for nothing
    list(APPEND options $<$<NOT:$<CONFIG:Debug>>:-O2>)
  elseif(CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    list(APPEND options -fno-sanitize=undefined)
  else()
    list(APPEND options $<$<NOT:$<CONFIG:Debug>>:-O3>)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT isa STREQUAL "scalar")
    # The kernels use every register. By default gcc moves loads and unpacking ahead of the products and adds up integers in
    # another order than the one written; then it spills the accumulators, which costs 10 to 60% (bench/count_instructions.py
    # shows it).
    list(APPEND options -fno-schedule-insns -fno-tree-ter -fno-tree-reassoc -flive-range-shrinkage)
  endif()
  set(avx2 -mavx2 -mfma -mf16c)
  set(avx_vnni ${avx2} -mavxvnni)
  set(avx_vnni_evex ${avx2} -mavx512f -mavx512vl -mavx512vnni) # tests/kernels/avx_vnni_evex.cpp
  set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni)
  set(neon -march=armv8-a)
  set(neon_dotprod -march=armv8.2-a+dotprod)
  set(neon_i8mm -march=armv8.2-a+dotprod+i8mm)
  set(${result} ${options} ${${isa}} PARENT_SCOPE)
endfunction()

function(mote_configure_isa_units)
  set(isas scalar)
  # The units of other processors are empty (MOTE_HAVE_X86, MOTE_HAVE_ARM in kernels/table.h).
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    list(APPEND isas avx2 avx_vnni avx512)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    list(APPEND isas neon neon_dotprod neon_i8mm)
  endif()
  foreach(isa IN LISTS isas)
    mote_isa_options(${isa} options)
    set_property(SOURCE ${PROJECT_SOURCE_DIR}/kernels/isa_${isa}.cpp TARGET_DIRECTORY mote
      APPEND PROPERTY COMPILE_OPTIONS ${options})
  endforeach()
endfunction()
