#!/bin/sh
# A trained model, if it is there, writes the text that is published for it. Usage: story.sh BIN EXPECTED SHARED_FOLDER
set -eu
model=${MOTE_SHARED_DIR:-$3}/models/stories260K.gguf
if ! [ -f "$model" ]; then
  echo "SKIPPED: $model is absent"
  exit 0
fi
found=$(mktemp)
trap 'rm -f "$found"' EXIT
for threads in 1 2; do
  "$1/generate" "$model" -p "" -n 200 --temp 0 --threads $threads >"$found" 2>/dev/null
  diff "$2" "$found"
done
