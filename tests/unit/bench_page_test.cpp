#include "bench/page.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"

using Json = nlohmann::json;

namespace {

/// What stands between two texts, the first time.
std::string between(const std::string& page, std::string_view before, std::string_view after) {
  const std::size_t start = page.find(before);
  REQUIRE(start != std::string::npos);
  const std::size_t end = page.find(after, start + before.size());
  REQUIRE(end != std::string::npos);
  return page.substr(start + before.size(), end - start - before.size());
}

/// As a browser takes it: up to the first end of a script element.
std::string data_of(const std::string& page) { return between(page, "id=\"data\">", "</script>"); }

std::size_t count(const std::string& text, std::string_view word) {
  std::size_t n = 0;
  for (std::size_t i = text.find(word); i != std::string::npos; i = text.find(word, i + 1)) n += 1;
  return n;
}

} // namespace

TEST_CASE("A page holds its data, whatever the texts in it", "[bench]") {
  for (const char* name :
       {"a </script><script>alert(1)</script>", "<!-- <script>", "]]> & \" ' \\ \\\" {{css}} {{data}} {{script}}",
        "space  and \n line", "caf\xc3\xa9 \xe2\x80\xa8", "ends with \\"}) {
    const Json data = {{"mote", "0.1.0"}, {"runs", {{{"model", name}, {"n", 1.5}}}}};
    for (const int indent : {-1, 2}) {
      const std::string page = bench::page_of_report(data.dump(indent));
      INFO(page.size());
      CHECK(Json::parse(data_of(page)) == data);
      CHECK(count(page, "</script>") == 2);
      CHECK(page.ends_with("</html>\n"));
    }
  }
}

TEST_CASE("A page needs nothing but itself", "[bench]") {
  const std::string page = bench::page_of_report("{\"runs\": []}");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.find("{{") == std::string::npos);
  CHECK(page.find("default-src 'none'") != std::string::npos);
  CHECK(page.find("src=") == std::string::npos);
  CHECK(page.find("@import") == std::string::npos);
  CHECK(page.find("url(http") == std::string::npos);
  CHECK(page.find("fetch(") == std::string::npos);
}

TEST_CASE("A page knows what it shows", "[bench]") {
  CHECK(between(bench::page_of_report("{}"), "data-kind=\"", "\"") == "report");
  CHECK(between(bench::page_of_study("{}"), "data-kind=\"", "\"") == "study");
  CHECK(between(bench::page_of_comparison("{}"), "data-kind=\"", "\"") == "comparison");
}
