# What mote is built with; cmake/dependencies.txt names the Debian packages. The library itself links PCRE2, utf8proc and
# threads only. Their targets are global, so that a project which adds this folder can link mote::mote anywhere.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(mote_PCRE2 REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8)
pkg_check_modules(mote_utf8proc REQUIRED IMPORTED_TARGET GLOBAL libutf8proc)
