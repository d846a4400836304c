#include "lib/hf/translation.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "lib/gguf/format.h"
#include "lib/hf/rope_factors.h"

namespace mote::hf {

namespace {

constexpr int kMaxHeads = 4096; // products of three sizes stay below 2^63

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t n : shape) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "[" + text + "]";
}

/// Numbers of the last dimension, and of all others.
std::pair<std::int64_t, std::int64_t> cols_and_rows(const StoredTensor& tensor) {
  std::int64_t n_rows = 1;
  for (std::size_t d = 0; d + 1 < tensor.shape.size(); ++d) n_rows *= tensor.shape[d];
  return {tensor.shape.empty() ? 1 : tensor.shape.back(), n_rows};
}

} // namespace

Translation::Translation(Config config, std::string path, std::vector<gguf::Assembly::Source> sources,
                         std::vector<StoredTensor> tensors)
    : config_(std::move(config)), tensors_(std::move(tensors)), used_(tensors_.size()) {
  assembly_.path = std::move(path);
  assembly_.sources = std::move(sources);
  std::vector<gguf::NameIndex::Entry> entries;
  for (std::size_t i = 0; i < tensors_.size(); ++i) entries.emplace_back(tensors_[i].name, i);
  names_ = gguf::NameIndex(std::move(entries));
}

std::string Translation::full_key(std::string_view key) const {
  if (key.starts_with("general.") || key.starts_with("tokenizer.")) return std::string(key);
  return architecture_ + "." + std::string(key);
}

void Translation::architecture(std::string_view name) {
  architecture_ = name;
  set("general.architecture", name);
  std::error_code ignored;
  const std::string folder = std::filesystem::canonical(assembly_.path, ignored).filename().string();
  set("general.name", std::string_view(folder));
}

void Translation::set(std::string_view key, int value) {
  assembly_.keys.set_u32(full_key(key), static_cast<std::uint32_t>(value));
}
void Translation::set(std::string_view key, double value) { assembly_.keys.set_f32(full_key(key), static_cast<float>(value)); }
void Translation::set(std::string_view key, bool value) { assembly_.keys.set_bool(full_key(key), value); }
void Translation::set(std::string_view key, std::string_view value) { assembly_.keys.set_string(full_key(key), value); }
void Translation::set(std::string_view key, const std::vector<int>& values) { assembly_.keys.set_i32s(full_key(key), values); }
void Translation::set(std::string_view key, const std::vector<float>& values) { assembly_.keys.set_f32s(full_key(key), values); }

void Translation::set(std::string_view key, const std::vector<std::string>& values) {
  assembly_.keys.set_strings(full_key(key), values);
}

void Translation::sizes(const SizeNames& names) {
  n_layers_ = config_.integer(names.n_layers, 1, kMaxHeads);
  d_model_ = config_.integer(names.d_model);
  if (!names.n_ctx.empty()) set("context_length", config_.integer(names.n_ctx));
  set("embedding_length", d_model_);
  set("block_count", n_layers_ * n_runs_);
  if (n_runs_ > 1) {
    std::vector<int> from;
    for (int i = 0; i < n_layers_ * n_runs_; ++i) from.push_back(i % n_runs_ == 0 ? -1 : i / n_runs_ * n_runs_);
    set("mixer_from", from);
    set("feed_forward_from", from);
  }
  if (!names.d_ff.empty()) set("feed_forward_length", config_.integer(names.d_ff));
  set("vocab_size", config_.integer(names.n_vocab));
  if (names.n_heads.empty()) return set("attention.head_count", 0);
  n_heads_ = config_.integer(names.n_heads, 1, kMaxHeads);
  n_kv_heads_ = config_.integer_or(names.n_kv_heads, n_heads_, 1, kMaxHeads);
  head_dim_ = config_.integer_or("head_dim", d_model_ / n_heads_);
  set("attention.head_count", n_heads_);
  set("attention.head_count_kv", n_kv_heads_);
  if (config_.has("head_dim")) {
    set("attention.key_length", head_dim_);
    set("attention.value_length", head_dim_);
  }
}

void Translation::activation(std::string_view key, std::string_view fallback) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"silu", "silu"},         {"swish", "silu"},         {"gelu", "gelu_erf"},
      {"relu", "relu"},         {"gelu_new", "gelu_tanh"}, {"gelu_pytorch_tanh", "gelu_tanh"},
      {"relu2", "relu_squared"}};
  const std::string found = config_.string_or(key, fallback);
  const auto* word = std::ranges::find(kWords, found, &std::pair<std::string_view, std::string_view>::first);
  if (word != std::end(kWords)) return set("feed_forward_activation", word->second);
  std::string all;
  for (const auto& [name, meaning] : kWords) all.append(all.empty() ? "" : ", ").append(name);
  config_.unsupported(std::string(key) + " is " + gguf::quote(found) + ", which is not supported; supported: " + all);
}

void Translation::rms_eps(std::string_view key) { set("attention.layer_norm_rms_epsilon", config_.real(key)); }
void Translation::layer_eps(std::string_view key) { set("attention.layer_norm_epsilon", config_.real(key)); }

int Translation::partly_rotated(double fallback) {
  const std::string_view key = config_.any_of({"rope_parameters.partial_rotary_factor", "partial_rotary_factor", "rotary_pct"});
  return static_cast<int>(config_.real_within(key, fallback, 0.0, 1.0) * head_dim_);
}

void Translation::rope(int n_dims, std::string_view layer_type) {
  const std::string parameters = layer_type.empty() ? "rope_parameters" : "rope_parameters." + std::string(layer_type);
  const double base = config_.real_or(config_.any_of({parameters + ".rope_theta", "rope_theta", "rotary_emb_base"}), 10000.0);
  set("rope.dimension_count", n_dims);
  set("rope.freq_base", base);
  const std::string scaling(config_.any_of({parameters, "rope_scaling"}));
  const std::string type_key(config_.any_of({scaling + ".rope_type", scaling + ".type"}));
  config_.expect_word(type_key, "default", {"default", "linear", "llama3", "longrope", "su", "yarn"});
  const std::string type = config_.string_or(type_key, "default");
  if (type == "linear") {
    set("rope.scaling.type", "linear");
    set("rope.scaling.factor", config_.real(scaling + ".factor"));
  } else if (type == "yarn") {
    yarn_scaling(scaling);
  } else if (type == "llama3") {
    llama3_scaling(scaling, n_dims, base);
  } else if (type == "longrope" || type == "su") {
    long_rope(scaling);
  }
}

void Translation::long_rope(std::string_view scaling) {
  const auto key = [&](std::string_view word) { return std::string(scaling) + "." + std::string(word); };
  const std::string original(config_.any_of({"original_max_position_embeddings", key("original_max_position_embeddings")}));
  const int n_short = config_.integer(original), n_ctx = config_.integer("max_position_embeddings");
  set("rope.scaling.original_context_length", n_short);
  const double growth = static_cast<double>(n_ctx) / n_short; // grows cos and sin, too: LongRoPE, section 3
  const double usual = growth > 1 && n_short > 1 ? std::sqrt(1 + std::log(growth) / std::log(static_cast<double>(n_short))) : 1.0;
  set("rope.scaling.attn_factor", config_.real_or(key("attention_factor"), usual));
  for (const std::string_view word : {"long", "short"}) {
    const std::vector<double> factors = config_.reals(key(std::string(word) + "_factor"));
    values("rope_factors_" + std::string(word) + ".weight", std::vector<float>(factors.begin(), factors.end()));
  }
}

void Translation::yarn_scaling(const std::string& scaling) {
  const double mscale = config_.real_or(scaling + ".mscale", 1.0), of_scores = config_.real_or(scaling + ".mscale_all_dim", 0.0);
  if (mscale != of_scores) config_.unsupported(scaling + ".mscale differs from mscale_all_dim, which is not supported");
  set("rope.scaling.type", "yarn");
  set("rope.scaling.factor", config_.real(scaling + ".factor"));
  set("rope.scaling.original_context_length", config_.integer(scaling + ".original_max_position_embeddings"));
  set("rope.scaling.yarn_beta_fast", config_.real_or(scaling + ".beta_fast", 32.0));
  set("rope.scaling.yarn_beta_slow", config_.real_or(scaling + ".beta_slow", 1.0));
  set("rope.scaling.yarn_log_multiplier", 0.1 * of_scores);
}

void Translation::llama3_scaling(std::string_view scaling, int n_dims, double base) {
  const auto number = [&](std::string_view key) {
    return config_.real_within(std::string(scaling) + "." + std::string(key), 0.0, 0.25, 1e9); // 0: it must be there
  };
  const Llama3Scaling s{number("factor"), number("low_freq_factor"), number("high_freq_factor"),
                        number("original_max_position_embeddings")};
  if (s.low_freq_factor >= s.high_freq_factor)
    config_.fail(ErrorCode::bad_file, std::string(scaling) + ".low_freq_factor is not below high_freq_factor");
  if (!(base >= 1) || n_dims < 2 || n_dims > kMaxHeads) return; // refused by the spec
  values("rope_freqs.weight", llama3_factors(n_dims, base, s));
}

void Translation::n_each(int n) { n_each_ = n; }

void Translation::n_experts(std::string_view key) {
  const int n = config_.integer(key, 1, kMaxExperts);
  n_each(n);
  set("expert_count", n);
}

void Translation::prefix(std::initializer_list<std::string_view> prefixes, std::string_view name) {
  prefix_ = *prefixes.begin();
  for (const std::string_view p : prefixes) {
    if (!names_.find(std::string(p) + std::string(name))) continue;
    prefix_ = p;
    return;
  }
}

void Translation::fail(ErrorCode code, const std::string& message) {
  // messages about tensors name the directory: they may lie in several files
  config_.keep(Error{code, assembly_.path + ": " + message});
}

bool Translation::has(std::string_view name) const {
  return names_.find(replaced(std::string(name), "{p}", prefix_)).has_value();
}

const StoredTensor* Translation::take(const std::string& name) {
  const auto place = names_.find(name);
  if (!place) return nullptr;
  used_[*place] = true;
  return &tensors_[*place];
}

void Translation::tensor(std::string_view to, std::initializer_list<From> from) { add(to, from, "", Need::required); }
void Translation::optional_tensor(std::string_view to, std::initializer_list<From> from) { add(to, from, "", Need::optional); }

void Translation::module(std::string_view to, std::initializer_list<From> from) {
  add(to, from, ".weight", Need::required);
  add(to, from, ".bias", Need::optional);
}

void Translation::optional_module(std::string_view to, std::initializer_list<From> from) {
  add(to, from, ".weight", Need::optional);
  add(to, from, ".bias", Need::optional);
}

void Translation::fold(std::string_view to, int n_cols) {
  for (int i = 0; i < n_layers_; ++i) {
    const std::string name = replaced(std::string(to), "{i}", std::to_string(i));
    for (gguf::Tensor& tensor : assembly_.tensors) {
      if (tensor.name != name) continue;
      const std::int64_t n = tensor.n_cols();
      if (tensor.n_dims != 1 || n % n_cols != 0)
        return fail(ErrorCode::bad_file, "tensor " + gguf::quote(name) + " of " + std::to_string(n) +
                                             " numbers: expected a multiple of " + std::to_string(n_cols));
      tensor.n_dims = 2;
      tensor.dims = {n_cols, n / n_cols, 1, 1};
    }
  }
}

void Translation::head(std::string_view name, bool tied_unless_said) {
  const bool tied = config_.boolean_or("tie_word_embeddings", tied_unless_said);
  if (tied || config_.boolean_or("share_embedding", false)) ignore(std::string(name) + ".weight");
  else module("output", {{name}});
}

void Translation::ignore(std::string_view name) {
  const std::string with_prefix = replaced(std::string(name), "{p}", prefix_);
  const bool in_layers = with_prefix.find("{i}") != std::string::npos;
  for (int i = 0; i < (in_layers ? n_layers_ : 1); ++i) take(replaced(with_prefix, "{i}", std::to_string(i)));
}

std::int64_t Translation::n_embedded() const {
  for (const gguf::Tensor& tensor : assembly_.tensors)
    if (tensor.name == "token_embd.weight" && tensor.n_cols() > 0) return tensor.n_rows();
  return 0;
}

void Translation::values(std::string_view to, std::vector<float> numbers) {
  gguf::Tensor tensor;
  tensor.name = to;
  tensor.n_dims = 1;
  tensor.dims[0] = static_cast<std::int64_t>(numbers.size());
  assembly_.values.push_back(std::move(numbers));
  tensor.data = std::as_bytes(std::span(assembly_.values.back()));
  assembly_.tensors.push_back(std::move(tensor));
}

void Translation::add(std::string_view to, std::span<const From> from, std::string_view suffix, Need need) {
  const std::string name = std::string(to) + std::string(suffix);
  if (name.find("{i}") == std::string::npos) return add_one(name, from, suffix, need, 0);
  for (int i = 0; i < n_layers_ && config_.status(); ++i)
    add_one(replaced(name, "{i}", std::to_string(i * n_runs_)), from, suffix, need, i);
}

void Translation::add_one(const std::string& to, std::span<const From> from, std::string_view suffix, Need need, int layer) {
  std::vector<Found> found(from.size());
  std::string missing;
  std::size_t n_found = 0;
  for (std::size_t f = 0; f < from.size(); ++f) {
    const std::string pattern =
        replaced(replaced(std::string(from[f].name), "{p}", prefix_), "{i}", std::to_string(layer)) + std::string(suffix);
    const bool each = pattern.find("{e}") != std::string::npos;
    for (int e = 0; e < (each ? std::max(n_each_, 1) : 1); ++e) {
      const std::string name = replaced(pattern, "{e}", std::to_string(e));
      const StoredTensor* stored = take(name);
      if (!stored && missing.empty()) missing = name;
      if (stored && found[f].size() > 0 && found[f][0] && stored->shape != found[f][0]->shape)
        fail(ErrorCode::bad_file, "tensor " + gguf::quote(name) + " " + shape_text(stored->shape) + ": expected the shape " +
                                      shape_text(found[f][0]->shape) + " of the first one's");
      n_found += stored != nullptr;
      found[f].push_back(stored);
    }
  }
  if (missing.empty()) return make_tensor(to, from, found);
  if (n_found != 0 || need == Need::required) fail(ErrorCode::bad_file, "tensor " + gguf::quote(missing) + " is missing");
}

bool Translation::make_piece(const StoredTensor& stored, const From& from, std::int64_t n_cols, Piece& piece) {
  const std::string where =
      "tensor " + gguf::quote(stored.name) + " " + shape_text(stored.shape) + " of " + gguf::quote(stored.dtype);
  if (!stored.type) {
    fail(ErrorCode::unsupported, where + ": its type is not supported; supported: F32, F16, BF16");
    return false;
  }
  auto [cols, rows] = cols_and_rows(stored);
  if (stored.shape.size() == 1) std::swap(cols, rows); // a vector is turned row by row like the matrix that it belongs to
  piece = {stored.data, *stored.type, from.order, static_cast<std::size_t>(cols), 1, from.change};
  if (from.stored == Stored::columns && stored.shape.size() == 2) {
    std::swap(cols, rows);
    piece.row_step = 1;
    piece.col_step = static_cast<std::size_t>(rows);
  }
  RowOrder& order = piece.order;
  if (from.stored == Stored::columns && stored.shape.size() == 3) { // each matrix by itself; rows are where they begin
    const std::int64_t n_matrices = stored.shape[0], n_rows = stored.shape[2];
    cols = stored.shape[1];
    rows = n_matrices * cols * n_rows;
    order = {0, {1, n_matrices, n_rows}, {0, cols * n_rows, 1}, rows};
    piece.row_step = 1;
    piece.col_step = static_cast<std::size_t>(n_rows);
  }
  if (order.n_stored == 0) order = slice(0, rows, rows);
  if (cols == n_cols && order.n_stored == rows && order.is_within(rows)) return true;
  fail(ErrorCode::bad_file, where + ": expected " + std::to_string(order.n_stored) + " rows of " + std::to_string(n_cols));
  return false;
}

/// One tensor from stored ones: a view where it lies in a file as it is, computed now where it has one row, or made row by row.
void Translation::make_tensor(const std::string& to, std::span<const From> from, const std::vector<Found>& found) {
  const StoredTensor& first = *found[0][0];
  const bool is_vector = first.shape.size() <= 1;
  const std::int64_t n_cols = is_vector                                                      ? 1
                              : from[0].stored == Stored::columns && first.shape.size() <= 3 ? first.shape[first.shape.size() - 2]
                                                                                             : first.shape.back();
  std::vector<Piece> pieces;
  std::int64_t n_rows = 0;
  bool same = true; // type, and no number is changed
  for (std::size_t e = 0; e < found[0].size(); ++e) {
    for (std::size_t f = 0; f < from.size(); ++f) {
      Piece piece;
      const StoredTensor& stored = *found[f][std::min(e, found[f].size() - 1)];
      if (!make_piece(stored, from[f], n_cols, piece)) return;
      n_rows += piece.order.n_rows();
      same = same && stored.type == first.type && !piece.change;
      pieces.push_back(std::move(piece));
    }
  }
  const bool as_it_is = same && pieces.size() == 1 && from[0].order.n_stored == 0 && pieces[0].col_step == 1;
  gguf::Tensor tensor;
  tensor.name = to;
  tensor.type = same ? *first.type : TensorType::F32;
  // the third dimension: experts, each a stored tensor or a slice of one
  const std::int64_t n_matrices = found[0].size() > 1                              ? static_cast<std::int64_t>(found[0].size())
                                  : first.shape.size() == 3 && first.shape[1] != 1 ? first.shape[0]
                                                                                   : 1;
  if (is_vector) tensor.dims = {n_rows, 1, 1, 1};
  else tensor.dims = {n_cols, n_rows / n_matrices, n_matrices, 1};
  tensor.n_dims = is_vector ? 1 : n_matrices > 1 ? 3 : 2;
  if (as_it_is) {
    tensor.data = first.data;
  } else if (auto maker = make_rows(std::move(pieces), tensor.type, static_cast<std::size_t>(n_cols)); tensor.n_rows() > 1) {
    tensor.maker = std::move(maker);
  } else {
    std::vector<float> numbers((row_bytes(tensor.type, static_cast<std::size_t>(n_rows * n_cols)) + sizeof(float) - 1) /
                               sizeof(float));
    maker->make(0, n_rows, std::as_writable_bytes(std::span(numbers)).data());
    const std::size_t n_bytes = row_bytes(tensor.type, static_cast<std::size_t>(n_rows * n_cols));
    assembly_.values.push_back(std::move(numbers));
    tensor.data = std::as_bytes(std::span(assembly_.values.back())).first(n_bytes);
  }
  assembly_.tensors.push_back(std::move(tensor));
}

Result<gguf::File> Translation::finish() {
  if (!config_.status()) return config_.status().error();
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    if (!used_[i])
      return Error{ErrorCode::unsupported, assembly_.path + ": tensor " + gguf::quote(tensors_[i].name) +
                                               " is not part of the family " + architecture_ + " as it is supported here"};
  return gguf::File::assemble(std::move(assembly_));
}

} // namespace mote::hf
