#!/bin/sh
# Bad input to the programs: the right exit status, exactly one line on stderr that says what is wrong, nothing on stdout.
# Usage: bad_input.sh BIN FIXTURES generate|tokenize|logits|quantize|bench_breakdown|bench_report
set -u
bin=$1 fixtures=$2 program=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
n=0 n_bad=0

# refuse STATUS WORDS ARGUMENTS...: WORDS must stand in the message, whatever the case.
refuse() {
  expected=$1 words=$2
  shift 2
  "$bin/$program" "$@" </dev/null >"$scratch/out" 2>"$scratch/err"
  status=$?
  fault=
  [ "$status" -eq "$expected" ] || fault="exit status $status, expected $expected"
  [ "$(wc -l <"$scratch/err")" -eq 1 ] || fault="$fault; $(wc -l <"$scratch/err") lines on stderr"
  grep -q -i -F -e "$words" "$scratch/err" || fault="$fault; '$words' not in the message"
  [ -s "$scratch/out" ] && fault="$fault; output"
  n=$((n + 1))
  if [ -n "$fault" ]; then
    n_bad=$((n_bad + 1))
    echo "$program $*: $fault"
  fi
  sed "s/^/    /" "$scratch/err"
}

# Every way in which a file can be no model. Arguments: what stands before the file's name, and behind it.
refuse_files() {
  before=$1
  shift
  refuse 1 "missing.gguf" $before "$fixtures/missing.gguf" "$@"
  refuse 1 "$fixtures" $before "$fixtures" "$@"
  refuse 1 "truncated.gguf" $before "$fixtures/truncated.gguf" "$@"
  refuse 1 "truncated_header.gguf" $before "$fixtures/truncated_header.gguf" "$@"
  refuse 1 "text.gguf" $before "$fixtures/text.gguf" "$@"
  refuse 1 "empty.gguf" $before "$fixtures/empty.gguf" "$@"
}

tiny=$fixtures/tiny.gguf
case $program in
  generate)
    refuse_files ""
    refuse 1 "mystery" "$fixtures/unknown_architecture.gguf"
    refuse 1 "tokenizer" "$fixtures/no_tokenizer.gguf" -p a
    refuse 2 "model"
    refuse 2 "--bogus" "$tiny" --bogus
    refuse 2 "unexpected" "$tiny" "$tiny"
    refuse 2 "--threads" "$tiny" --threads 0
    refuse 2 "--threads" "$tiny" --threads 2x
    refuse 2 "--threads" "$tiny" --threads
    refuse 2 "-n" "$tiny" -n -1
    refuse 2 "scalar" "$tiny" --isa mmx
    refuse 2 "temperature" "$tiny" --temp -1
    refuse 2 "--temp" "$tiny" --temp hot
    refuse 2 "top_p" "$tiny" --top-p 0
    refuse 2 "--context" "$tiny" --context 17
    refuse 2 "--context" "$tiny" --context 0
    refuse 1 "context" "$tiny" -p "a text of more than sixteen tokens"
    refuse 1 "context" "$tiny" -p "a b a b" --context 2
    ;;
  tokenize)
    refuse_files ""
    refuse 1 "tokenizer" "$fixtures/no_tokenizer.gguf"
    refuse 2 "model"
    refuse 2 "--bogus" "$tiny" --bogus
    refuse 2 "--ids" "$tiny" --ids=3
    ;;
  logits)
    refuse_files "" --tokens 1,2 --sha256
    refuse 1 "mystery" "$fixtures/unknown_architecture.gguf" --tokens 1 --sha256
    refuse 2 "--tokens" "$tiny" --sha256
    refuse 2 "--tokens" "$tiny" --tokens "1,,2" --sha256
    refuse 2 "--tokens" "$tiny" --tokens "1,x" --sha256
    refuse 2 "token" "$tiny" --tokens 1,100000 --sha256
    refuse 2 "one model" --tokens 1 --sha256
    refuse 2 "one model" "$tiny" --preset qwen2-0.5b --tokens 1 --sha256
    refuse 2 "qwen2-0.5b" --preset qwen2-0.6b --tokens 1 --sha256
    refuse 2 "layers" --shape "layers=0,d_model=32,d_ff=32,heads=1,vocab=8" --tokens 1 --sha256
    refuse 2 "colour" --shape "colour=red" --tokens 1 --sha256
    refuse 2 "Q4_K_M" "$tiny" --type Q9_9 --tokens 1 --sha256
    refuse 2 "--threads" "$tiny" --threads 0 --tokens 1 --sha256
    refuse 2 "--batch" "$tiny" --batch 0 --tokens 1 --sha256
    refuse 2 "scalar" "$tiny" --isa mmx --tokens 1 --sha256
    refuse 1 "context" "$tiny" --tokens 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17 --sha256
    refuse 1 "no/such/folder" "$tiny" --tokens 1 --out "$scratch/no/such/folder/x.f32"
    refuse 2 "exclude" "$tiny" --tokens 1 --sha256 --out "$scratch/x.f32"
    ;;
  quantize)
    refuse_files "" "$scratch/out.gguf" --type Q8_0
    refuse 1 "mystery" "$fixtures/unknown_architecture.gguf" "$scratch/out.gguf" --type Q8_0
    refuse 2 "--type" "$tiny" "$scratch/out.gguf"
    refuse 2 "Q4_K_M" "$tiny" "$scratch/out.gguf" --type Q9_9
    refuse 2 "tiny.gguf" "$tiny" "$tiny" --type Q8_0
    refuse 1 "no/such/folder" "$tiny" "$scratch/no/such/folder/x.gguf" --type Q8_0
    if [ -e "$scratch/out.gguf" ]; then
      echo "a refused file left an output"
      n_bad=$((n_bad + 1))
    fi
    ;;
  bench_breakdown)
    refuse_files --model
    refuse 1 "mystery" --model "$fixtures/unknown_architecture.gguf"
    refuse 2 "qwen2-0.5b" --preset qwen2-0.6b
    refuse 2 "--bogus" --bogus
    refuse 2 "threads" --model "$tiny" --threads 0
    refuse 2 "isa" --model "$tiny" --isa mmx
    refuse 2 "format" --model "$tiny" --format xml
    refuse 2 "context" --model "$tiny" --context 17 --prompt 4 --generate 4
    refuse 2 "Q4_K_M" --preset qwen2-0.5b --type Q9_9
    refuse 2 "colour" --shape "colour=red"
    refuse 2 "--save" --model "$tiny" --save "$scratch/out.gguf"
    refuse 2 "--save" --preset qwen2-0.5b --type Q8_0,Q6_K --save "$scratch/out.gguf"
    refuse 2 "--save" --save "$scratch/out.gguf"
    refuse 1 "placement" --shape layers=1,d_model=32,d_ff=32,heads=1,vocab=8,placement=output --save "$scratch/out.gguf"
    refuse 1 "no/such/folder" --preset smollm-135m --save "$scratch/no/such/folder/x.gguf"
    refuse 2 "context" --model "$tiny" --prompt 17 --generate 1
    refuse 2 "context" --model "$tiny" --prompt 10 --generate 4 --context 8
    refuse 2 "context" --shape "layers=1,d_model=32,d_ff=32,heads=1,vocab=8,ctx=16" --prompt 10 --generate 7
    refuse 1 "no/such/folder" --model "$tiny" --prompt 4 --generate 4 --out "$scratch/no/such/folder/x.json"
    refuse 1 "no/such/folder" --model "$tiny" --prompt 4 --generate 4 --trace "$scratch/no/such/folder/x.json"
    refuse 2 "--sustain" --model "$tiny" --sustain -1
    refuse 2 "--sustain" --model "$tiny" --sustain 1e9
    refuse 2 "uW:FILE" --model "$tiny" --power-file "$scratch/power"
    refuse 1 "$scratch/power" --model "$tiny" --prompt 4 --generate 4 --power-file "uW:$scratch/power"
    refuse 1 "$fixtures/text.gguf" --model "$tiny" --prompt 4 --generate 4 --power-file "uJ:$fixtures/text.gguf"
    refuse 1 "no/such/folder" --model "$tiny" --prompt 4 --generate 4 --html "$scratch/no/such/folder/x.html"
    refuse 2 "overview" study nonesuch
    refuse 2 "name" study
    refuse 2 "study" study overview --type Q4_K_M,Q8_0
    refuse 2 "study" study overview --shape "layers=1,d_model=32,d_ff=32,heads=1,vocab=8"
    refuse 2 "study" study overview --model "$tiny"
    refuse 1 "text.gguf" predict --calibration "$fixtures/text.gguf"
    refuse 2 "--depth" predict --depth x
    refuse 2 "--verify" predict --verify --model "$tiny"
    refuse 2 "--verify" predict --verify --format json
    refuse 2 "search" search --params 100M --preset smollm-135m
    refuse 2 "one --type" search --params 100M --type Q4_K_M,Q8_0
    refuse 2 "--params" search
    refuse 2 "--params" search --params many
    refuse 2 "--budget" search --params 100M --budget speed=1
    ;;
  bench_report)
    echo '{"runs": []}' >"$scratch/none.json"
    echo '{"runs": [{"model": "m"}]}' >"$scratch/half.json"
    refuse 2 "report is required"
    refuse 2 "two reports" "$scratch/none.json"
    refuse 2 "--bogus" "$scratch/none.json" "$scratch/none.json" --bogus
    refuse 2 "--format" "$scratch/none.json" "$scratch/none.json" --format xml
    refuse 2 "--ignore" "$scratch/none.json" "$scratch/none.json" --ignore colour
    refuse 1 "missing.json" "$scratch/none.json" "$scratch/missing.json"
    refuse 1 "$fixtures" "$scratch/none.json" "$fixtures"
    refuse 1 "tiny.gguf" "$scratch/none.json" "$tiny"
    refuse 1 "run 0" "$scratch/none.json" "$scratch/half.json"
    refuse 1 "no/such/folder" "$scratch/none.json" "$scratch/none.json" --out "$scratch/no/such/folder/x.md"
    refuse 1 "no/such/folder" "$scratch/none.json" --html "$scratch/no/such/folder/x.html"
    ;;
esac
echo "$n inputs, $n_bad wrong answers"
[ "$n" -gt 0 ] && [ "$n_bad" -eq 0 ]
