#include "lib/text/pre_tokenizer.h"

#include <algorithm>
#include <iterator>


namespace mote::text {
namespace {

using Splits = std::string_view[];

constexpr std::string_view kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDigit = R"(\p{N})";

constexpr Splits kGpt2 = {kGpt2Pattern};
constexpr Splits kDigitsGpt2 = {kDigit, kGpt2Pattern};
constexpr Splits kLlama3 = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr Splits kQwen2 = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

// Punctuation as the tokenizers library knows it: \p{P} and the ASCII symbols. Its digit rule works on the bytes' letters; for
// the vocabularies that have it the two come to the same, since their merges join no digit to anything else.
constexpr Splits kFalcon = {R"([\p{P}$\+<=>\^~\|`]+)", kGpt2Pattern, "[0-9]+", "[0-9][0-9][0-9]"};

// The cased letters of the Unicode version that these models were made with, one by one, as published.
constexpr std::string_view kDeepseekLetters =
    R"(\s?[)"
    R"(A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF}\x{370}-\x{373})"
    R"(\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481})"
    R"(\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA})"
    R"(\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D})"
    R"(\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4})"
    R"(\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC})"
    R"(\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126})"
    R"(\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184})"
    R"(\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B})"
    R"(\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17})"
    R"(\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2})"
    R"(\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943})"
    R"(]+)";
constexpr std::string_view kNewline = R"([\r\n])";
// Published as \s+$, which every space of a long run in the middle would try anew: quadratic. This is the same.
constexpr std::string_view kSpaceAtEnd = R"((?<!\s)\s++\z)";
constexpr std::string_view kCjk = R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
constexpr Splits kDeepseekLlm = {kNewline, kDeepseekLetters, R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)",
                                 kSpaceAtEnd, kCjk, kDigit};
constexpr Splits kDeepseekCoder = {kNewline, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kCjk, kDigit};

constexpr bool kNfc = true, kWholeWords = true, kAddsBos = true;
// Sorted by name.
constexpr PrePattern kPatterns[] = {
    {"deepseek-coder", kDeepseekCoder},
    {"deepseek-llm", kDeepseekLlm},
    {"deepseek-r1-qwen", kQwen2},
    {"falcon", kFalcon},
    {"gpt-2", kGpt2},
    {"llama-bpe", kLlama3, !kNfc, kWholeWords, kAddsBos},
    {"llama-v3", kLlama3, !kNfc, kWholeWords, kAddsBos},
    {"llama3", kLlama3, !kNfc, kWholeWords, kAddsBos},
    {"mpt", kGpt2, kNfc},
    {"olmo", kGpt2, kNfc},
    {"phi-2", kGpt2},
    {"qwen2", kQwen2, kNfc},
    {"refact", kDigitsGpt2},
    {"smaug-bpe", kLlama3},
    {"smollm", kDigitsGpt2},
    {"starcoder", kDigitsGpt2},
};

struct OfArchitecture {
  std::string_view architecture, pre;
};
constexpr OfArchitecture kOfArchitectures[] = {{"gpt2", "gpt-2"}, {"phi2", "phi-2"}, {"qwen2", "qwen2"}};

} // namespace


const PrePattern* find_pre_pattern(std::string_view name) noexcept {
  const auto* pattern = std::find_if(std::begin(kPatterns), std::end(kPatterns), [&](const PrePattern& p) { return p.name == name; });
  return pattern == std::end(kPatterns) ? nullptr : pattern;
}

const PrePattern* find_pre_pattern(std::span<const std::string> splits, bool nfc, bool whole_words) noexcept {
  const auto* pattern = std::find_if(std::begin(kPatterns), std::end(kPatterns), [&](const PrePattern& p) {
    return p.nfc == nfc && p.whole_words == whole_words && std::equal(p.splits.begin(), p.splits.end(), splits.begin(), splits.end());
  });
  return pattern == std::end(kPatterns) ? nullptr : pattern;
}

const PrePattern* find_pre_pattern_of(std::string_view architecture) noexcept {
  for (const OfArchitecture& of : kOfArchitectures) {
    if (of.architecture == architecture) return find_pre_pattern(of.pre);
  }
  return nullptr;
}

std::string pre_pattern_names() {
  std::string names;
  for (const PrePattern& pattern : kPatterns) names += (names.empty() ? "" : ", ") + std::string(pattern.name);
  return names;
}

} // namespace mote::text
