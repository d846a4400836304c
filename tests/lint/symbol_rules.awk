# What the library's objects may refer to; check_symbols.sh feeds it "object: symbol U" lines of nm. Prints
# "object: symbol: why" for each violation, exits 1 after any.

function forbid(names, why, parts, n, i) {
  n = split(names, parts, " ")
  for (i = 1; i <= n; i++) forbidden[parts[i]] = why
}

BEGIN {
  forbid("abort exit _exit _Exit quick_exit raise kill __assert_fail __assert_perror_fail", "the library never ends the process")
  forbid("signal sigaction sigset bsd_signal __sysv_signal", "signal handlers belong to the application")
  forbid("printf fprintf dprintf sprintf snprintf asprintf vprintf vfprintf vdprintf vsprintf vsnprintf vasprintf " \
         "__printf_chk __fprintf_chk __dprintf_chk __sprintf_chk __snprintf_chk __asprintf_chk __vprintf_chk " \
         "__vfprintf_chk __vdprintf_chk __vsprintf_chk __vsnprintf_chk __vasprintf_chk puts fputs putchar putc fputc perror",
         "the library prints nothing, and formats without the locale (std::to_chars)")
  forbid("_ZSt4cout _ZSt4cerr _ZSt4clog _ZSt5wcout _ZSt5wcerr _ZNSt8ios_base4InitC1Ev", "no iostreams in the library")
  forbid("__cxa_throw", "errors are values: nothing is thrown here")
  forbid("setenv putenv unsetenv setlocale", "the library leaves the process's environment alone")

  # Inline code of libstdc++ refers to these; they are called only when a container is out of memory or asked for more than
  # it can ever hold, and std::bad_alloc is caught in lib/api.
  forgiven = " _ZSt17__throw_bad_allocv _ZSt28__throw_bad_array_new_lengthv _ZSt20__throw_length_errorPKc "
  # string(nullptr), substr() behind the end, an empty std::function, a lock or thread that the system refuses: programming
  # errors and a lack of resources.
  forgiven = forgiven "_ZSt19__throw_logic_errorPKc _ZSt24__throw_out_of_range_fmtPKcz _ZSt25__throw_bad_function_callv _ZSt20__throw_system_errori "
}

{
  object = $1
  sub(/:$/, "", object)
  sub(/.*\.dir\/(\.\/)?/, "", object)
  symbol = $2
  sub(/@.*/, "", symbol)
  why = ""
  # nlohmann-json shows the control characters of a bad token with it
  if (symbol == "snprintf" && object == "lib/hf/json.cpp.o") why = ""
  else if (symbol in forbidden) why = forbidden[symbol]
  else if (symbol ~ /^_ZSt[0-9]+__throw_/ && index(forgiven, " " symbol " ") == 0) why = "a function of the standard library that throws"
  else if (symbol ~ /^(secure_)?getenv$/ && object != "kernels/dispatch.cpp.o") why = "the environment is read in one place, for MOTE_ISA"
  if (why != "") {
    print object ": " symbol ": " why
    bad = 1
  }
}

END { exit bad }
