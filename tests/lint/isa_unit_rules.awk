# What an ISA unit may hold: code compiled for one instruction set must not reach a program by another way than its table of
# kernels. check_isa_units.sh feeds it "object: symbol type ..." lines of nm for all objects; a unit is an object that defines a
# table. Prints "object: symbol: why" for each violation, exits 1 after any. fmaf is what a processor without the instruction
# calls; it is exact, as no other function of libm is.

{
  object = $1
  sub(/:$/, "", object)
  sub(/.*\.dir\/(\.\/)?/, "", object)
  n++
  object_of[n] = object
  symbol[n] = $2
  type[n] = $3
  if ($3 ~ /^[BDR]$/ && $2 ~ /^_ZN4mote7kernels[0-9]+k[A-Za-z0-9]+KernelsE$/) {
    if (!(object in tables)) n_units++
    tables[object]++
  }
}

function report(i, why) {
  print object_of[i] ": " symbol[i] ": " why
  bad = 1
}

END {
  if (n_units == 0) {
    print "no object defines a table of kernels (mote::kernels::k...Kernels)"
    exit 1
  }
  for (i = 1; i <= n; i++) {
    if (!(object_of[i] in tables)) continue
    is_table = symbol[i] ~ /^_ZN4mote7kernels[0-9]+k[A-Za-z0-9]+KernelsE$/
    if (type[i] ~ /^[WwVvu]$/) report(i, "a weak symbol: the linker may keep this copy for code that runs on any processor")
    else if (symbol[i] ~ /^_GLOBAL__sub_I|__cxx_global_var_init/) report(i, "a static initializer would run before the processor is known")
    else if (type[i] == "U") {
      if (!is_table && symbol[i] !~ /^(mem(cpy|move|set|cmp)|fmaf|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$/) {
        report(i, "a unit refers to nothing outside but other tables, mem functions and fmaf")
      }
    } else if (type[i] ~ /^[A-Z]$/ && !is_table) {
      report(i, "a second external symbol; all but the table stands in an anonymous namespace")
    } else if (type[i] ~ /^[A-Z]$/ && tables[object_of[i]] > 1) {
      report(i, "a second table; a unit is one ISA")
    }
  }
  exit bad
}
