/// The two places that weights come from: a file and a seed.
#pragma once
#include <span>
#include <vector>

#include "lib/weights/weights.h"

namespace mote::weights {

/// The tensors of a file that check_tensors has accepted. Lets go of the pages of rows that are done.
class FileSource final : public RowSource {
 public:
  FileSource(const gguf::File& file, std::span<const TensorDesc> tensors);
  const std::byte* rows(std::size_t tensor, std::int64_t first, std::int64_t last, std::byte* scratch) const override;
  bool needs_scratch() const noexcept override;
  void done(std::size_t tensor, std::int64_t first, std::int64_t last) const override;

 private:
  const gguf::File& file_;
  std::vector<const gguf::Tensor*> tensors_;
};

/// random_rows() of each tensor.
class RandomSource final : public RowSource {
 public:
  RandomSource(std::span<const TensorDesc> tensors, std::span<const TensorType> types, std::uint64_t seed)
      : tensors_(tensors), types_(types), seed_(seed) {}
  const std::byte* rows(std::size_t tensor, std::int64_t first, std::int64_t last, std::byte* scratch) const override;
  bool needs_scratch() const noexcept override { return true; }
  void done(std::size_t, std::int64_t, std::int64_t) const override {}

 private:
  std::span<const TensorDesc> tensors_;
  std::span<const TensorType> types_;
  std::uint64_t seed_;
};

} // namespace mote::weights
