#include "lib/weights/latent.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "quant/quant.h"

namespace mote::weights {

namespace {

/// Where the rows of a head lie in attn_kv_b.
struct Heads {
  gguf::Tensor both;
  std::int64_t nope, v_dim;
  std::int64_t first_row(std::int64_t head) const { return head * (nope + v_dim); }
  std::size_t row_bytes() const { return mote::row_bytes(both.type, static_cast<std::size_t>(both.n_cols())); }
  /// n rows from `first` on, if they lie in a file as they are.
  std::vector<std::span<const std::byte>> mapped(std::int64_t first, std::int64_t n) const {
    if (both.maker) return both.maker->sources(first, first + n);
    return {both.data.subspan(static_cast<std::size_t>(first) * row_bytes(), static_cast<std::size_t>(n) * row_bytes())};
  }
};

class ValueRows final : public gguf::RowMaker {
 public:
  explicit ValueRows(Heads heads) : heads_(std::move(heads)) {}
  void make(std::int64_t first, std::int64_t last, std::byte* out) const override {
    const std::size_t bytes = heads_.row_bytes();
    std::vector<std::byte> scratch(bytes);
    for (std::int64_t row = first; row < last; ++row, out += bytes)
      std::memcpy(out, heads_.both.rows(place(row), place(row) + 1, scratch.data()), bytes);
  }
  std::vector<std::span<const std::byte>> sources(std::int64_t first, std::int64_t last) const override {
    std::vector<std::span<const std::byte>> all;
    for (std::int64_t row = first; row < last; ++row)
      for (const auto& bytes : heads_.mapped(place(row), 1)) all.push_back(bytes);
    return all;
  }

 private:
  std::int64_t place(std::int64_t row) const { return heads_.first_row(row / heads_.v_dim) + heads_.nope + row % heads_.v_dim; }
  Heads heads_;
};

/// Row c of a head is column c of its first rows.
class KeyRows final : public gguf::RowMaker {
 public:
  KeyRows(Heads heads, TensorType type) : heads_(std::move(heads)), type_(type) {}
  void make(std::int64_t first, std::int64_t last, std::byte* out) const override {
    const auto nope = static_cast<std::size_t>(heads_.nope), kv_rank = static_cast<std::size_t>(heads_.both.n_cols());
    std::vector<float> keys(nope * kv_rank), row(nope);
    std::vector<std::byte> scratch(heads_.row_bytes());
    for (std::int64_t head = -1; first < last; ++first, out += row_bytes(type_, nope)) {
      if (const std::int64_t wanted = first / heads_.both.n_cols(); wanted != head) {
        head = wanted;
        for (std::size_t i = 0; i < nope; ++i) {
          const std::int64_t from = heads_.first_row(head) + static_cast<std::int64_t>(i);
          quant::dequantize(heads_.both.type, heads_.both.rows(from, from + 1, scratch.data()), {&keys[i * kv_rank], kv_rank});
        }
      }
      for (std::size_t i = 0; i < nope; ++i) row[i] = keys[i * kv_rank + static_cast<std::size_t>(first) % kv_rank];
      quant::quantize(type_, row, out);
    }
  }
  std::vector<std::span<const std::byte>> sources(std::int64_t first, std::int64_t last) const override {
    std::vector<std::span<const std::byte>> all;
    for (std::int64_t head = first / heads_.both.n_cols(); head * heads_.both.n_cols() < last; ++head)
      for (const auto& bytes : heads_.mapped(heads_.first_row(head), heads_.nope)) all.push_back(bytes);
    return all;
  }

 private:
  Heads heads_;
  TensorType type_;
};

gguf::Tensor made(std::string name, TensorType type, std::int64_t n_cols, std::int64_t n_rows, int n_heads,
                  std::shared_ptr<const gguf::RowMaker> maker) {
  gguf::Tensor tensor;
  tensor.name = std::move(name);
  tensor.type = type;
  tensor.n_dims = 3;
  tensor.dims = {n_cols, n_rows, n_heads, 1};
  tensor.maker = std::move(maker);
  return tensor;
}

} // namespace

void split_kv_b(gguf::File& file, const ModelSpec& spec) {
  std::vector<gguf::Tensor> tensors(file.tensors().begin(), file.tensors().end());
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const AttentionSpec* a = spec.layers[i].attention();
    if (!a || !a->latent) continue;
    const std::string prefix = "blk." + std::to_string(i) + ".attn_";
    const gguf::Tensor* both = file.find_tensor(prefix + "kv_b.weight");
    if (!both || file.find_tensor(prefix + "k_b.weight")) continue;
    const int kv_rank = a->latent->kv_rank, nope = a->head_dim - a->rope->dims, v_dim = a->latent->v_dim;
    if (both->dims != std::array<std::int64_t, 4>{kv_rank, std::int64_t{a->n_heads} * (nope + v_dim), 1, 1}) continue;
    const bool kept = both->type == TensorType::F32 || both->type == TensorType::BF16;
    const TensorType type = kept ? both->type : TensorType::F16;
    const Heads heads{*both, nope, v_dim};
    std::erase_if(tensors, [&](const gguf::Tensor& tensor) { return tensor.name == heads.both.name; });
    tensors.push_back(made(prefix + "k_b.weight", type, nope, kv_rank, a->n_heads, std::make_shared<KeyRows>(heads, type)));
    tensors.push_back(made(prefix + "v_b.weight", both->type, kv_rank, v_dim, a->n_heads, std::make_shared<ValueRows>(heads)));
  }
  if (tensors.size() != file.tensors().size()) file.set_tensors(std::move(tensors));
}

} // namespace mote::weights
