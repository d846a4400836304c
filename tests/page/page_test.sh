#!/bin/sh
# Opens the pages of bench_report in a headless Chromium. Usage: page_test.sh BIN
set -eu
for tool in python3 chromium chromedriver; do
  command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 0; }
done
exec python3 -B "$(dirname "$0")/page_test.py" "$1"
