#include "lib/spec/metadata.h"

#include <utility>

#include "lib/gguf/format.h"

namespace mote::spec {

void Metadata::fail(ErrorCode code, const std::string& message) {
  if (status_) status_ = Error{code, file_.path() + ": " + message};
}

template <class T> T Metadata::take(Result<T> result, T fallback) {
  if (result) return *std::move(result);
  if (status_) status_ = std::move(result).error();
  return fallback;
}

std::string Metadata::full_key(std::string_view key) const { return architecture_ + "." + std::string(key); }

bool Metadata::has(std::string_view key) const { return file_.has(full_key(key)); }

int Metadata::integer(std::string_view key, int min, int max) {
  return static_cast<int>(take<std::int64_t>(file_.get_int(full_key(key), min, max), min));
}

int Metadata::integer_or(std::string_view key, int fallback, int min, int max) {
  return has(key) ? integer(key, min, max) : fallback;
}

double Metadata::real(std::string_view key) { return take(file_.get_float(full_key(key)), 1.0); }

double Metadata::real_or(std::string_view key, double fallback) { return has(key) ? real(key) : fallback; }

bool Metadata::boolean_or(std::string_view key, bool fallback) {
  return has(key) ? take(file_.get_bool(full_key(key)), fallback) : fallback;
}

std::string_view Metadata::string_or(std::string_view key, std::string_view fallback) {
  return has(key) ? take(file_.get_string(full_key(key)), fallback) : fallback;
}

std::vector<int> Metadata::per_layer(std::string_view key, std::size_t n_layers, int min, int max) {
  const std::string name = full_key(key);
  if (file_.type_of(name) != gguf::ValueType::array) return std::vector<int>(n_layers, integer(key, min, max));
  const std::vector<std::int64_t> found = take(file_.get_ints(name), {});
  std::vector<int> values(n_layers, min);
  if (found.size() != n_layers) {
    fail(ErrorCode::bad_file, name + " has " + std::to_string(found.size()) + " values, expected one for each of the " +
                                  std::to_string(n_layers) + " layers");
    return values;
  }
  for (std::size_t i = 0; i < n_layers; ++i) {
    if (found[i] < min || found[i] > max) {
      fail(ErrorCode::bad_file, name + "[" + std::to_string(i) + "] is " + std::to_string(found[i]) + ", expected " +
                                    std::to_string(min) + " to " + std::to_string(max));
      return values;
    }
    values[i] = static_cast<int>(found[i]);
  }
  return values;
}

bool Metadata::layer_has(std::size_t layer, std::string_view name) const {
  return has_tensor("blk." + std::to_string(layer) + "." + std::string(name));
}

int Metadata::matrix_rows(std::string_view name, int max) {
  const gguf::Tensor* tensor = file_.find_tensor(name);
  if (!tensor) {
    fail(ErrorCode::bad_file, "tensor " + gguf::quote(name) + " is missing");
    return 1;
  }
  if (tensor->n_rows() < 1 || tensor->n_rows() > max) {
    fail(ErrorCode::bad_file, "tensor " + gguf::quote(name) + " has " + std::to_string(tensor->n_rows()) +
                                  " rows, expected 1 to " + std::to_string(max));
    return 1;
  }
  return static_cast<int>(tensor->n_rows());
}

} // namespace mote::spec
