#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lib/spec/names.h"
#include "lib/spec/visit_mixer.h"

namespace mote {

namespace spec {

namespace {

struct Field {
  std::string path; ///< "attention.rope.base"
  std::string value;
};

/// The one list of a spec's fields, which printing and comparing share.
class Fields {
 public:
  void add(std::string path, std::string value) { fields_.push_back({std::move(path), std::move(value)}); }
  void add(std::string path, std::string_view value) { add(std::move(path), std::string(value)); }
  void add(std::string path, int value) { add(std::move(path), std::to_string(value)); }
  void add(std::string path, float value) { add(std::move(path), number(value)); }
  void add(std::string path, double value) { add(std::move(path), number(value)); }
  void add(std::string path, bool value) { add(std::move(path), std::string_view(value ? "yes" : "no")); }

  /// What few models have, where it is not at its default.
  template <class T> void add_unless(T usual, std::string path, T value) {
    if (value != usual) add(std::move(path), value);
  }

  void add(const std::string& path, const NormSpec& norm) {
    add(path + ".kind", name_of(norm.kind));
    add(path + ".eps", norm.eps);
    add(path + ".bias", norm.bias);
    add_unless(true, path + ".weight", norm.weight);
  }
  void add(const std::string& path, const RopeSpec& rope);
  void add(const std::string& path, const AttentionSpec& attention);
  void add(const std::string& path, const MambaSpec& mamba);
  void add(const std::string& path, const Mamba2Spec& mamba);
  void add(const std::string& path, const ShortConvSpec& conv);
  void add(const std::string& path, const RgLruSpec& lru);
  void add(const std::string& path, const FfnSpec& ffn);
  void add(const std::string& path, const BlockSpec& block);

  std::vector<Field> take() { return std::move(fields_); }

 private:
  std::vector<Field> fields_;
};

/// "1 x15, 1.5, 32 x16": equal neighbours are counted.
std::string runs(const std::vector<float>& values) {
  std::string text;
  for (std::size_t i = 0, end = 0; i < values.size(); i = end) {
    end = i + 1;
    while (end < values.size() && values[end] == values[i]) ++end;
    if (!text.empty()) text += ", ";
    text += number(values[i]);
    if (end - i > 1) text += " x" + std::to_string(end - i);
  }
  return text.empty() ? "none" : "[" + text + "]";
}

void Fields::add(const std::string& path, const RopeSpec& rope) {
  add(path + ".style", name_of(rope.style));
  add(path + ".dims", rope.dims);
  add(path + ".base", rope.base);
  add(path + ".factors", runs(rope.factors));
  if (!rope.long_factors.empty()) add(path + ".long_factors", runs(rope.long_factors));
  add_unless(0, path + ".n_short_ctx", rope.n_short_ctx);
  add_unless(1.0f, path + ".magnitude", rope.magnitude);
  if (!rope.yarn) return;
  add(path + ".yarn_factor", rope.yarn->factor);
  add(path + ".yarn_beta_fast", rope.yarn->beta_fast);
  add(path + ".yarn_beta_slow", rope.yarn->beta_slow);
  add(path + ".yarn_original_ctx", rope.yarn->original_ctx);
}

void Fields::add(const std::string& path, const AttentionSpec& attention) {
  add(path + ".n_heads", attention.n_heads);
  add(path + ".n_kv_heads", attention.n_kv_heads);
  add(path + ".head_dim", attention.head_dim);
  add(path + ".qkv_storage", name_of(attention.qkv_storage));
  add(path + ".qkv_bias", attention.qkv_bias);
  add(path + ".output_bias", attention.output_bias);
  add_unless(0.0f, path + ".clamp", attention.clamp);
  if (attention.qk_norm) add(path + ".qk_norm", *attention.qk_norm);
  else add(path + ".qk_norm", std::string_view("none"));
  if (attention.qk_norm_scope != QkNormScope::head) add(path + ".qk_norm_scope", name_of(attention.qk_norm_scope));
  add(path + ".scale", attention.scale);
  add_unless(0.0f, path + ".softcap", attention.softcap);
  if (attention.rope) add(path + ".rope", *attention.rope);
  else add(path + ".rope", std::string_view("none"));
  add_unless(0.0f, path + ".alibi_max_bias", attention.alibi_max_bias);
  add_unless(0, path + ".window", attention.window);
  add_unless(0, path + ".log_scaling_from", attention.log_scaling_from);
  if (!attention.latent) return;
  add(path + ".q_rank", attention.latent->q_rank);
  add(path + ".kv_rank", attention.latent->kv_rank);
  add(path + ".v_dim", attention.latent->v_dim);
  add(path + ".latent_norm", attention.latent->norm);
}

void Fields::add(const std::string& path, const MambaSpec& mamba) {
  add(path + ".d_inner", mamba.d_inner);
  add(path + ".d_state", mamba.d_state);
  add(path + ".dt_rank", mamba.dt_rank);
  add(path + ".d_conv", mamba.d_conv);
  add(path + ".dt_b_c_norms", mamba.dt_b_c_norms);
}

void Fields::add(const std::string& path, const Mamba2Spec& mamba) {
  add(path + ".n_heads", mamba.n_heads);
  add(path + ".head_dim", mamba.head_dim);
  add(path + ".d_state", mamba.d_state);
  add(path + ".n_groups", mamba.n_groups);
  add(path + ".d_conv", mamba.d_conv);
}

void Fields::add(const std::string& path, const ShortConvSpec& conv) { add(path + ".d_conv", conv.d_conv); }

void Fields::add(const std::string& path, const RgLruSpec& lru) {
  add(path + ".d_inner", lru.d_inner);
  add(path + ".n_blocks", lru.n_blocks);
  add(path + ".d_conv", lru.d_conv);
}

void Fields::add(const std::string& path, const FfnSpec& ffn) {
  add(path + ".kind", name_of(ffn.kind));
  add(path + ".activation", name_of(ffn.activation));
  add(path + ".d_ff", ffn.d_ff);
  add(path + ".bias", ffn.bias);
  if (ffn.gate_storage != GateStorage::separate) add(path + ".gate_storage", name_of(ffn.gate_storage));
  if (!ffn.experts) return; // rare: said where there are some
  add(path + ".n_experts", ffn.experts->n_experts);
  add(path + ".n_used", ffn.experts->n_used);
  add(path + ".router", name_of(ffn.experts->router));
  add(path + ".scale", ffn.experts->scale);
  add(path + ".shared_d_ff", ffn.experts->shared_d_ff);
  add(path + ".shared_gate", ffn.experts->shared_gate);
}

void Fields::add(const std::string& path, const BlockSpec& block) {
  add(path + ".attention", block.attention);
  add(path + ".ffn", block.ffn);
  add(path + ".qkv_rank", block.qkv_rank);
  add(path + ".ffn_rank", block.ffn_rank);
  add_unless(-1, path + ".from", block.from);
}

std::vector<Field> model_fields(const ModelSpec& model) {
  Fields fields;
  fields.add("family", model.family);
  fields.add("name", model.name);
  fields.add("d_model", model.d_model);
  fields.add("n_vocab", model.n_vocab);
  fields.add("n_ctx", model.n_ctx);
  fields.add("embedding.n_positions", model.embedding.n_positions);
  fields.add_unless(0, "embedding.first_position", model.embedding.first_position);
  fields.add_unless(0, "embedding.d_embedding", model.embedding.d_embedding);
  fields.add_unless(1.0f, "embedding.scale", model.embedding.scale);
  if (model.embedding.norm) fields.add("embedding.norm", *model.embedding.norm);
  fields.add("layers", static_cast<int>(model.layers.size()));
  return fields.take();
}

std::vector<Field> layer_fields(const LayerSpec& layer) {
  Fields fields;
  fields.add("residual", name_of(layer.residual));
  if (layer.placement != NormPlacement::pre) fields.add("placement", name_of(layer.placement));
  fields.add("norm", layer.norm);
  fields.add_unless(1.0f, "residual_scale", layer.residual_scale);
  if (layer.block) fields.add("block", *layer.block);
  visit_mixer(layer.mixer, [&](const auto& mixer) { fields.add(std::string(kMixerNames[layer.mixer.index()]), mixer); });
  if (layer.ffn) fields.add("ffn", *layer.ffn);
  else fields.add("ffn", std::string_view("none"));
  // rare: said where it is so
  if (layer.mixer_from >= 0) fields.add("mixer_from", layer.mixer_from);
  if (layer.ffn_from >= 0) fields.add("ffn_from", layer.ffn_from);
  return fields.take();
}

std::vector<Field> head_fields(const HeadSpec& head) {
  Fields fields;
  if (head.norm) fields.add("norm", *head.norm);
  else fields.add("norm", std::string_view("none"));
  fields.add("tied", head.tied);
  fields.add("bias", head.bias);
  fields.add_unless(1.0f, "scale", head.scale);
  fields.add_unless(0.0f, "softcap", head.softcap);
  return fields.take();
}

/// A line for each first word of the paths: "  norm: kind=rms, eps=1e-05, bias=no".
std::string print_lines(const std::vector<Field>& fields, std::string_view indent) {
  std::string text;
  std::string_view line;
  for (const Field& field : fields) {
    const std::string_view path = field.path;
    const std::size_t dot = path.find('.');
    const std::string_view word = path.substr(0, dot);
    if (dot != std::string_view::npos && word == line) {
      text += ", ";
    } else {
      if (!text.empty()) text += '\n';
      text.append(indent).append(word).append(": ");
    }
    line = word;
    if (dot != std::string_view::npos) text.append(path.substr(dot + 1)).append("=");
    text += field.value;
  }
  return text + "\n";
}

std::string layer_range(std::size_t first, std::size_t last) {
  return "layers[" + std::to_string(first) + (first == last ? "" : ".." + std::to_string(last)) + "]";
}

const std::string* find_value(const std::vector<Field>& fields, std::string_view path) {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.path == path; });
  return at == fields.end() ? nullptr : &at->value;
}

/// "path: a -> b" for each difference. Of a part that one of the two lacks, that side's fields do not exist: "none".
std::vector<std::string> differences(const std::vector<Field>& a, const std::vector<Field>& b) {
  std::vector<std::string> lines;
  for (const Field& field : a) {
    const std::string* other = find_value(b, field.path);
    if (!other || *other != field.value) lines.push_back(field.path + ": " + field.value + " -> " + (other ? *other : "none"));
  }
  for (const Field& field : b)
    if (!find_value(a, field.path)) lines.push_back(field.path + ": none -> " + field.value);
  // a part that is absent has a field of its own to say so; beside the fields of the part it says nothing
  std::erase_if(lines, [](const std::string& line) { return line.ends_with(": none -> none"); });
  return lines;
}

} // namespace

} // namespace spec

std::string to_string(const ModelSpec& model) {
  using namespace spec;
  std::string text = print_lines(model_fields(model), "");
  for (std::size_t first = 0, end = 0; first < model.layers.size(); first = end) {
    end = first + 1;
    while (end < model.layers.size() && model.layers[end] == model.layers[first]) ++end;
    text += layer_range(first, end - 1) + ":\n" + print_lines(layer_fields(model.layers[first]), "  ");
  }
  return text + "head:\n" + print_lines(head_fields(model.head), "  ");
}

std::string diff(const ModelSpec& a, const ModelSpec& b) {
  using namespace spec;
  std::string text;
  for (const std::string& line : differences(model_fields(a), model_fields(b))) text += line + "\n";

  const std::size_t n_both = std::min(a.layers.size(), b.layers.size());
  std::vector<std::vector<std::string>> of_layer(n_both);
  for (std::size_t i = 0; i < n_both; ++i)
    if (a.layers[i] != b.layers[i]) of_layer[i] = differences(layer_fields(a.layers[i]), layer_fields(b.layers[i]));
  for (std::size_t first = 0, end = 0; first < n_both; first = end) {
    end = first + 1;
    while (end < n_both && of_layer[end] == of_layer[first]) ++end;
    for (const std::string& line : of_layer[first]) text += layer_range(first, end - 1) + "." + line + "\n";
  }

  for (const std::string& line : differences(head_fields(a.head), head_fields(b.head))) text += "head." + line + "\n";
  return text;
}

} // namespace mote
