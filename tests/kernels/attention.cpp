// Attention against double arithmetic, and its promises: the same bits on every ISA, for any split of the tokens and heads, and
// whatever the cache holds behind a token's position.
#include "tests/catch.h"
#include "tests/kernels/attention_case.h"

using namespace kernel_tests;

namespace {

template <class Element> void check_against_double(const AttentionShape& shape, Random& random) {
  const AttentionCase<Element> c(shape, 3, random);
  const auto found = c.run(*tables()[0]);
  for (int token = 0; token < shape.n_tokens; ++token) {
    for (int head = 0; head < shape.n_heads; ++head) {
      const auto expected = c.expected(token, head);
      for (int d = 0; d < shape.head_dim; ++d) {
        INFO("head_dim " << shape.head_dim << ", token " << token << ", head " << head << ", dimension " << d);
        const auto i = static_cast<std::size_t>(d);
        REQUIRE(std::fabs(found[c.index(token, head, d)] - expected.out[i]) <= expected.bound[i]);
      }
    }
  }
}

/// All ISAs, all at once, token by token, chunk by chunk, in two uneven parts, and head by head.
template <class Element> void check_bits(const AttentionCase<Element>& c) {
  const AttentionShape& s = c.shape();
  const auto all = tables();
  const auto expected = c.run(*all[0]);
  for (const KernelTable* table : all) {
    INFO(table->name << ": head_dim " << s.head_dim << ", " << s.n_heads << " heads, " << s.n_tokens << " tokens from position "
                     << s.first_pos);
    REQUIRE(same_values(c.run(*table), expected));
    std::vector<float> by_token(c.out_size()), by_part(c.out_size()), by_head(c.out_size());
    for (int t = 0; t < s.n_tokens; ++t) c.run(*table, t, 1, 0, s.n_heads, by_token);
    REQUIRE(same_values(by_token, expected));
    std::vector<float> by_chunk(c.out_size());
    for (int t = 0; t < s.n_tokens; ++t) c.run(*table, t, 1, 0, s.n_heads, by_chunk, AttentionCase<Element>::Way::by_chunk);
    REQUIRE(same_values(by_chunk, expected));
    const int first_part = (s.n_tokens + 2) / 3;
    c.run(*table, 0, first_part, 0, s.n_heads, by_part);
    if (first_part < s.n_tokens) c.run(*table, first_part, s.n_tokens - first_part, 0, s.n_heads, by_part);
    REQUIRE(same_values(by_part, expected));
    for (int h = 0; h < s.n_heads; ++h) c.run(*table, 0, s.n_tokens, h, 1, by_head);
    REQUIRE(same_values(by_head, expected));
  }
}

} // namespace

TEST_CASE("attention: softmax(q k) v") {
  Random random(51);
  for (int head_dim : {1, 3, 16, 28, 64, 80, 128, 192}) {
    check_against_double<std::uint16_t>({head_dim, 2, 0, 20}, random);
    check_against_double<float>({head_dim, 2, 0, 20}, random);
  }
  check_against_double<std::uint16_t>({64, 1, 250, 12}, random);
  check_against_double<float>({36, 3, 1090, 3}, random);
  check_against_double<std::uint16_t>({128, 2, 1090, 2, 0.088388f}, random);
  check_against_double<std::uint16_t>({96, 2, 300, 2, 3.0f}, random); // scores up to hundreds: most p are 0
}

TEST_CASE("attention: every ISA, batch and choice of heads computes the same bits") {
  Random random(52);
  for (int head_dim : {1, 2, 3, 15, 16, 17, 28, 36, 44, 64, 80, 96, 100, 120, 128, 192, 256, 333}) {
    check_bits(AttentionCase<std::uint16_t>({head_dim, 3, 13, 6}, 5, random));
    check_bits(AttentionCase<float>({head_dim, 2, 0, 9}, 0, random));
  }
  for (int n_heads = 1; n_heads <= 9; ++n_heads) check_bits(AttentionCase<std::uint16_t>({20, n_heads, 30, 4}, 1, random));
  check_bits(AttentionCase<std::uint16_t>({12, 1, 0, 70}, 0, random));
  check_bits(AttentionCase<std::uint16_t>({64, 2, 250, 10}, 2, random)); // tiles on both sides of a chunk's end
  check_bits(AttentionCase<std::uint16_t>({40, 7, 510, 5}, 40, random));
  check_bits(AttentionCase<float>({33, 2, 1095, 5}, 3, random));
}

TEST_CASE("attention: windows, capped and sloped scores") {
  Random random(57);
  for (const AttentionShape& shape :
       {AttentionShape{20, 3, 0, 40, 0.5f, 7}, AttentionShape{64, 2, 250, 30, 0.25f, 16},
        AttentionShape{36, 3, 1000, 40, 0.3f, 300}, AttentionShape{17, 2, 500, 20, 0.5f, 1},
        AttentionShape{32, 7, 760, 9, 0.3f, 250}, AttentionShape{48, 3, 100, 20, 0.7f, 0, 3.0f},
        AttentionShape{40, 9, 300, 5, 0.4f, 0, 0, true}, AttentionShape{28, 5, 600, 12, 0.4f, 270, 5.0f, true}}) {
    check_against_double<float>(shape, random);
    check_against_double<std::uint16_t>(shape, random);
    check_bits(AttentionCase<std::uint16_t>(shape, 3, random));
    check_bits(AttentionCase<float>(shape, 0, random));
  }
}

TEST_CASE("attention: a window that covers all is none, and nothing before a window matters") {
  for (const KernelTable* table : tables()) {
    const AttentionShape plain{40, 3, 505, 12};
    AttentionShape covering = plain;
    covering.window = plain.n_positions();
    Random random(58), again(58);
    REQUIRE(
        same_values(AttentionCase<float>(covering, 0, again).run(*table), AttentionCase<float>(plain, 0, random).run(*table)));

    AttentionShape narrow = plain;
    narrow.window = 100;
    const AttentionCase<float> c(narrow, 0, random);
    const auto expected = c.run(*table);
    c.fill(0, narrow.first_attended(narrow.first_pos), std::numeric_limits<float>::quiet_NaN());
    REQUIRE(same_values(c.run(*table), expected));
  }
}

TEST_CASE("attention: what lies behind a token's position does not matter") {
  Random random(53);
  const float garbage[] = {0.0f, -0.0f, HUGE_VALF, -HUGE_VALF, 65504.0f, std::numeric_limits<float>::quiet_NaN()};
  for (const AttentionShape& shape : {AttentionShape{17, 3, 3, 2}, AttentionShape{64, 1, 15, 1}, AttentionShape{48, 2, 250, 9},
                                      AttentionShape{32, 7, 255, 3}}) {
    const AttentionCase<std::uint16_t> c(shape, 40, random);
    const auto all = tables();
    const auto expected = c.run(*all[0]);
    for (const KernelTable* table : all) {
      for (float x : garbage) {
        INFO(table->name << ": " << x << " behind position " << shape.n_positions() - 1);
        c.fill(shape.n_positions(), c.n_ctx(), x);
        REQUIRE(same_values(c.run(*table), expected));
      }
    }
  }
}

TEST_CASE("attention: a token does not see those behind it in the same call") {
  Random random(54);
  for (const AttentionShape& shape : {AttentionShape{17, 1, 3, 12}, AttentionShape{64, 3, 250, 12}}) {
    for (int bad = 1; bad < shape.n_tokens; bad += 5) {
      const AttentionCase<std::uint16_t> c(shape, 0, random);
      const auto all = tables();
      const auto expected = c.run(*all[0]);
      c.fill(shape.first_pos + bad, shape.first_pos + bad + 1, std::numeric_limits<float>::quiet_NaN());
      for (const KernelTable* table : all) {
        INFO(table->name << ": NaN at token " << bad);
        const auto found = c.run(*table);
        for (std::size_t i = 0; i < found.size(); ++i) {
          if (i < c.index(bad, 0, 0)) REQUIRE(same_value(found[i], expected[i]));
          else REQUIRE(std::isnan(found[i]));
        }
      }
    }
  }
}

TEST_CASE("attention: values that are not finite stay in their row, the same on every ISA") {
  Random random(55);
  const AttentionShape shape{24, 2, 270, 3};
  const auto all = tables();
  for (float x : {HUGE_VALF, -HUGE_VALF, std::numeric_limits<float>::quiet_NaN()}) {
    const AttentionCase<float> in_k(shape, 0, random), in_v(shape, 0, random), in_q(shape, 0, random);
    in_k.k(100, 7) = x;
    in_v.v(260, 5) = x;
    in_q.q(1, 1, 3) = x;
    const auto clean = in_q.run(*all[0]);
    for (const KernelTable* table : all) {
      INFO(table->name << ": " << x);
      REQUIRE(same_values(in_k.run(*table), in_k.run(*all[0])));
      REQUIRE(same_values(in_v.run(*table), in_v.run(*all[0])));
      const auto found = in_v.run(*table);
      for (std::size_t i = 0; i < found.size(); ++i) REQUIRE(std::isfinite(found[i]) == (i % 24 != 5));
      REQUIRE(same_values(in_q.run(*table), clean));
    }
  }
}

TEST_CASE("attention: cases with a known result") {
  Random random(56);
  for (const KernelTable* table : tables()) {
    // position 0 has nothing but itself
    const AttentionCase<std::uint16_t> alone({50, 3, 0, 1}, 0, random);
    const auto first = alone.run(*table);
    for (int h = 0; h < 3; ++h)
      for (int d = 0; d < 50; ++d) REQUIRE(first[alone.index(0, h, d)] == alone.value(alone.v(0, d)));
    // equal scores: the mean of v, exact for these numbers
    const AttentionCase<float> equal({20, 2, 511, 1}, 0, random);
    for (int pos = 0; pos < 512; ++pos)
      for (int d = 0; d < 20; ++d) {
        equal.k(pos, d) = 1.0f;
        equal.v(pos, d) = static_cast<float>(pos * (d + 1));
      }
    const auto mean = equal.run(*table);
    for (int h = 0; h < 2; ++h)
      for (int d = 0; d < 20; ++d) REQUIRE(mean[equal.index(0, h, d)] == 255.5f * static_cast<float>(d + 1));
    // one score far above the others: that position's v
    const AttentionCase<std::uint16_t> sharp({16, 1, 700, 1, 1.0f}, 0, random);
    for (int d = 0; d < 16; ++d) {
      sharp.q(0, 0, d) = 10.0f;
      sharp.k(300, d) = sharp.element(100.0f);
    }
    const auto one = sharp.run(*table);
    for (int d = 0; d < 16; ++d) REQUIRE(one[sharp.index(0, 0, d)] == sharp.value(sharp.v(300, d)));
  }
}
