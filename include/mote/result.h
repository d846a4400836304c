/// Errors as values: every function of mote that can fail returns a Result. Nothing throws, nothing aborts.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace mote {

enum class ErrorCode {
  invalid_argument, ///< The caller's fault: a value out of range, an unknown name.
  io,               ///< A file cannot be opened, read, mapped or written.
  bad_file,         ///< A file is damaged, truncated or contradicts itself.
  unsupported,      ///< A sound file or request that this version cannot serve.
  out_of_memory,    ///< Memory could not be had.
  context_full,     ///< Session::decode: the tokens do not fit the rest of the context.
  cancelled,        ///< The caller asked to stop.
};

/// What was wrong, where, and what was expected; one line, no trailing newline.
struct Error {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;
};

/// A value or an Error, with the interface of std::expected (C++23) less what throws. Reading the value of a Result that
/// holds an error, or the reverse, is undefined.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }
  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  const Error& error() const& noexcept { return *error_; }
  Error&& error() && noexcept { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

} // namespace mote
