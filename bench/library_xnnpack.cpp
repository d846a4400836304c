// XNNPACK's fully connected operators, with its own threads. An operator keeps its own packed weights.
#include <xnnpack.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bench/library.h"

namespace bench {
namespace {

mote::Error failed(const char* what, xnn_status status) {
  return {mote::ErrorCode::unsupported, std::string("XNNPACK: ") + what + ": status " + std::to_string(status)};
}

using Operator = std::unique_ptr<xnn_operator, decltype([](xnn_operator_t op) { xnn_delete_operator(op); })>;
using Threads = std::unique_ptr<pthreadpool, decltype([](pthreadpool_t pool) { pthreadpool_destroy(pool); })>;

/// One operator a copy, all writing the same output.
template <class T> struct Operators {
  std::vector<T> x, out; // [n_tokens, n_cols], [n_tokens, n_rows]
  Threads threads;       // none: the calling thread
  std::vector<Operator> operators;
};

mote::Result<Operator> create(const Shape& shape, const float* weights) {
  const auto n_rows = static_cast<std::size_t>(shape.n_rows), n_cols = static_cast<std::size_t>(shape.n_cols);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  xnn_operator_t op = nullptr;
  const auto status =
      xnn_create_fully_connected_nc_f32(n_cols, n_rows, n_cols, n_rows, weights, nullptr, -kInfinity, kInfinity, 0, &op);
  if (status != xnn_status_success) return failed("fully connected, f32", status);
  return Operator(op);
}

/// Weights and activations are codes / 127. Sums of so many random products that any were clipped would be a wonder.
float result_scale(const Shape& shape) { return 2 * std::sqrt(static_cast<float>(shape.n_cols)) / 127; }

mote::Result<Operator> create(const Shape& shape, const std::int8_t* weights) {
  const auto n_rows = static_cast<std::size_t>(shape.n_rows), n_cols = static_cast<std::size_t>(shape.n_cols);
  xnn_operator_t op = nullptr;
  const auto status = xnn_create_fully_connected_nc_qs8(n_cols, n_rows, n_cols, n_rows, 0, 1.0f / 127, 1.0f / 127, weights,
                                                        nullptr, 0, result_scale(shape), -127, 127, 0, &op);
  if (status != xnn_status_success) return failed("fully connected, qs8", status);
  return Operator(op);
}

xnn_status set_up(const Operator& op, const Shape& shape, Operators<float>& o) {
  const auto n_tokens = static_cast<std::size_t>(shape.n_tokens);
  return xnn_setup_fully_connected_nc_f32(op.get(), n_tokens, o.x.data(), o.out.data(), o.threads.get());
}
xnn_status set_up(const Operator& op, const Shape& shape, Operators<std::int8_t>& o) {
  const auto n_tokens = static_cast<std::size_t>(shape.n_tokens);
  return xnn_setup_fully_connected_nc_qs8(op.get(), n_tokens, o.x.data(), o.out.data(), o.threads.get());
}

template <class T> constexpr bool kInt8 = sizeof(T) == 1;

template <class T> std::vector<T> from_floats(const float* floats, std::size_t n) {
  std::vector<T> values(n);
  std::transform(floats, floats + n, values.begin(), [](float x) { return static_cast<T>(kInt8<T> ? std::round(127 * x) : x); });
  return values;
}

template <class T> mote::Result<Product> product(const ProductSize& size) {
  if (const auto status = xnn_initialize(nullptr); status != xnn_status_success) return failed("initialize", status);
  const auto operands = make_operands(size.shape, 1);
  if (!operands) return operands.error();
  Operands& first = **operands;
  const std::size_t n_weights = static_cast<std::size_t>(size.shape.n_rows) * static_cast<std::size_t>(size.shape.n_cols);
  const std::vector<T> weights = from_floats<T>(first.copy(0), n_weights);
  const auto o = std::make_shared<Operators<T>>();
  o->x = from_floats<T>(first.x.data(), first.x.size());
  o->out.resize(first.out.size() + XNN_EXTRA_BYTES);
  o->x.resize(first.x.size() + XNN_EXTRA_BYTES); // it reads a little further
  if (size.n_threads > 1) o->threads.reset(pthreadpool_create(static_cast<std::size_t>(size.n_threads)));
  for (std::size_t copy = 0; copy < size.n_copies; ++copy) {
    auto op = create(size.shape, weights.data());
    if (!op) return op.error();
    if (const auto status = set_up(*op, size.shape, *o); status != xnn_status_success) return failed("set-up", status);
    o->operators.push_back(*std::move(op));
  }
  Product product;
  product.weight_bytes = n_weights * sizeof(T);
  product.run = [o](std::size_t copy, int) { xnn_run_operator(o->operators[copy].get(), o->threads.get()); };

  product.run(0, 0);
  const float scale = kInt8<T> ? result_scale(size.shape) : 1.0f;
  std::transform(o->out.begin(), o->out.begin() + static_cast<std::ptrdiff_t>(first.out.size()), first.out.begin(),
                 [=](T x) { return scale * static_cast<float>(x); });
  if (mote::Status s = check_result(first, kInt8<T> ? 1.5 * static_cast<double>(scale) : 1e-5 * size.shape.n_cols); !s)
    return s.error();
  return product;
}

} // namespace

std::vector<Library> xnnpack_libraries() {
  return {{"XNNPACK", "F32", "", product<float>}, {"XNNPACK", "I8", "", product<std::int8_t>}};
}

} // namespace bench
