#include <string_view>

#include "lib/text/tokenizer_impl.h"
#include "lib/text/utf8.h"
#include "mote/tokenizer.h"

namespace mote {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

} // namespace

std::string_view TextStream::push(std::int32_t token) {
  pending_ += tokenizer_->impl().piece_in_text(token, started_);
  out_.clear();
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const text::Utf8Char c = text::read_char(rest);
    if (c.kind == text::Utf8::cut) break;
    out_ += c.kind == text::Utf8::valid ? rest.substr(0, c.size) : kReplacement;
    rest.remove_prefix(c.size);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return out_;
}

std::string_view TextStream::finish() {
  out_.clear();
  if (!pending_.empty()) out_ = kReplacement;
  pending_.clear();
  started_ = false;
  return out_;
}

} // namespace mote
