#include <mote/mote.h>

#include <cstdio>
#include <string>

int fail(const mote::Error& error) { return std::fprintf(stderr, "%s\n", error.message.c_str()), 1; }

int main(int argc, char** argv) {
  const auto model = mote::Model::open(argc > 1 ? argv[1] : "model.gguf");
  if (!model) return fail(model.error());
  auto session = mote::Session::create(*model, {.n_ctx = 256});
  if (!session) return fail(session.error());
  auto sampler = mote::Sampler::create({.temperature = 0.8f, .top_k = 40});
  if (!sampler) return fail(sampler.error());
  const mote::Tokenizer* tokenizer = model->tokenizer();
  if (!tokenizer) return std::fputs("the file holds no tokenizer\n", stderr), 1;
  const auto prompt = tokenizer->encode("Once upon a time", {.bos = tokenizer->adds_bos()});
  if (!prompt) return fail(prompt.error());

  mote::TextStream text(*tokenizer);
  auto status = session->decode(*prompt);
  for (int i = 0; i < 100 && status; ++i) {
    const std::int32_t token = sampler->sample(session->logits());
    if (tokenizer->is_end(token)) break;
    std::fputs(std::string(text.push(token)).c_str(), stdout);
    status = session->decode({&token, 1});
  }
  return status ? 0 : fail(status.error());
}
