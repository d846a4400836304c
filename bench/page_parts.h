/// The files of bench/page, which the build puts into the program.
#pragma once
#include <string_view>

namespace bench {

extern const std::string_view page_html; ///< with {{css}}, {{kind}}, {{data}} and {{script}}, in this order
extern const std::string_view page_css;
extern const std::string_view page_script;

} // namespace bench
