# What mote is built with; cmake/dependencies.txt names the Debian packages. The library itself links PCRE2, utf8proc and
# threads only. The target is global, so that a project which adds this folder can link mote::mote anywhere.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(mote_text REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8 libutf8proc)

# XNNPACK has neither package configuration nor pkg-config file. Makes the target mote_xnnpack, if it is installed.
function(mote_find_xnnpack)
  find_path(MOTE_XNNPACK_INCLUDE_DIR xnnpack.h)
  find_path(MOTE_PTHREADPOOL_INCLUDE_DIR pthreadpool.h)
  find_library(MOTE_XNNPACK_LIBRARY XNNPACK)
  find_library(MOTE_PTHREADPOOL_LIBRARY pthreadpool)
  mark_as_advanced(MOTE_XNNPACK_INCLUDE_DIR MOTE_PTHREADPOOL_INCLUDE_DIR MOTE_XNNPACK_LIBRARY MOTE_PTHREADPOOL_LIBRARY)
  if(TARGET mote_xnnpack OR NOT MOTE_XNNPACK_INCLUDE_DIR OR NOT MOTE_PTHREADPOOL_INCLUDE_DIR OR NOT MOTE_XNNPACK_LIBRARY OR
     NOT MOTE_PTHREADPOOL_LIBRARY)
    return()
  endif()
  add_library(mote_xnnpack INTERFACE IMPORTED GLOBAL)
  target_include_directories(mote_xnnpack INTERFACE ${MOTE_XNNPACK_INCLUDE_DIR} ${MOTE_PTHREADPOOL_INCLUDE_DIR})
  target_link_libraries(mote_xnnpack INTERFACE ${MOTE_XNNPACK_LIBRARY} ${MOTE_PTHREADPOOL_LIBRARY})
endfunction()
