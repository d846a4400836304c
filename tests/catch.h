/// Catch2, version 3 or 2, as the tests use it: the macros, Approx and the generators. Matchers and reporters differ between
/// the versions and are not used; contains() stands in for the one that is missed most.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <string_view>

namespace mote::test {

/// Whether part stands somewhere in text: for checks of error messages.
inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

} // namespace mote::test
