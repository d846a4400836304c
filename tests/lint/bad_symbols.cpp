// Refers to what the library must not refer to; the last three lines are allowed.
asm(R"(
  .data
  .dc.a abort
  .dc.a quick_exit
  .dc.a __assert_fail
  .dc.a sigaction
  .dc.a snprintf
  .dc.a __vfprintf_chk
  .dc.a puts
  .dc.a _ZSt4cerr
  .dc.a __cxa_throw
  .dc.a _ZSt16__throw_bad_castv
  .dc.a getenv
  .dc.a setenv
  .dc.a memcpy
  .dc.a _ZSt20__throw_length_errorPKc
  .dc.a abort_transaction
)");
