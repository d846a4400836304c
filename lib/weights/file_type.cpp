#include "lib/weights/file_type.h"

#include <array>

#include "quant/quant.h"

namespace mote::weights {

std::uint32_t file_type_id(Mix mix) noexcept {
  switch (mix) {
    case Mix::F32: return 0;
    case Mix::F16: return 1;
    case Mix::Q4_0: return 2;
    case Mix::Q8_0: return 7;
    case Mix::Q3_K_M: return 12;
    case Mix::Q4_K_S: return 14;
    case Mix::Q4_K_M: return 15;
    case Mix::Q5_K_M: return 17;
    case Mix::Q6_K: return 18;
  }
  return 0;
}

std::string file_type_name(const gguf::File& file, std::span<const TensorType> types, std::span<const TensorDesc> tensors) {
  constexpr std::int64_t kGuessed = 1024; // added to a file_type that was guessed, so not to be trusted
  if (const auto id = file.get_int("general.file_type", 0, kGuessed - 1))
    for (const Mix mix : all_mixes())
      if (file_type_id(mix) == static_cast<std::uint32_t>(*id)) return std::string(mix_name(mix));
  std::array<std::int64_t, quant::kNumTypes> n_weights{};
  std::size_t most = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto index = static_cast<std::size_t>(quant::type_index(types[i]));
    n_weights[index] += tensors[i].n_rows * tensors[i].n_cols;
    if (n_weights[index] > n_weights[most]) most = index;
  }
  return std::string(all_types()[most].name);
}

} // namespace mote::weights
