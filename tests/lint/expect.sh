#!/bin/sh
# A check that must fail, and say exactly this. Usage: expect.sh EXPECTED_FILE COMMAND [ARGUMENTS]
set -u
expected=$1
shift
found=$(mktemp)
trap 'rm -f "$found"' EXIT
if "$@" >"$found" 2>/dev/null; then
  echo "the check passed what it should have found"
  exit 1
fi
diff -u "$expected" "$found"
