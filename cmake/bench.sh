#!/bin/sh
# Installs what is missing (Debian, as root), builds, and measures how models spend their time on this machine.
# Arguments go to bench_breakdown: cmake/bench.sh --help
set -eu
. "$(dirname "$0")/setup.sh"
mote_build_release bench_breakdown
exec "$mote_build/bin/bench_breakdown" "$@"
