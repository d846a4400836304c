/// Reads vocabularies.txt, which make_text_golden.py describes.
#pragma once
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "lib/text/tokenizer.h"

namespace mote::test {

struct GoldenText {
  bool parse_special = false;
  bool round_trip = false; ///< decoding the ids gives the text again
  std::string text;
  std::vector<std::int32_t> ids;
};

struct GoldenVocabulary {
  text::Vocabulary vocabulary;
  std::vector<GoldenText> texts;
};

inline std::string unescape(const std::string& word) {
  std::string text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '%') {
      text += static_cast<char>(std::stoi(word.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      text += word[i];
    }
  }
  return text;
}

inline GoldenText read_golden_text(std::istringstream& line, const std::vector<std::string>& texts) {
  GoldenText golden;
  std::size_t number = 0;
  line >> number >> golden.round_trip;
  golden.text = texts.at(number);
  for (std::int32_t id; line >> id;) golden.ids.push_back(id);
  return golden;
}

/// Empty if the file cannot be read.
inline std::vector<GoldenVocabulary> read_golden_vocabularies(const std::string& path) {
  std::vector<GoldenVocabulary> all;
  std::vector<std::string> texts;
  std::ifstream file(path, std::ios::binary);
  for (std::string whole; std::getline(file, whole);) {
    std::istringstream line(whole);
    std::string what, word;
    line >> what;
    if (what == "text") {
      line >> word;
      texts.push_back(unescape(word));
    } else if (what == "vocabulary") {
      text::Vocabulary& v = all.emplace_back().vocabulary;
      line >> word;
      v.source = "golden " + std::to_string(all.size() - 1);
      v.kind = word == "gpt2" ? text::VocabularyKind::byte_bpe : text::VocabularyKind::sentencepiece;
      if (word == "gpt2") {
        line >> v.pre;
      } else {
        line >> v.adds_space_prefix;
      }
    } else if (what == "token") {
      text::Vocabulary& v = all.back().vocabulary;
      line >> v.types.emplace_back() >> word;
      v.tokens.push_back(unescape(word));
      if (v.kind == text::VocabularyKind::sentencepiece) line >> v.scores.emplace_back();
    } else if (what == "merge") {
      text::Vocabulary& v = all.back().vocabulary;
      std::size_t left = 0, right = 0;
      line >> left >> right;
      v.merges.push_back(v.tokens.at(left) + " " + v.tokens.at(right));
    } else if (what == "encode" || what == "special") {
      all.back().texts.push_back(read_golden_text(line, texts));
      all.back().texts.back().parse_special = what == "special";
    }
  }
  return all;
}

} // namespace mote::test
