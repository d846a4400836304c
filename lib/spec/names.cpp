#include "lib/spec/names.h"

#include <charconv>

namespace mote::spec {

namespace {

template <class T> std::string shortest(T value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}

} // namespace

std::string join(std::span<const std::string_view> words) {
  std::string all;
  for (const std::string_view word : words) {
    if (!all.empty()) all += ", ";
    all += word;
  }
  return all;
}

std::string number(float value) { return shortest(value); }
std::string number(double value) { return shortest(value); }

} // namespace mote::spec
