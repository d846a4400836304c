#include "lib/hf/open.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/hf/family.h"
#include "lib/hf/tokenizer.h"

namespace mote::hf {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = 16 << 20, kMaxIndexBytes = 64 << 20, kMaxTokenizerBytes = 256 << 20, kMaxShards = 4096;

/// A directory that is being read.
struct Directory {
  std::string path;
  std::vector<gguf::Assembly::Source> sources;
  std::vector<StoredTensor> tensors;

  std::string file(std::string_view name) const { return (fs::path(path) / name).string(); }
  bool has(std::string_view name) const {
    std::error_code ignored;
    return fs::exists(file(name), ignored);
  }
};

Error bad(const std::string& path, const std::string& what) { return {ErrorCode::bad_file, path + ": " + what}; }

/// The JSON of a file, which becomes one of the sources.
Result<Json> read_json(Directory& dir, std::string_view name, std::size_t max_bytes) {
  const std::string path = dir.file(name);
  auto mapping = gguf::Mapping::open(path, "a JSON file");
  if (!mapping) return std::move(mapping).error();
  const auto bytes = mapping->bytes();
  if (bytes.size() > max_bytes)
    return bad(path, gguf::bytes_text(bytes.size()) + ", expected at most " + gguf::bytes_text(max_bytes));
  auto json = parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!json) return bad(path, json.error().message);
  if (!json->object()) return bad(path, "is " + json->describe() + ", expected an object");
  dir.sources.push_back({path, *std::move(mapping), bytes.size()});
  return json;
}

Status read_weights(Directory& dir, const std::string& name) {
  auto file = open_safetensors(dir.file(name));
  if (!file) return std::move(file).error();
  dir.sources.push_back({dir.file(name), std::move(file->mapping), file->data_start});
  dir.tensors.insert(dir.tensors.end(), std::move_iterator(file->tensors.begin()), std::move_iterator(file->tensors.end()));
  return {};
}

/// A name of a file in this very directory.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos && name.ends_with(".safetensors");
}

/// All files that the index lists, and whether each tensor is where the index says.
Status read_shards(Directory& dir, std::string_view index_name) {
  const std::string index_path = dir.file(index_name);
  const auto index = read_json(dir, index_name, kMaxIndexBytes);
  if (!index) return index.error();
  const Json* map = index->find("weight_map");
  const Json::Object* entries = map ? map->object() : nullptr;
  if (!entries) return bad(index_path, "weight_map is missing or no object");
  std::set<std::string> files;
  for (std::size_t i = 0; i < entries->keys.size(); ++i) {
    const std::string* file = entries->values[i].string();
    if (!file || !is_plain_name(*file))
      return bad(index_path, "tensor " + gguf::quote(entries->keys[i]) + ": its file is " + entries->values[i].describe() +
                                 ", expected the name of a .safetensors file in the same directory");
    files.insert(*file);
  }
  if (files.size() > kMaxShards)
    return bad(index_path, std::to_string(files.size()) + " files, expected at most " + std::to_string(kMaxShards));
  for (const std::string& file : files) {
    const std::size_t first = dir.tensors.size();
    if (Status status = read_weights(dir, file); !status) return status;
    std::set<std::string_view> here;
    for (std::size_t i = first; i < dir.tensors.size(); ++i) here.insert(dir.tensors[i].name);
    for (std::size_t i = 0; i < entries->keys.size(); ++i)
      if (*entries->values[i].string() == file && !here.contains(entries->keys[i]))
        return bad(dir.file(file), "tensor " + gguf::quote(entries->keys[i]) + " is missing, which " + std::string(index_name) +
                                       " says to be here");
  }
  std::vector<std::string_view> names;
  for (const StoredTensor& tensor : dir.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return bad(dir.path, "tensor " + gguf::quote(*twice) + " is in two files");
  return {};
}

Status read_all_weights(Directory& dir) {
  constexpr std::string_view kSingle = "model.safetensors", kIndex = "model.safetensors.index.json";
  if (dir.has(kSingle)) return read_weights(dir, std::string(kSingle));
  if (dir.has(kIndex)) return read_shards(dir, kIndex);
  for (const std::string_view name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (dir.has(name)) {
      return Error{ErrorCode::unsupported,
                   dir.file(name) +
                       ": PyTorch's own format is not read, since it can run code; write model.safetensors from it, in "
                       "Python: transformers.AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(DIR)"};
    }
  }
  return Error{ErrorCode::io, dir.path + ": holds neither " + std::string(kSingle) + " nor " + std::string(kIndex)};
}

const Family* find_family(std::string_view model_type) {
  for (const Family* family : families())
    if (family->model_type == model_type) return family;
  return nullptr;
}

Result<gguf::File> open_directory(const std::string& path) {
  Directory dir{path, {}, {}};
  constexpr std::string_view kConfig = "config.json";
  if (!dir.has(kConfig))
    return Error{ErrorCode::io,
                 path + ": is a directory without " + std::string(kConfig) + ", expected a GGUF file or a model's directory"};
  auto json = read_json(dir, kConfig, kMaxConfigBytes);
  if (!json) return std::move(json).error();
  Config config(*std::move(json), dir.file(kConfig));
  const std::string model_type = config.string("model_type");
  if (!config.status()) return config.status().error();
  const Family* family = find_family(model_type);
  if (!family) {
    std::string supported;
    for (const Family* f : families()) supported.append(supported.empty() ? "" : ", ").append(f->model_type);
    config.unsupported("model_type " + gguf::quote(model_type) + " is not supported; supported: " + supported);
  }
  if (config.has("quantization_config")) config.unsupported("quantization_config is there: quantized weights are not read");
  if (!config.status()) return config.status().error();
  if (Status status = read_all_weights(dir); !status) return std::move(status).error();
  TokenizerFiles files;
  for (const auto& [name, json] :
       {std::pair("tokenizer.json", &files.tokenizer), std::pair("tokenizer_config.json", &files.tokenizer_config),
        std::pair("generation_config.json", &files.generation_config)}) {
    if (!dir.has(name)) continue;
    auto found = read_json(dir, name, kMaxTokenizerBytes);
    if (!found) return std::move(found).error();
    *json = *std::move(found);
  }
  constexpr std::string_view kSentencePiece = "tokenizer.model";
  if (files.tokenizer.is_null() && dir.has(kSentencePiece)) {
    auto mapping = gguf::Mapping::open(dir.file(kSentencePiece), "a SentencePiece model");
    if (!mapping) return std::move(mapping).error();
    files.sentencepiece = mapping->bytes();
    dir.sources.push_back({dir.file(kSentencePiece), *std::move(mapping), files.sentencepiece.size()});
  }
  Translation translation(std::move(config), path, std::move(dir.sources), std::move(dir.tensors));
  family->translate(translation);
  translate_tokenizer(files, translation);
  return translation.finish();
}

} // namespace

Result<gguf::File> open(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? open_directory(path) : gguf::File::open(path);
}

} // namespace mote::hf
