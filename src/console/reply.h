#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/http_message.h"
#include "base/status.h"

namespace shopstream::console {

// The answer, or the error with the HTTP status of its kind.
HttpReply ReplyOf(const Result<nlohmann::ordered_json>& answer);

// {"error": {"kind": ..., "message": ...}}
HttpReply ErrorReply(int status, std::string_view kind, std::string_view message);
HttpReply ErrorReply(const Status& error);

// The same reply with the headers that every one has, so that no other site can read, frame or
// guess it. A reply without a Content-Security-Policy gets the strictest.
HttpReply WithSafeHeaders(HttpReply reply);

}  // namespace shopstream::console
