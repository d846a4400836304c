// Ids that the programs of others give: tests/golden/text/make_text_golden.py.
#include <string>

#include "tests/catch.h"
#include "tests/golden/text/golden_file.h"

namespace {

std::string hex(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

} // namespace

TEST_CASE("small vocabularies give the ids that tokenizers and sentencepiece give") {
  const auto vocabularies = mote::test::read_golden_vocabularies(MOTE_SOURCE_DIR "/tests/golden/text/vocabularies.txt");
  REQUIRE(vocabularies.size() == 11);
  std::size_t n_texts = 0, n_special = 0, n_round_trips = 0;
  for (const mote::test::GoldenVocabulary& golden : vocabularies) {
    INFO(golden.vocabulary.source << " " << golden.vocabulary.pre);
    const auto tokenizer = mote::text::make_tokenizer(golden.vocabulary);
    if (!tokenizer) FAIL(tokenizer.error().message);
    CHECK(tokenizer->n_vocab() == static_cast<int>(golden.vocabulary.tokens.size()));
    for (const mote::test::GoldenText& text : golden.texts) {
      INFO("text: " << text.text << " (" << hex(text.text) << ")");
      const auto ids = tokenizer->encode(text.text, {.bos = false, .parse_special = text.parse_special});
      REQUIRE(ids);
      CHECK(*ids == text.ids);
      if (text.round_trip) CHECK(tokenizer->decode(*ids) == text.text);
      ++(text.parse_special ? n_special : n_texts);
      n_round_trips += text.round_trip;
    }
  }
  CHECK(n_texts > 700); // the file has been read to its end
  CHECK(n_special >= 40);
  CHECK(n_round_trips > 600);
}
