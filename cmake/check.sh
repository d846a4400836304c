#!/bin/sh
# Installs what is missing (Debian, as root), builds everything and runs all tests. Arguments go to ctest: cmake/check.sh -R lint
set -eu
. "$(dirname "$0")/setup.sh"
mote_build_release
ctest=$(dirname "$mote_cmake")/ctest
[ -x "$ctest" ] || ctest=ctest
exec "$ctest" --test-dir "$mote_build" --output-on-failure --no-tests=error --timeout 600 --parallel "$(getconf _NPROCESSORS_ONLN)" "$@"
