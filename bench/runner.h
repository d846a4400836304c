/// Computes a prompt and goes on from there, always with the likeliest token, and takes the time.
#pragma once
#include <cstdint>
#include <vector>

#include "bench/meters.h"
#include "bench/report.h"
#include "mote/mote.h"

namespace bench {

/// A session that computes the same prompt again and again. The model must outlive it, and so must what run() is given.
class Runner {
 public:
  /// Errors: those of the library.
  static mote::Result<Runner> create(const mote::Model& model, const mote::SessionOptions& options,
                                     std::vector<std::int32_t> prompt);

  struct Trials {
    Trial prefill, decode;
    std::int64_t time_to_first_token_ns = 0;
  };
  /// The prompt and n_generate tokens. Error: bad_file (logits that are no numbers).
  mote::Result<Trials> run(int n_generate, Meters* meters = nullptr);

  /// The prompt alone, from the start.
  mote::Status start();
  /// One more token, behind start() and with room for it (session().position()). Error as run().
  mote::Status step();
  mote::Session& session() noexcept { return session_; }

 private:
  Runner(mote::Session session, mote::Sampler sampler, std::vector<std::int32_t> prompt)
      : session_(std::move(session)), sampler_(std::move(sampler)), prompt_(std::move(prompt)) {}
  mote::Status choose_token();
  mote::Status prefill(Trials& trials, Meters* meters);
  mote::Status decode(Trial& trial, int n_generate, Meters* meters);

  mote::Session session_;
  mote::Sampler sampler_;
  std::vector<std::int32_t> prompt_;
  std::int32_t token_ = 0;
};

} // namespace bench
