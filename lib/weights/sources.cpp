#include "lib/weights/sources.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>

namespace mote::weights {

namespace {

/// Dimensions of 1 at the end are not said.
std::string shape_text(std::array<std::int64_t, 4> dims) {
  std::string text = "[" + std::to_string(dims[0]);
  const auto last = std::find_if(dims.rbegin(), dims.rend() - 1, [](std::int64_t dim) { return dim != 1; }).base();
  for (auto dim = dims.begin() + 1; dim < last; ++dim) text += ", " + std::to_string(*dim);
  return text + "]";
}

} // namespace

Result<std::vector<TensorType>> check_tensors(const gguf::File& file, std::span<const TensorDesc> tensors) {
  std::vector<TensorType> types;
  std::unordered_set<std::string_view> known;
  for (const TensorDesc& desc : tensors) {
    known.insert(desc.name);
    const gguf::Tensor* tensor = file.find_tensor(desc.name);
    const std::string where = file.path() + ": tensor \"" + desc.name + "\"";
    const auto dims = desc.dims();
    if (!tensor) return Error{ErrorCode::bad_file, where + " " + shape_text(dims) + " is missing"};
    if (tensor->dims != dims)
      return Error{ErrorCode::bad_file,
                   where + " should have the shape " + shape_text(dims) + ", found " + shape_text(tensor->dims)};
    types.push_back(tensor->type);
  }
  for (const gguf::Tensor& tensor : file.tensors())
    if (!known.contains(tensor.name))
      return Error{ErrorCode::unsupported,
                   file.path() + ": tensor \"" + tensor.name + "\" is not part of any architecture that is supported here"};
  return types;
}

FileSource::FileSource(const gguf::File& file, std::span<const TensorDesc> tensors) : file_(file) {
  for (const TensorDesc& desc : tensors) tensors_.push_back(file.find_tensor(desc.name));
}

const std::byte* FileSource::rows(std::size_t tensor, std::int64_t first, std::int64_t last, std::byte* scratch) const {
  return tensors_[tensor]->rows(first, last, scratch);
}

bool FileSource::needs_scratch() const noexcept {
  return std::any_of(tensors_.begin(), tensors_.end(), [](const gguf::Tensor* tensor) { return tensor->maker != nullptr; });
}

void FileSource::done(std::size_t tensor, std::int64_t first, std::int64_t last) const {
  file_.release_rows(*tensors_[tensor], first, last);
}

const std::byte* RandomSource::rows(std::size_t tensor, std::int64_t first, std::int64_t last, std::byte* scratch) const {
  random_rows(tensors_[tensor], types_[tensor], seed_, first, last, scratch);
  return scratch;
}

} // namespace mote::weights
