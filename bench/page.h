/// HTML pages that need nothing but themselves: style, script and data are inside, and nothing is fetched.
#pragma once
#include <string>
#include <string_view>

namespace bench {

/// All take JSON (UTF-8) and draw what is there: absent keys leave out what they would have shown. What the data says is shown as
/// text, whatever it holds.

/// Of what json_of() in bench/report.h writes.
std::string page_of_report(std::string_view json);
/// Of findings, tables and charts; bench/page/README.md describes the JSON.
std::string page_of_study(std::string_view json);
/// Of what comparison_json() in bench/comparison.h writes.
std::string page_of_comparison(std::string_view json);

} // namespace bench
