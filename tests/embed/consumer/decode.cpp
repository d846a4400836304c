// Makes a small random model, decodes tokens and looks at the logits.
#include <mote/mote.h>

#include <cmath>
#include <cstdio>

int main() {
  const auto spec = mote::spec_from_shape("layers=2,d_model=64,d_ff=160,heads=4,kv_heads=2,vocab=131,ctx=32");
  if (!spec) return std::fprintf(stderr, "%s\n", spec.error().message.c_str()), 1;
  const auto model = mote::Model::random(*spec, mote::Mix::Q8_0, 1);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message.c_str()), 1;
  auto session = mote::Session::create(*model);
  if (!session) return std::fprintf(stderr, "%s\n", session.error().message.c_str()), 1;

  for (std::int32_t token = 0; token < 32; ++token) {
    if (const auto status = session->decode({&token, 1}); !status) return std::fprintf(stderr, "%s\n", status.error().message.c_str()), 1;
  }
  float largest = 0;
  for (const float logit : session->logits()) {
    if (!std::isfinite(logit)) return std::fprintf(stderr, "a logit is not finite\n"), 1;
    largest = std::fmax(largest, std::fabs(logit));
  }
  if (session->logits().size() != 131 || largest == 0) return std::fprintf(stderr, "these are no logits\n"), 1;

  const std::int32_t one_more = 0;
  const auto full = session->decode({&one_more, 1});
  if (full || full.error().code != mote::ErrorCode::context_full) return std::fprintf(stderr, "33 tokens fit 32 positions\n"), 1;
  std::puts("decoded");
  return 0;
}
