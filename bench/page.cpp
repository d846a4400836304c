#include "bench/page.h"

#include <utility>

#include "bench/page_parts.h"

namespace bench {
namespace {

/// JSON without the space between its values. Inside of a script element only "<" can end it or begin a comment; JSON has it in
/// strings only, where it may be escaped.
std::string inside_script(std::string_view json) {
  std::string text;
  bool in_string = false, escaped = false;
  for (const char c : json) {
    if (!in_string && (c == ' ' || c == '\n' || c == '\t' || c == '\r')) continue;
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = c == '\\' && !escaped;
    if (c == '<') text += "\\u003c";
    else text += c;
  }
  return text;
}

/// The template's marks are looked for in the template only: what takes the place of one is not looked at again.
std::string page(std::string_view kind, std::string_view json) {
  const std::string data = inside_script(json);
  const std::pair<std::string_view, std::string_view> parts[] = {
      {"{{css}}", page_css}, {"{{kind}}", kind}, {"{{data}}", data}, {"{{script}}", page_script}};
  std::string text;
  std::string_view rest = page_html;
  for (const auto& [mark, part] : parts) {
    const std::size_t place = rest.find(mark);
    text.append(rest.substr(0, place)).append(part);
    rest.remove_prefix(place + mark.size());
  }
  return text.append(rest);
}

} // namespace

std::string page_of_report(std::string_view json) { return page("report", json); }
std::string page_of_study(std::string_view json) { return page("study", json); }
std::string page_of_comparison(std::string_view json) { return page("comparison", json); }

} // namespace bench
