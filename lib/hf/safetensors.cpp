#include "lib/hf/safetensors.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "lib/gguf/cursor.h"
#include "lib/gguf/format.h"
#include "lib/hf/json.h"

namespace mote::hf {

namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000; // of the format

struct Dtype {
  std::string_view name;
  std::int64_t n_bytes;
  std::optional<TensorType> type;
};
constexpr Dtype kDtypes[] = {
    {"F32", 4, TensorType::F32},
    {"F16", 2, TensorType::F16},
    {"BF16", 2, TensorType::BF16},
    {"F64", 8, {}},
    {"I64", 8, {}},
    {"U64", 8, {}},
    {"I32", 4, {}},
    {"U32", 4, {}},
    {"I16", 2, {}},
    {"U16", 2, {}},
    {"I8", 1, {}},
    {"U8", 1, {}},
    {"BOOL", 1, {}},
    {"F8_E4M3", 1, {}},
    {"F8_E5M2", 1, {}},
};

/// Non-negative integers; nothing if it is no list of them.
std::optional<std::vector<std::int64_t>> read_numbers(const Json* list) {
  if (!list || !list->array()) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const Json& element : *list->array()) {
    if (!element.integer() || *element.integer() < 0) return std::nullopt;
    numbers.push_back(*element.integer());
  }
  return numbers;
}

/// Nothing, if it is beyond 63 bits.
std::optional<std::int64_t> product(std::int64_t n, std::span<const std::int64_t> factors) {
  for (const std::int64_t factor : factors)
    if (__builtin_mul_overflow(n, factor, &n)) return std::nullopt;
  return n;
}

/// Errors are without path and name.
Result<StoredTensor> read_tensor(const Json& entry, std::span<const std::byte> data) {
  const auto bad = [](const std::string& what) { return Error{ErrorCode::bad_file, what}; };
  StoredTensor tensor;
  const Json* dtype = entry.find("dtype");
  if (!dtype || !dtype->string()) return bad("its dtype is missing");
  tensor.dtype = *dtype->string();
  auto shape = read_numbers(entry.find("shape"));
  if (!shape) return bad("its shape is missing or no list of integers from 0");
  tensor.shape = *std::move(shape);
  const auto offsets = read_numbers(entry.find("data_offsets"));
  if (!offsets || offsets->size() != 2) return bad("its data_offsets are missing or no two integers from 0");
  const auto [begin, end] = std::pair((*offsets)[0], (*offsets)[1]);
  if (begin > end || std::cmp_greater(end, data.size())) {
    return bad("its data_offsets " + std::to_string(begin) + " to " + std::to_string(end) + " are no part of the " +
               gguf::bytes_text(data.size()) + " behind the header");
  }
  const auto* known =
      std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const Dtype& d) { return d.name == tensor.dtype; });
  if (known != std::end(kDtypes)) {
    tensor.type = known->type;
    const auto n_bytes = product(known->n_bytes, tensor.shape);
    if (!n_bytes || *n_bytes != end - begin) {
      return bad("its shape of " + tensor.dtype + " takes " +
                 (n_bytes ? gguf::bytes_text(static_cast<std::uint64_t>(*n_bytes)) : "more than 2^63 bytes") +
                 ", but its data_offsets have " + gguf::bytes_text(static_cast<std::uint64_t>(end - begin)));
    }
  }
  tensor.data = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  return tensor;
}

/// Bytes that belong to two tensors; empty if there are none.
std::string find_overlap(std::span<const StoredTensor> tensors) {
  std::vector<const StoredTensor*> by_place;
  for (const StoredTensor& tensor : tensors)
    if (!tensor.data.empty()) by_place.push_back(&tensor);
  std::sort(by_place.begin(), by_place.end(), [](const auto* a, const auto* b) { return a->data.data() < b->data.data(); });
  for (std::size_t i = 1; i < by_place.size(); ++i)
    if (by_place[i - 1]->data.data() + by_place[i - 1]->data.size() > by_place[i]->data.data())
      return "tensor " + gguf::quote(by_place[i]->name) + ": its bytes overlap those of tensor " +
             gguf::quote(by_place[i - 1]->name);
  return {};
}

} // namespace

Result<Safetensors> open_safetensors(const std::string& path) {
  const auto bad = [&](const std::string& what) { return Error{ErrorCode::bad_file, path + ": " + what}; };
  auto mapping = gguf::Mapping::open(path, "a safetensors file");
  if (!mapping) return std::move(mapping).error();
  const auto bytes = mapping->bytes();
  if (bytes.size() < kLengthBytes) return bad("cut off: " + gguf::bytes_text(bytes.size()) + ", expected 8 and a header");
  const auto length = gguf::load<std::uint64_t>(bytes.data());
  if (length > kMaxHeaderBytes || length > bytes.size() - kLengthBytes) {
    return bad("a header of " + gguf::bytes_text(length) + ", expected at most " +
               gguf::bytes_text(std::min<std::uint64_t>(kMaxHeaderBytes, bytes.size() - kLengthBytes)));
  }
  Safetensors file;
  file.data_start = kLengthBytes + static_cast<std::size_t>(length);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, static_cast<std::size_t>(length));
  const auto header = parse_json(text);
  if (!header) return bad("its header " + header.error().message);
  const Json::Object* entries = header->object();
  if (!entries) return bad("its header is " + header->describe() + ", expected an object");
  for (std::size_t i = 0; i < entries->keys.size(); ++i) {
    if (entries->keys[i] == "__metadata__") continue;
    auto tensor = read_tensor(entries->values[i], bytes.subspan(file.data_start));
    if (!tensor) return bad("tensor " + gguf::quote(entries->keys[i]) + ": " + tensor.error().message);
    tensor->name = entries->keys[i];
    file.tensors.push_back(*std::move(tensor));
  }
  if (const std::string overlap = find_overlap(file.tensors); !overlap.empty()) return bad(overlap);
  std::sort(file.tensors.begin(), file.tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  file.mapping = *std::move(mapping);
  return file;
}

} // namespace mote::hf
