#include "console/reply.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"

namespace shopstream::console {
namespace {

int HttpStatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnavailable:
      return 503;
    case ErrorKind::kRefused:
      return 403;
    case ErrorKind::kCorrupt:
      return 422;
    case ErrorKind::kGone:
      return 404;
    case ErrorKind::kInvalid:
      break;
  }
  return 400;
}

bool HasHeader(const HttpReply& reply, std::string_view name) {
  return std::ranges::any_of(reply.headers,
                             [&](const auto& header) { return header.first == name; });
}

}  // namespace

HttpReply ErrorReply(int status, std::string_view kind, std::string_view message) {
  const nlohmann::ordered_json body = {{"error", {{"kind", kind}, {"message", message}}}};
  return {status, DumpJson(body)};
}

HttpReply ErrorReply(const Status& error) {
  // Another request, or a limit, has stopped it.
  if (error.IsCancelled()) return ErrorReply(409, "cancelled", error.message());
  const ErrorKind kind = KindOf(error);
  return ErrorReply(HttpStatusOf(kind), NameOf(kind), error.message());
}

HttpReply ReplyOf(const Result<nlohmann::ordered_json>& answer) {
  return answer.ok() ? HttpReply{200, DumpJson(*answer)} : ErrorReply(answer.status());
}

HttpReply WithSafeHeaders(HttpReply reply) {
  constexpr std::pair<const char*, const char*> kHeaders[] = {
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
      {"Cache-Control", "no-store"},
  };
  for (const auto& [name, value] : kHeaders) {
    if (!HasHeader(reply, name)) reply.headers.emplace_back(name, value);
  }
  return reply;
}

}  // namespace shopstream::console
