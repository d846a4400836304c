/// Specs read from files that are made up.
#pragma once
#include <string>

#include "lib/gguf/file.h"
#include "lib/spec/read_spec.h"
#include "tests/catch.h"
#include "tests/temp_dir.h"
#include "tests/unit/spec_file.h"

namespace mote::test {

inline ModelSpec shape(const std::string& text) {
  auto spec = spec_from_shape(text);
  INFO(text << ": " << (spec ? std::string() : spec.error().message));
  REQUIRE(spec);
  return *spec;
}

inline Result<ModelSpec> read(const SpecFile& content) {
  const TempDir dir;
  const auto file = gguf::File::open(dir.write("model.gguf", content.build()));
  INFO((file ? std::string() : file.error().message));
  REQUIRE(file);
  return spec::read_spec(*file);
}

inline ModelSpec read_sound(const SpecFile& content) {
  auto spec = read(content);
  INFO((spec ? std::string() : spec.error().message));
  REQUIRE(spec);
  return *spec;
}

inline ModelSpec small_llama() { return shape("layers=2,d_model=64,d_ff=96,heads=4,kv_heads=2,vocab=100,ctx=128,name=small"); }

} // namespace mote::test
