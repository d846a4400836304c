#!/bin/sh
# The program in the README is the one that tests/embed builds and runs; the paths in its "Where is" table exist.
# Usage: check_readme.sh ROOT
set -eu
cd "$1"
bad=0
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT
awk '/^```cpp$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md >"$shown"
diff tests/embed/consumer/story.cpp "$shown" || bad=1

# `lib/x.h`, `y.h` in one cell: a bare name stands in the folder of the path before it.
awk -F'|' '/^## Where is/ { inside = 1 } /^## / && !/Where is/ { inside = 0 } inside && NF > 3 { print $3 }' README.md |
  awk '{ while (match($0, /`[^`]*`/)) { print substr($0, RSTART + 1, RLENGTH - 2); $0 = substr($0, RSTART + RLENGTH) } }' >"$shown"
[ -s "$shown" ] || { echo "README.md: no table of places"; bad=1; }
folder=
while read -r path; do
  case $path in
    */*) folder=$(dirname "$path") ;;
    *.*) path=$folder/$path ;;
    *) continue ;;
  esac
  # shellcheck disable=SC2086 # patterns are meant
  ls -d $path >/dev/null 2>&1 || ls -d include/$path >/dev/null 2>&1 || { echo "README.md: $path is not there"; bad=1; }
done <"$shown"
exit $bad
