#!/bin/sh
# Installs what is missing (Debian, as root), builds everything and runs all tests; without arguments, those for aarch64 too, if
# a cross compiler and qemu are there (check_aarch64.sh). Arguments go to ctest: cmake/check.sh -R lint
set -eu
. "$(dirname "$0")/setup.sh"
mote_build_release
mote_ctest --test-dir "$mote_build" "$@"
[ $# -eq 0 ] || exit 0
if command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null; then
  exec "$mote_root/cmake/check_aarch64.sh"
fi
echo "mote: not checked for aarch64, which takes g++-aarch64-linux-gnu and qemu-user; MOTE_AARCH64=1 installs them" >&2
