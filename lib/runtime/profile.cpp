#include "mote/profile.h"

namespace mote {

std::string_view component_name(Component component) noexcept {
  switch (component) {
    case Component::embedding: return "embedding";
    case Component::attention: return "attention";
    case Component::ffn: return "ffn";
    case Component::lm_head: return "lm_head";
    case Component::other: return "other";
  }
  return "unknown";
}

std::string_view operation_name(Operation operation) noexcept {
  switch (operation) {
    case Operation::embed: return "embed";
    case Operation::norm: return "norm";
    case Operation::mul_mat: return "mul_mat";
    case Operation::attention: return "attention";
    case Operation::recurrence: return "recurrence";
  }
  return "unknown";
}

} // namespace mote
