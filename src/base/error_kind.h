#pragma once

#include <string_view>
#include <utility>

#include "base/status.h"

namespace shopstream {

// What a caller can do about an error. It is assigned once, where the error enters the program;
// messages may be added on the way (Status::WithMessage keeps the kind).
enum class ErrorKind {
  kUnavailable,  // A server, disk or network does not answer now; the only kind worth a retry.
  kRefused,      // Permission or credentials: fails again until access is granted.
  kCorrupt,      // The bytes exist but are not what they should be.
  kGone,         // The named object no longer exists.
  kInvalid,      // The request or the configuration is wrong.
};

std::string_view NameOf(ErrorKind kind);

// `status` must be an error. If it has no kind: an IOError is corrupt, because Arrow's decoders
// return it for damaged bytes; a KeyError is gone; all others are invalid.
ErrorKind KindOf(const Status& status);
inline bool IsUnavailable(const Status& status) {
  return !status.ok() && KindOf(status) == ErrorKind::kUnavailable;
}

// Returns the error with another kind. OK stays OK.
Status WithKind(ErrorKind kind, const Status& status);

// The message is the printed arguments, concatenated, as for arrow::Status.
template <typename... Args>
Status Unavailable(Args&&... args) {
  return WithKind(ErrorKind::kUnavailable, Status::IOError(std::forward<Args>(args)...));
}
template <typename... Args>
Status Refused(Args&&... args) {
  return WithKind(ErrorKind::kRefused, Status::IOError(std::forward<Args>(args)...));
}
template <typename... Args>
Status Corrupt(Args&&... args) {
  return WithKind(ErrorKind::kCorrupt, Status::IOError(std::forward<Args>(args)...));
}
template <typename... Args>
Status Gone(Args&&... args) {
  return WithKind(ErrorKind::kGone, Status::IOError(std::forward<Args>(args)...));
}

}  // namespace shopstream
