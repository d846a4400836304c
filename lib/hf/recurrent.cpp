#include "lib/hf/recurrent.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace mote::hf {

// From double, so that rounding to float hides the last digits, in which libraries differ.
float negative_exp(float log) { return static_cast<float>(-std::exp(static_cast<double>(log))); }

void mamba_mixers(Translation& t, std::string_view mixer) {
  const auto from = [&](const char* name) { return std::string(mixer) + name; };
  t.optional_tensor("blk.{i}.ssm_in.weight", {{from("in_proj.weight")}});
  t.optional_module("blk.{i}.ssm_conv1d", {{from("conv1d")}});
  t.optional_tensor("blk.{i}.ssm_x.weight", {{from("x_proj.weight")}});
  t.optional_module("blk.{i}.ssm_dt", {{from("dt_proj")}});
  t.optional_tensor("blk.{i}.ssm_a", {{from("A_log"), {}, Stored::rows, negative_exp}});
  t.optional_tensor("blk.{i}.ssm_d", {{from("D")}});
  t.optional_tensor("blk.{i}.ssm_out.weight", {{from("out_proj.weight")}});
}

namespace {

/// Time steps may be bounded; published models say 0 and infinity, which is null or an object here.
void refuse_time_step_limit(Config& c) {
  const Json* limit = c.find("time_step_limit");
  if (!limit) return;
  const Json::Array* bounds = limit->array();
  const bool from_0 =
      bounds && bounds->size() == 2 &&
      (((*bounds)[0].integer() && *(*bounds)[0].integer() == 0) || ((*bounds)[0].real() && *(*bounds)[0].real() == 0));
  if (!from_0 || !((*bounds)[1].object() || (*bounds)[1].is_null()))
    c.unsupported("time_step_limit is not supported, but for 0 and infinity");
}

} // namespace

void mamba2_mixers(Translation& t, std::initializer_list<std::string_view> mixers, const Mamba2Names& names) {
  Config& c = t.config();
  refuse_time_step_limit(c);
  const int n_heads = c.integer(names.n_heads), head_dim = c.integer(names.head_dim), n_groups = c.integer_or(names.n_groups, 1);
  if (n_heads > Config::kMaxInteger / head_dim)
    return c.fail(ErrorCode::bad_file, "the heads of Mamba-2 are too many or too wide: " + std::to_string(n_heads) + " of " +
                                           std::to_string(head_dim) + " channels");
  t.set("ssm.inner_size", n_heads * head_dim);
  t.set("ssm.state_size", c.integer(names.d_state));
  t.set("ssm.time_step_rank", n_heads);
  t.set("ssm.group_count", n_groups);
  t.set("ssm.conv_kernel", c.integer(names.d_conv));
  for (const std::string_view mixer : mixers) {
    const auto from = [&](const char* name) { return std::string(mixer) + name; };
    t.optional_tensor("blk.{i}.ssm_in.weight", {{from("in_proj.weight")}});
    t.optional_module("blk.{i}.ssm_conv1d", {{from("conv1d")}});
    t.optional_tensor("blk.{i}.ssm_dt.bias", {{from("dt_bias")}});
    t.optional_tensor("blk.{i}.ssm_a", {{from("A_log"), {}, Stored::rows, negative_exp}});
    t.optional_tensor("blk.{i}.ssm_d", {{from("D")}});
    t.optional_tensor("blk.{i}.ssm_norm.weight", {{from("norm.weight")}});
    t.optional_tensor("blk.{i}.ssm_out.weight", {{from("out_proj.weight")}});
  }
  t.fold("blk.{i}.ssm_a", 1);
  t.fold("blk.{i}.ssm_d", 1);
  t.fold("blk.{i}.ssm_norm.weight", std::max(1, n_heads * head_dim / n_groups));
}

} // namespace mote::hf
