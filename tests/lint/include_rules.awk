# The include rules, file by file; check_includes.sh runs it. Prints "file:line: why" for each violation, exits 1 after any.

BEGIN {
  # Who may include whose headers, beside its own and those of include/mote, which everyone may.
  may["include"] = ""
  may["quant"] = ""
  may["kernels"] = "quant"
  may["lib/runtime"] = ""
  may["lib/gguf"] = ""
  may["lib/hf"] = "quant lib/gguf lib/text"
  may["lib/spec"] = "lib/gguf lib/hf"
  may["lib/weights"] = "quant kernels lib/runtime lib/gguf lib/spec"
  may["lib/decoder"] = "quant kernels lib/runtime lib/spec lib/weights"
  may["lib/text"] = "lib/gguf"
  may["lib/api"] = "quant kernels lib/runtime lib/gguf lib/hf lib/spec lib/weights lib/decoder lib/text"
  may["bench"] = ""
  may["examples"] = ""
}

function folder_of(path, parts, n) {
  n = split(path, parts, "/")
  if (parts[1] == "mote") return "include"
  if (n == 1) return ""
  return parts[1] == "lib" && n > 2 ? parts[1] "/" parts[2] : parts[1]
}

function report(line, why) {
  printf "%s:%d: %s\n", file, line, why
  bad = 1
}

function check_own(line, path, to) {
  to = folder_of(path)
  if (!(to in may)) {
    report(line, "\"" path "\": write the path from the root of the repository (public headers as \"mote/...\")")
  } else if (to != from && to != "include" && index(" " may[from] " ", " " to " ") == 0) {
    report(line, "\"" path "\": " from "/ may include " (may[from] == "" ? "nothing" : may[from]) " beside itself and mote/, not " to "/")
  }
}

function check_foreign(line, path, library) {
  if (path ~ /^mote\//) return
  library = from != "bench" && from != "examples"
  if (from == "include") {
    if (path !~ /^[a-z_0-9]+$/) report(line, "<" path ">: public headers include the C++ standard library and mote/ only")
  } else if (path ~ /^(pcre2|utf8proc)/) {
    if (from != "lib/text") report(line, "<" path ">: PCRE2 and utf8proc belong to lib/text only")
  } else if (path ~ /^(cblas|xnnpack|pthreadpool)/) {
    if (from != "bench" && from != "kernels") report(line, "<" path ">: other libraries' kernels belong to kernels/ and bench/ only")
  } else if (path ~ /^nlohmann\//) {
    if (from != "bench" && from != "lib/hf") report(line, "<" path ">: JSON belongs to lib/hf and bench/ only")
  } else if (path ~ /^(fmt|CLI|Eigen|catch2|benchmark)\//) {
    if (from != "bench") report(line, "<" path ">: " (library ? "the library has no dependency but PCRE2 and utf8proc" : "the examples use the standard library only"))
  }
  if (library && path ~ /^(iostream|cassert|assert\.h)$/) {
    report(line, "<" path ">: the library prints nothing and asserts nothing; errors are values")
  }
}

function finish() {
  if (file ~ /\.h$/ && !has_once) report(1, "a header starts with #pragma once")
}

FNR == 1 {
  if (file != "") finish()
  file = FILENAME
  from = folder_of(file)
  has_once = 0
  if (!(from in may)) report(1, from "/ is no folder that the rules know: give it a row in tests/lint/include_rules.awk")
}

/^[ \t]*#[ \t]*pragma[ \t]+once/ { has_once = 1 }

/^[ \t]*#[ \t]*include/ && (from in may) {
  if (match($0, /"[^"]*"/)) check_own(FNR, substr($0, RSTART + 1, RLENGTH - 2))
  else if (match($0, /<[^>]*>/)) check_foreign(FNR, substr($0, RSTART + 1, RLENGTH - 2))
  else report(FNR, "an include names its file literally")
}

END {
  if (file != "") finish()
  exit bad
}
