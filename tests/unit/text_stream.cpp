#include <string>
#include <vector>

#include "lib/text/utf8.h"
#include "tests/catch.h"
#include "tests/unit/text_vocabulary.h"

using namespace mote;
using namespace mote::test;

namespace {

const std::string kBad = "\xEF\xBF\xBD"; // U+FFFD

/// What a stream makes of these bytes, one token each; every piece of it must be valid UTF-8.
std::string stream(const Tokenizer& tokenizer, const std::string& bytes) {
  TextStream out(tokenizer);
  std::string text;
  for (const char c : bytes) {
    const std::string_view piece = out.push(static_cast<unsigned char>(c));
    CHECK(text::valid_prefix(piece) == piece.size());
    text += piece;
  }
  return text += out.finish();
}

} // namespace

TEST_CASE("a text stream never cuts a character") {
  const Tokenizer t = make(bpe_vocabulary("gpt-2"));
  const std::string text = "aé中🦙\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\x7F";
  CHECK(stream(t, text) == text);
  TextStream out(t);
  for (const int byte : {0xF0, 0x9F, 0xA6}) CHECK(out.push(byte).empty());
  CHECK(out.push(0x99) == "🦙");
  CHECK(out.push('a') == "a");
  CHECK(out.finish().empty());
}

TEST_CASE("a text stream replaces what can never be a character") {
  const Tokenizer t = make(bpe_vocabulary("gpt-2"));
  CHECK(stream(t, "a\xFF" "b") == "a" + kBad + "b");
  CHECK(stream(t, "\x80\xBF") == kBad + kBad);
  CHECK(stream(t, "\xC3(") == kBad + "(");
  CHECK(stream(t, "\xC0\xAF") == kBad + kBad);              // overlong
  CHECK(stream(t, "\xE0\x80\xAF") == kBad + kBad + kBad);   // overlong
  CHECK(stream(t, "\xED\xA0\x80") == kBad + kBad + kBad);   // a surrogate
  CHECK(stream(t, "\xF4\x90\x80\x80") == kBad + kBad + kBad + kBad); // beyond U+10FFFF
  CHECK(stream(t, "\xE2\x82") == kBad);                     // cut at the end: one for the character begun
  CHECK(stream(t, "\xE2\x82\xE2\x82\xAC") == kBad + "€");
  CHECK(stream(t, "\xF0\x9F\xA6") == kBad);
  CHECK(stream(t, "\xF0\x9F\xA6 x") == kBad + " x");
}

TEST_CASE("a text stream shows what is wrong as soon as it is known") {
  const Tokenizer t = make(bpe_vocabulary("gpt-2"));
  TextStream out(t);
  CHECK(out.push(0xE2).empty());
  CHECK(out.push('a') == kBad + "a");
  CHECK(out.push(0xFF) == kBad);
  CHECK(out.push(-1).empty());
  CHECK(out.push(t.n_vocab()).empty());
  CHECK(out.push(t.eos()).empty());
  CHECK(out.push(0xC3).empty());
  CHECK(out.finish() == kBad);
  CHECK(out.finish().empty());
  CHECK(out.push(0xA9) == kBad); // a new text: the byte before is forgotten
}

TEST_CASE("a text stream drops the space that the tokenizer puts in front, once") {
  auto v = spm_vocabulary({"▁a", "▁", "b"});
  const std::int32_t a = 259, space = 260, b = 261;
  const Tokenizer t = make(v);
  TextStream out(t);
  CHECK(out.push(t.bos()).empty());
  CHECK(out.push(a) == "a");
  CHECK(out.push(a) == " a");
  CHECK(out.finish().empty());
  CHECK(out.push(space).empty()); // a new text
  CHECK(out.push(space) == " ");
  TextStream other(t);
  CHECK(other.push(b) == "b");
  CHECK(other.push(a) == " a");
  v.adds_space_prefix = false;
  const Tokenizer plain = make(v);
  TextStream kept(plain);
  CHECK(kept.push(a) == " a");
}

TEST_CASE("UTF-8 is read as Unicode defines it") {
  using text::Utf8;
  for (char32_t code : {0x0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string bytes;
    text::append_char(bytes, code);
    const auto c = text::read_char(bytes + "\x80");
    CHECK(c.kind == Utf8::valid);
    CHECK(c.code == code);
    CHECK(c.size == bytes.size());
    CHECK(text::valid_prefix(bytes) == bytes.size());
    for (std::size_t n = 1; n < bytes.size(); ++n) {
      const auto part = text::read_char(std::string_view(bytes).substr(0, n));
      CHECK(part.kind == Utf8::cut);
      CHECK(part.size == n);
    }
  }
  // Every first byte with every second one: as the table of well-formed sequences in the Unicode standard has it.
  for (int first = 0x80; first < 0x100; ++first) {
    for (int second = 0; second < 0x100; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second), '\x80', '\x80'};
      const bool continues = second >= 0x80 && second < 0xC0;
      bool valid = continues && first >= 0xC2 && first <= 0xF4;
      if (first == 0xE0) valid = valid && second >= 0xA0;
      if (first == 0xED) valid = valid && second < 0xA0;
      if (first == 0xF0) valid = valid && second >= 0x90;
      if (first == 0xF4) valid = valid && second < 0x90;
      const auto c = text::read_char(bytes);
      CHECK((c.kind == Utf8::valid) == valid);
      if (!valid) CHECK(c.size == 1);
    }
  }
  CHECK(text::valid_prefix("12345678é12345678\xFF") == 18);
  CHECK(text::valid_prefix("") == 0);
}
