// JSON from untrusted text.
#include "lib/hf/json.h"

#include "tests/catch.h"

using namespace mote;
using hf::Json;
using hf::parse_json;

namespace {

std::string error_of(std::string_view text) {
  const auto json = parse_json(text);
  if (json) return {};
  CHECK(json.error().code == ErrorCode::bad_file);
  return json.error().message;
}

} // namespace

TEST_CASE("json: every kind of value") {
  const auto json =
      parse_json(R"({"n": null, "t": true, "i": -7, "big": 18446744073709551615, "r": 1.5e-3, "s": "\u00e9\n\ud83d\ude00",
                                   "a": [1, [], {}], "o": {"x": {"y": 2}}})");
  REQUIRE(json);
  CHECK(json->find("n")->is_null());
  CHECK(*json->find("t")->boolean());
  CHECK(*json->find("i")->integer() == -7);
  CHECK(json->find("big")->integer() == nullptr);
  CHECK(*json->find("big")->real() == 18446744073709551615.0);
  CHECK(*json->find("r")->real() == 1.5e-3);
  CHECK(*json->find("s")->string() == "é\n😀");
  CHECK(json->find("a")->array()->size() == 3);
  CHECK(*json->find("o")->find("x")->find("y")->integer() == 2);
  CHECK(json->find("missing") == nullptr);
  CHECK(json->find("i")->find("x") == nullptr);
  CHECK(json->find("i")->describe() == "-7");
  CHECK(json->find("a")->describe() == "a list of 3");
  CHECK(json->find("n")->describe() == "null");
}

TEST_CASE("json: what is none") {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "nul", "\"\xff\"", "\"\\ud800\"", "1 2", "NaNa", "{\"a\": infinity}",
                           "1e999", "'a'", "{1: 2}", "[1] // no"}) {
    INFO(text);
    CHECK(error_of(text).starts_with("is no JSON: syntax error at byte "));
  }
  CHECK(error_of(R"({"a": {"b": 1, "c": 2, "b": 3}})") == "the key \"b\" appears twice in an object");
}

TEST_CASE("json: depth is bounded") {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  CHECK(error_of(nested(64)).empty());
  CHECK(error_of(nested(65)) == "nested deeper than 64 levels");
  CHECK(error_of(std::string(1 << 20, '[')) == "nested deeper than 64 levels");
  std::string objects;
  for (int i = 0; i < 100; ++i) objects += "{\"a\":";
  CHECK(error_of(objects) == "nested deeper than 64 levels");
}

TEST_CASE("json: Python's numbers that are none are null") {
  const auto json = parse_json(R"({"a": [0.0, Infinity, -Infinity, NaN], "NaN \\\" Infinity": "\\"})");
  if (!json) FAIL(json.error().message);
  const Json::Array& a = *json->find("a")->array();
  CHECK(a[0].real());
  for (std::size_t i = 1; i < 4; ++i) CHECK(a[i].is_null());
  CHECK(*json->find("NaN \\\" Infinity")->string() == "\\");
}
