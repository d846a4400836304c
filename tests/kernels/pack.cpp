// Panels hold the file's bytes, all of them, in a size that can be told beforehand.
#include "tests/catch.h"
#include "tests/kernels/matrices.h"

using namespace kernel_tests;

TEST_CASE("pack: unpacking gives the file's bytes back, for any bytes") {
  Random random(10);
  for (const auto& info : mote::all_types()) {
    for (int n_cols : test_columns(info.type)) {
      for (int n_rows : {1, 15, 16, 17, 37}) {
        const Matrix m(info.type, n_rows, n_cols, Weights::hostile, random);
        const Exact<std::byte> row(m.row_bytes());
        for (int i = 0; i < n_rows; ++i) {
          mote::kernels::unpack_row(info.type, m.panels.data() + to_size(i / 16) * m.panel_bytes(), i % 16, n_cols, row.data());
          INFO(info.name << " columns " << n_cols << " row " << i << " of " << n_rows);
          REQUIRE(std::memcmp(row.data(), m.row(i), m.row_bytes()) == 0);
        }
      }
    }
  }
}

TEST_CASE("pack: a panel has the size of its rows, rounded up to 64 bytes") {
  for (const auto& info : mote::all_types()) {
    for (int n_blocks = 1; n_blocks < 9; ++n_blocks) {
      const int n_cols = n_blocks * info.block_weights;
      const std::size_t rows = 16 * mote::row_bytes(info.type, to_size(n_cols));
      INFO(info.name << " columns " << n_cols);
      REQUIRE(mote::kernels::panel_bytes(info.type, n_cols) == (rows + 63) / 64 * 64);
    }
  }
}

TEST_CASE("pack: rows that are missing are rows of zeros, and nothing of the memory before shows") {
  Random random(11);
  for (const auto& info : mote::all_types()) {
    const int n_cols = test_columns(info.type)[1];
    const auto rows = make_rows(info.type, 5, n_cols, Weights::hostile, random);
    const std::size_t row_bytes = mote::row_bytes(info.type, to_size(n_cols));
    const Exact<std::byte> clean(mote::kernels::panel_bytes(info.type, n_cols)), dirty(clean.size(), std::byte{0xff});
    mote::kernels::pack_panel(info.type, rows.data(), 5, n_cols, clean.data());
    mote::kernels::pack_panel(info.type, rows.data(), 5, n_cols, dirty.data());
    INFO(info.name);
    REQUIRE(std::memcmp(clean.data(), dirty.data(), clean.size()) == 0);
    const std::vector<std::byte> zeros(row_bytes);
    std::vector<std::byte> row(row_bytes);
    for (int i = 5; i < 16; ++i) {
      mote::kernels::unpack_row(info.type, dirty.data(), i, n_cols, row.data());
      REQUIRE(row == zeros);
    }
  }
}

TEST_CASE("pack: a full panel is written whole over whatever was there") {
  Random random(12);
  for (const auto& info : mote::all_types()) {
    for (int n_cols : test_columns(info.type)) {
      const auto rows = make_rows(info.type, 16, n_cols, Weights::hostile, random);
      const Exact<std::byte> clean(mote::kernels::panel_bytes(info.type, n_cols)), dirty(clean.size(), std::byte{0xff});
      mote::kernels::pack_panel(info.type, rows.data(), 16, n_cols, clean.data());
      mote::kernels::pack_panel(info.type, rows.data(), 16, n_cols, dirty.data());
      INFO(info.name << " columns " << n_cols);
      REQUIRE(std::memcmp(clean.data(), dirty.data(), clean.size()) == 0);
    }
  }
}
