#!/bin/sh
# Checks who includes whom in the tree ROOT. Usage: check_includes.sh ROOT
set -eu
rules=$(cd "$(dirname "$0")" && pwd)/include_rules.awk
cd "$1"
LC_ALL=C
export LC_ALL
files=$(find include lib kernels quant examples bench -name '*.h' -o -name '*.cpp' -o -name '*.inc' | sort)
if [ -z "$files" ]; then
  echo "no sources in $1"
  exit 1
fi
# shellcheck disable=SC2086 # a list of words
awk -f "$rules" $files
