#include "mote/tokenizer.h"

#include "lib/api/guard.h"
#include "lib/gguf/file.h"
#include "lib/hf/open.h"
#include "lib/text/tokenizer.h"

namespace mote {

Result<Tokenizer> Tokenizer::open(const std::string& path) {
  return api::guard([&]() -> Result<Tokenizer> {
    auto file = hf::open(path);
    if (!file) return std::move(file).error();
    if (!text::has_tokenizer(*file)) return Error{ErrorCode::unsupported, path + ": the file holds no tokenizer"};
    return text::read_tokenizer(*file);
  });
}

} // namespace mote
