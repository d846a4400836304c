/// Cuts text into the words within which byte-level BPE merges, as the model's own tokenizer does.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mote/result.h"

namespace mote::text {

/// How the text is prepared for a vocabulary: the values that tokenizer.ggml.pre can name.
struct PrePattern {
  std::string_view name;
  /// Regular expressions as the models' tokenizer.json files publish them. Each cuts the pieces that the one before it left
  /// into matches and what lies between them; a piece's ends are the ends of the text for it.
  std::span<const std::string_view> splits;
  bool nfc = false;           ///< the text is normalized first
  bool whole_words = false;   ///< a word that is a token becomes it without merging
  bool adds_bos = false;      ///< when the file does not say
};

/// Null if there is none of this name.
const PrePattern* find_pre_pattern(std::string_view name) noexcept;
/// The one that does this; null if there is none. Others may do the same under another name.
const PrePattern* find_pre_pattern(std::span<const std::string> splits, bool nfc, bool whole_words) noexcept;
/// What a file that names no pattern has, known by general.architecture: such files are older than the key, and these
/// families had one tokenizer then. Null if it cannot be known.
const PrePattern* find_pre_pattern_of(std::string_view architecture) noexcept;
/// "deepseek-coder, deepseek-llm, ..."
std::string pre_pattern_names();

/// Immutable; any thread.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  /// Errors: out_of_memory; unsupported, a pattern that PCRE2 does not take, which a test rules out for those of find_pre_pattern.
  static Result<PreTokenizer> create(std::span<const std::string_view> splits);
  /// Replaces words with views of the parts of text, which must be valid UTF-8; together they are the text. Time is linear in
  /// the text: the patterns are such that a match fails or ends within reach of what it consumes, and a limit holds that.
  /// Errors: out_of_memory; unsupported, if the limit was reached.
  Status split(std::string_view text, std::vector<std::string_view>& words) const;
  std::size_t memory_bytes() const noexcept;

 private:
  std::vector<std::shared_ptr<const void>> codes_; // pcre2_code
};

} // namespace mote::text
