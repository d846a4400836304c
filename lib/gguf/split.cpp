#include "lib/gguf/split.h"

#include <limits>
#include <utility>

namespace mote::gguf {
namespace {

struct SplitKeys {
  std::int64_t no = 0; ///< from 0
  std::int64_t count = 1;
  std::optional<std::int64_t> n_tensors; ///< of all parts
};

/// Nothing if there is no such key. Error: bad_file, if it is no integer from 0 to max.
Result<std::optional<std::int64_t>> find_int(const std::string& path, const Part& part, std::string_view key, std::int64_t max) {
  const Value* value = part.find(key);
  if (value == nullptr) return std::optional<std::int64_t>();
  const auto number = load_int(value->type, value->bytes.data());
  if (!number || *number < 0 || *number > max) {
    return Error{ErrorCode::bad_file, path + ": key " + quote(key) + ": expected an integer from 0 to " + std::to_string(max) +
                                          ", found " + describe(*value)};
  }
  return number;
}

Result<SplitKeys> read_split_keys(const std::string& path, const Part& part) {
  constexpr std::int64_t kMax = std::numeric_limits<std::uint16_t>::max();
  SplitKeys keys;
  auto count = find_int(path, part, kSplitCountKey, kMax);
  if (!count) return std::move(count).error();
  if (count->value_or(0) < 2) return keys;
  keys.count = **count;
  auto no = find_int(path, part, kSplitNoKey, keys.count - 1);
  if (!no) return std::move(no).error();
  if (!*no) {
    return Error{ErrorCode::bad_file, path + ": key " + quote(kSplitNoKey) +
                                          ": missing, expected the number of this part, since " + quote(kSplitCountKey) + " is " +
                                          std::to_string(keys.count)};
  }
  keys.no = **no;
  auto n_tensors = find_int(path, part, kSplitTensorsKey, std::numeric_limits<std::int64_t>::max());
  if (!n_tensors) return std::move(n_tensors).error();
  keys.n_tensors = *n_tensors;
  return keys;
}

std::string part_suffix(std::int64_t no, std::int64_t count) {
  const auto five_digits = [](std::int64_t n) {
    const std::string digits = std::to_string(n);
    return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
  };
  std::string suffix("-");
  return suffix.append(five_digits(no + 1)).append("-of-").append(five_digits(count)).append(".gguf");
}

/// A later part of the split whose first part says `first`.
Result<Part> read_later_part(const std::string& first_path, const SplitKeys& first, std::int64_t no) {
  auto path = part_path(first_path, 0, no, first.count);
  if (!path) return std::move(path).error();
  auto part = read_part(*path);
  const std::string wanted = "part " + std::to_string(no + 1) + " of " + std::to_string(first.count) + " of " + first_path;
  if (!part) return Error{part.error().code, part.error().message + " (wanted as " + wanted + ")"};
  auto keys = read_split_keys(*path, *part);
  if (!keys) return std::move(keys).error();
  const auto differs = [&](std::string_view key, std::int64_t expected, std::int64_t found) {
    return Error{ErrorCode::bad_file, *path + ": key " + quote(key) + ": expected " + std::to_string(expected) + " in " + wanted +
                                          ", found " + std::to_string(found)};
  };
  if (keys->count != first.count) return differs(kSplitCountKey, first.count, keys->count);
  if (keys->no != no) return differs(kSplitNoKey, no, keys->no);
  if (first.n_tensors && keys->n_tensors && *first.n_tensors != *keys->n_tensors) {
    return differs(kSplitTensorsKey, *first.n_tensors, *keys->n_tensors);
  }
  return part;
}

} // namespace

Result<std::string> part_path(const std::string& path, std::int64_t own_no, std::int64_t no, std::int64_t count) {
  const std::string suffix = part_suffix(own_no, count);
  if (!path.ends_with(suffix)) {
    return Error{ErrorCode::bad_file, path + ": is part " + std::to_string(own_no + 1) + " of " + std::to_string(count) +
                                          " of a split model, expected a file name that ends in " + suffix};
  }
  return path.substr(0, path.size() - suffix.size()) + part_suffix(no, count);
}

Result<std::vector<Part>> read_parts(const std::string& path) {
  auto first = read_part(path);
  if (!first) return std::move(first).error();
  auto keys = read_split_keys(path, *first);
  if (!keys) return std::move(keys).error();
  if (keys->no != 0) {
    auto right = part_path(path, keys->no, 0, keys->count);
    return Error{ErrorCode::unsupported, path + ": is part " + std::to_string(keys->no + 1) + " of " +
                                             std::to_string(keys->count) + " of a split model; open the first part" +
                                             (right ? ", " + *right : "")};
  }
  std::vector<Part> parts;
  parts.push_back(std::move(*first));
  std::size_t n_tensors = parts.front().tensors.size();
  for (std::int64_t no = 1; no < keys->count; ++no) {
    auto part = read_later_part(path, *keys, no);
    if (!part) return std::move(part).error();
    n_tensors += part->tensors.size();
    parts.push_back(std::move(*part));
  }
  if (keys->n_tensors && static_cast<std::uint64_t>(*keys->n_tensors) != n_tensors) {
    return Error{ErrorCode::bad_file, path + ": key " + quote(kSplitTensorsKey) + ": " + std::to_string(*keys->n_tensors) +
                                          " tensors expected in the " + std::to_string(keys->count) + " parts, found " +
                                          std::to_string(n_tensors)};
  }
  return parts;
}

} // namespace mote::gguf
