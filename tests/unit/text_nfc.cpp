#include <string>

#include "lib/text/nfc.h"
#include "tests/catch.h"

using mote::text::may_change_in_nfc;
using mote::text::to_nfc;

TEST_CASE("canonical composition") {
  struct Case {
    const char *text, *nfc;
  };
  // Expected values: Python's unicodedata.normalize("NFC", text), Unicode 14.
  const Case cases[] = {
      {"e\u0301", "\u00E9"},
      {"A\u030A", "\u00C5"},
      {"\u212B", "\u00C5"},                          // a singleton
      {"\u2126", "\u03A9"},
      {"q\u0307\u0323", "q\u0323\u0307"},            // marks are put in order
      {"a\u0323\u0302", "\u1EAD"},                   // two steps
      {"a\u0302\u0323", "\u1EAD"},
      {"a\u0315\u0301", "\u00E1\u0315"},             // a mark of another class does not block
      {"a\u0300\u0301", "\u00E0\u0301"},             // one of the same class does
      {"e\u0305\u0301", "e\u0305\u0301"},            // and so it does when it does not compose itself
      {"\u0344", "\u0308\u0301"},                    // excluded from composition
      {"\u0958", "\u0915\u093C"},
      {"\u1100\u1161", "\uAC00"},                    // Hangul
      {"\u1100\u1161\u11A8", "\uAC01"},
      {"\uAC00\u11A8", "\uAC01"},
      {"\uAC01\u11A8", "\uAC01\u11A8"},
      {"\u1100\u1100\u1161", "\u1100\uAC00"},
      {"\uAC00\u11A7", "\uAC00\u11A7"},              // no trailing consonant
      {"\u09C7\u09BE", "\u09CB"},                    // a second part that is a starter
      {"\u09C7\u0334\u09BE", "\u09C7\u0334\u09BE"},  // which anything in between blocks
      {"\uF900", "\u8C48"},
      {"\U0002F800", "\u4E3D"},
      {"\U0001D15E", "\U0001D157\U0001D165"},
      {"\u0301e", "\u0301e"},                        // a mark with nothing before it
      {"\u30AB\u3099", "\u30AC"},
  };
  for (const Case& c : cases) {
    INFO(c.text << " " << c.nfc);
    CHECK(to_nfc(c.text) == c.nfc);
    CHECK(to_nfc(c.nfc) == c.nfc);
    CHECK(to_nfc(std::string("文") + c.text + "文" + c.text) == std::string("文") + c.nfc + "文" + c.nfc);
    if (std::string(c.text) != c.nfc) CHECK(may_change_in_nfc(c.text));
  }
}

TEST_CASE("text of western scripts is known to be in NFC at a glance") {
  for (const char* text : {"", "plain", "Größe é", "\u02FF"}) CHECK_FALSE(may_change_in_nfc(text));
  for (const char* text : {"", "plain", "Größe é", "中文 ひらがな 한국어", "Привет", "🦙", "\u02FF"}) CHECK(to_nfc(text) == text);
  CHECK(may_change_in_nfc("a\u0301"));
}

TEST_CASE("long runs of marks are put in order in little time") {
  std::string marks = "a", sorted = "a";
  for (int i = 0; i < 20'000; ++i) marks += "\u0345\u0334";
  for (int i = 0; i < 20'000; ++i) sorted += "\u0334";
  for (int i = 0; i < 20'000; ++i) sorted += "\u0345";
  CHECK(to_nfc(marks) == sorted);
}
