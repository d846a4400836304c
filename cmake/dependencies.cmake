# What mote is built with; cmake/dependencies.txt names the Debian packages. The library itself links PCRE2, utf8proc and
# threads only. The target is global, so that a project which adds this folder can link mote::mote anywhere.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(mote_text REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8 libutf8proc)
