/// Tokens that stand for their text wherever it occurs, before anything else is done with the text.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mote::text {

/// User-defined tokens, control tokens. Finds the leftmost, and of those that begin there the longest.
class LiteralTokens {
 public:
  /// A longer text would make the search slow: its time is the length of the text times that of the longest shared beginning.
  static constexpr std::size_t kMaxBytes = 256;

  struct Literal {
    std::string text; ///< 1 to kMaxBytes bytes; of two that are the same the lower token is kept
    std::int32_t token = -1;
  };
  struct Match {
    std::size_t begin, size; ///< begin: the end of the text if nothing was found
    std::int32_t token;
  };

  LiteralTokens() = default;
  explicit LiteralTokens(std::vector<Literal> literals);
  Match find(std::string_view text, std::size_t from) const noexcept;
  std::size_t memory_bytes() const noexcept;

 private:
  /// The longest literal that the text begins with; null if there is none.
  const Literal* longest(std::string_view text) const noexcept;

  std::vector<Literal> literals_;               // sorted by text
  std::array<std::uint32_t, 257> first_byte_{}; // those that begin with byte b: first_byte_[b] to first_byte_[b + 1]
};

} // namespace mote::text
