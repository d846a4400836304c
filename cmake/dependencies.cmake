# What mote is built with; cmake/dependencies.txt names the Debian packages. The library itself links PCRE2, utf8proc and
# threads only. The target is global, so that a project which adds this folder can link mote::mote anywhere.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(mote_text REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8 libutf8proc)
find_package(nlohmann_json REQUIRED) # headers only: who links an installed mote does not need them

include(cmake/find_xnnpack.cmake)

# What MOTE_WITH_OPENBLAS or MOTE_WITH_XNNPACK asks for.
function(mote_link_dense_library target)
  if(MOTE_WITH_OPENBLAS AND MOTE_WITH_XNNPACK)
    message(FATAL_ERROR "mote: MOTE_WITH_OPENBLAS and MOTE_WITH_XNNPACK: choose one")
  elseif(MOTE_WITH_OPENBLAS)
    pkg_check_modules(mote_openblas REQUIRED IMPORTED_TARGET GLOBAL openblas)
    target_link_libraries(${target} PRIVATE PkgConfig::mote_openblas)
    target_compile_definitions(${target} PRIVATE MOTE_WITH_OPENBLAS)
    set(mote_pc_requires " openblas" PARENT_SCOPE)
  elseif(MOTE_WITH_XNNPACK)
    mote_find_xnnpack()
    if(NOT TARGET mote_xnnpack)
      message(FATAL_ERROR "mote: MOTE_WITH_XNNPACK, but there is no XNNPACK with pthreadpool, or not its headers")
    endif()
    target_link_libraries(${target} PRIVATE mote_xnnpack)
    target_compile_definitions(${target} PRIVATE MOTE_WITH_XNNPACK)
    set(mote_pc_libs " -lXNNPACK -lpthreadpool" PARENT_SCOPE)
  endif()
endfunction()
