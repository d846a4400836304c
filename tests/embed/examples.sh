#!/bin/sh
# The examples on sound input. Usage: examples.sh BIN FIXTURES
set -eu
bin=$1 fixtures=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

expect() { # what, expected, found
  if [ "$2" != "$3" ]; then
    echo "$1: expected '$2', found '$3'"
    exit 1
  fi
}

expect "ids" "263" "$(printf 'a' | "$bin/tokenize" "$fixtures/tiny.gguf")"
expect "ids with bos" "1 259 262" "$(printf 'ab' | "$bin/tokenize" "$fixtures/vocabulary.gguf" --ids --bos)"
expect "pieces" "▁ ab <0x0A>" "$(printf 'ab\n' | "$bin/tokenize" "$fixtures/vocabulary.gguf" --pieces)"
expect "no text" "" "$(printf '' | "$bin/tokenize" "$fixtures/vocabulary.gguf")"
expect "names of control tokens are text" "12" "$(printf '</s>' | "$bin/tokenize" "$fixtures/vocabulary.gguf" | wc -w | awk '{ print $1 + 7 }')"
expect "control tokens" "2" "$(printf '</s>' | "$bin/tokenize" "$fixtures/vocabulary.gguf" --parse-special)"

# The same bits by every way.
hash=$("$bin/logits" "$fixtures/tiny.gguf" --tokens 1,263,260,261 --sha256)
for way in "--batch 1" "--batch 3 --threads 2" "--threads 3" "--isa scalar"; do
  # shellcheck disable=SC2086 # a list of words
  expect "logits $way" "$hash" "$("$bin/logits" "$fixtures/tiny.gguf" --tokens 1,263,260,261 --sha256 $way)"
done
if [ "$hash" = "$("$bin/logits" "$fixtures/tiny.gguf" --tokens 1,263,261,260 --sha256)" ]; then
  echo "other tokens have the same logits"
  exit 1
fi
"$bin/logits" "$fixtures/tiny.gguf" --tokens 1,263,260,261 --out "$scratch/last.f32"
"$bin/logits" "$fixtures/tiny.gguf" --tokens 1,263,260,261 >"$scratch/piped.f32"
"$bin/logits" "$fixtures/tiny.gguf" --tokens 1,263,260,261 --all --out "$scratch/all.f32"
expect "size" "$((264 * 4))" "$(wc -c <"$scratch/last.f32" | tr -d ' ')"
expect "size of all" "$((4 * 264 * 4))" "$(wc -c <"$scratch/all.f32" | tr -d ' ')"
tail -c $((264 * 4)) "$scratch/all.f32" | cmp - "$scratch/last.f32"
cmp "$scratch/piped.f32" "$scratch/last.f32"
if command -v sha256sum >/dev/null 2>&1; then
  expect "sha256" "$hash" "$(sha256sum <"$scratch/last.f32" | cut -d ' ' -f 1)"
fi
shape="layers=1,d_model=64,d_ff=96,heads=2,vocab=50,ctx=8"
first=$("$bin/logits" --shape "$shape" --type Q8_0 --seed 5 --tokens 1,2,3 --sha256)
expect "the same seed" "$first" "$("$bin/logits" --shape "$shape" --type Q8_0 --seed 5 --tokens 1,2,3 --sha256 --threads 2)"
if [ "$first" = "$("$bin/logits" --shape "$shape" --type Q8_0 --seed 6 --tokens 1,2,3 --sha256)" ]; then
  echo "another seed makes the same model"
  exit 1
fi

# The prompt and what follows, timings on stderr; the end of the context ends the text.
"$bin/generate" "$fixtures/tiny.gguf" -p "ab" -n 200 --threads 2 >"$scratch/story" 2>"$scratch/timings"
expect "prompt" "ab" "$(head -c 2 "$scratch/story")"
grep -q '^decode .* tokens/s$' "$scratch/timings"
expect "greedy" "$(cat "$scratch/story")" "$("$bin/generate" "$fixtures/tiny.gguf" -p "ab" -n 200 --temp 0 --isa scalar 2>/dev/null)"
sampled=$("$bin/generate" "$fixtures/tiny.gguf" -p "a" --temp 1 --top-k 50 --top-p 0.9 --seed 3 2>/dev/null)
expect "sampling" "$sampled" "$("$bin/generate" "$fixtures/tiny.gguf" -p "a" --temp 1 --top-k 50 --top-p 0.9 --seed 3 --threads 3 2>/dev/null)"

"$bin/quantize" "$fixtures/tiny.gguf" "$scratch/small.gguf" --type Q8_0 --threads 2 2>"$scratch/quantize"
expect "quantize is quiet" "" "$(cat "$scratch/quantize")"
expect "tokens of the quantized file" "263" "$(printf 'a' | "$bin/tokenize" "$scratch/small.gguf")"
[ "$(wc -c <"$scratch/small.gguf")" -lt "$(wc -c <"$fixtures/tiny.gguf")" ]
"$bin/generate" "$scratch/small.gguf" -n 3 >/dev/null 2>&1

for program in generate tokenize logits quantize; do
  "$bin/$program" --help | grep -q '^Usage: ' || { echo "$program --help"; exit 1; }
done
echo "all fine"
