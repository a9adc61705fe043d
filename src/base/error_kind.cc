#include "base/error_kind.h"

#include <memory>
#include <string>

namespace shopstream {
namespace {

constexpr char kTypeId[] = "shopstream::ErrorKind";

class KindDetail : public arrow::StatusDetail {
 public:
  explicit KindDetail(ErrorKind kind) : kind_(kind) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return std::string(NameOf(kind_)); }
  ErrorKind kind() const { return kind_; }

 private:
  const ErrorKind kind_;
};

}  // namespace

std::string_view NameOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kGone:
      return "gone";
    case ErrorKind::kInvalid:
      return "invalid";
  }
  return "unknown";
}

ErrorKind KindOf(const Status& status) {
  const auto& detail = status.detail();
  if (detail != nullptr && std::string_view(detail->type_id()) == kTypeId) {
    return static_cast<const KindDetail&>(*detail).kind();
  }
  if (status.IsIOError()) return ErrorKind::kCorrupt;
  return status.IsKeyError() ? ErrorKind::kGone : ErrorKind::kInvalid;
}

Status WithKind(ErrorKind kind, const Status& status) {
  return status.ok() ? status : status.WithDetail(std::make_shared<KindDetail>(kind));
}

}  // namespace shopstream
