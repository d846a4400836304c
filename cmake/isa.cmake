# Instruction sets: kernels/isa_*.cpp are the only sources that are compiled for more than the oldest processor supported.
# After the target mote exists, mote_configure_isa_units() gives each of them its flags.
include_guard(GLOBAL)

function(mote_configure_isa_units)
  # Nothing from outside the unit: a square root of a negative number sets no errno, nothing unwinds. Both would put references to
  # the C and C++ libraries, and weak symbols, into the unit.
  set(freestanding -fno-math-errno -fno-exceptions)
  # The kernels want all of -O3 in every optimized configuration. Sanitizers make minutes of that; under them the units of a
  # processor do without the checks of undefined behaviour, which the scalar unit, from the same source, keeps.
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    set(common ${freestanding} -fno-sanitize=undefined)
  else()
    set(common ${freestanding} $<$<NOT:$<CONFIG:Debug>>:-O3>)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The kernels use every register. By default gcc moves loads and unpacking ahead of the products and then spills the
    # accumulators, which costs 10 to 60% (the instruction counts of the loops show it).
    list(APPEND common -fno-schedule-insns -fno-tree-ter -flive-range-shrinkage)
  endif()
  set(avx2 -mavx2 -mfma -mf16c)
  set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni)
  set(neon -march=armv8-a)
  set(neon_dotprod -march=armv8.2-a+dotprod)

  # Scalar is the definition of the results, not a product: loops unrolled by -O3 would triple its size for nothing.
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/kernels/isa_scalar.cpp TARGET_DIRECTORY mote
    APPEND PROPERTY COMPILE_OPTIONS ${freestanding} $<$<NOT:$<CONFIG:Debug>>:-O2>)
  # The units of other processors are empty (MOTE_HAVE_X86, MOTE_HAVE_ARM in kernels/table.h).
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    set(units avx2 avx512)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(units neon neon_dotprod)
  endif()
  foreach(unit IN LISTS units)
    set_property(SOURCE ${PROJECT_SOURCE_DIR}/kernels/isa_${unit}.cpp TARGET_DIRECTORY mote
      APPEND PROPERTY COMPILE_OPTIONS ${common} ${${unit}})
  endforeach()
endfunction()
