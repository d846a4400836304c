# Flags of everything that is compiled here, library, programs and tests alike.
include_guard(GLOBAL)

function(mote_set_flags target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  # One multiplication and one addition are never fused unless the source says so: the bits are the same everywhere.
  target_compile_options(${target} PRIVATE -ffp-contract=off -Wall -Wextra -Wpedantic -Wconversion)
  # gcc 12 sees overlapping copies inside std::string's own operator+ (its bug 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  # Nor does gcc follow the flow of values through the code that a sanitizer adds.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-stringop-overflow)
  endif()
  if(MOTE_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
