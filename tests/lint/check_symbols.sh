#!/bin/sh
# Checks the symbols of compiled objects by one of the rule files here.
# Usage: check_symbols.sh symbols|isa_units NM LIST    LIST: a file with the path of an object on each line
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rules=$1 nm=$2 list=$3
if ! [ -s "$list" ]; then
  echo "no objects in $list"
  exit 1
fi
LC_ALL=C
export LC_ALL
symbols=$(mktemp)
trap 'rm -f "$symbols"' EXIT
tr '\n' '\0' <"$list" | xargs -0 "$nm" -P -A >"$symbols"
case $rules in
  symbols) awk '$3 == "U" || $3 == "w"' "$symbols" | awk -f "$here/symbol_rules.awk" ;;
  isa_units) awk -f "$here/isa_unit_rules.awk" "$symbols" ;;
  *)
    echo "unknown rules: $rules"
    exit 2
    ;;
esac
