# Flags of everything that is compiled here, library, programs and tests alike.
include_guard(GLOBAL)

function(mote_set_flags target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  # One multiplication and one addition are never fused unless the source says so: the bits are the same everywhere.
  target_compile_options(${target} PRIVATE -ffp-contract=off -Wall -Wextra -Wpedantic -Wconversion)
  if(MOTE_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
