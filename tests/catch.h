/// Catch2, version 3 or 2, as the tests use it: the macros, Approx and the generators. Matchers and reporters differ between
/// the versions and are not used.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
