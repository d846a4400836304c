#!/bin/sh
# Compiles each public header by itself. Usage: check_headers.sh CXX INCLUDE_DIR
set -eu
cxx=$1 include=$2 bad=0 n=0
source=$(mktemp)
trap 'rm -f "$source"' EXIT
for header in "$include"/mote/*.h; do
  name=mote/$(basename "$header")
  # Twice, so that a missing guard shows too.
  printf '#include "%s"\n#include "%s"\n' "$name" "$name" >"$source"
  if ! "$cxx" -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Werror -I"$include" -x c++ "$source"; then
    echo "$name does not compile by itself"
    bad=1
  fi
  n=$((n + 1))
done
echo "$n headers"
exit $bad
