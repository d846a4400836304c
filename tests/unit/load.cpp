#include <algorithm>
#include <mutex>

#include "lib/weights/sources.h"
#include "tests/catch.h"

using namespace mote;

namespace {

/// Random rows; counts what is taken and not yet let go.
class CountingSource final : public weights::RowSource {
 public:
  CountingSource(std::span<const weights::TensorDesc> tensors, std::span<const TensorType> types)
      : source_(tensors, types, 1), tensors_(tensors), types_(types), n_done(tensors.size()) {}
  const std::byte* rows(std::size_t tensor, std::int64_t first, std::int64_t last, std::byte* scratch) const override {
    count(tensor, last - first);
    return source_.rows(tensor, first, last, scratch);
  }
  bool needs_scratch() const noexcept override { return true; }
  void done(std::size_t tensor, std::int64_t first, std::int64_t last) const override {
    count(tensor, first - last);
    const std::lock_guard lock(mutex_);
    n_done[tensor] += last - first;
  }
  std::int64_t most() const { return most_; }

 private:
  void count(std::size_t tensor, std::int64_t n_rows) const {
    const std::lock_guard lock(mutex_);
    held_ += n_rows * static_cast<std::int64_t>(row_bytes(types_[tensor], static_cast<std::size_t>(tensors_[tensor].n_cols)));
    most_ = std::max(most_, held_);
  }
  weights::RandomSource source_;
  std::span<const weights::TensorDesc> tensors_;
  std::span<const TensorType> types_;
  mutable std::mutex mutex_;
  mutable std::int64_t held_ = 0, most_ = 0;

 public:
  mutable std::vector<std::int64_t> n_done; ///< rows, by tensor
};

} // namespace

TEST_CASE("loading holds a megabyte of the file a thread, however large its matrices") {
  const auto spec = spec_from_shape("layers=1,d_model=256,d_ff=512,heads=4,vocab=30000");
  REQUIRE(spec);
  const auto tensors = weights::list_tensors(*spec);
  const auto types = weights::choose_types(tensors, *spec, Mix::F16); // an embedding of 15 MB
  for (const int n_threads : {1, 3}) {
    const CountingSource source(tensors, types);
    auto pool = runtime::ThreadPool::create(n_threads);
    REQUIRE(pool);
    const auto loaded = weights::load_weights(*spec, tensors, types, source, **pool, {}, nullptr);
    REQUIRE(loaded);
    CHECK(source.most() <= n_threads * (std::int64_t{1} << 20));
    for (std::size_t i = 0; i < tensors.size(); ++i) CHECK(source.n_done[i] == tensors[i].n_rows);
  }
}
