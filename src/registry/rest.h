#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "base/http_server.h"

namespace shopstream::registry {

inline constexpr const char* kMediaType = "application/vnd.schemaregistry.v1+json";

// Confluent's error codes: the HTTP status, or the status and two digits.
enum RestCode {
  kNotFound = 404,
  kSubjectNotFound = 40401,
  kVersionNotFound = 40402,
  kSchemaNotFound = 40403,
  kNoSubjectLevel = 40408,
  kIncompatibleSchema = 409,
  kInvalidSchema = 42201,
  kInvalidVersion = 42202,
  kInvalidLevel = 42203,
  kStoreFailed = 50001,
  kStarting = 503,
};

struct RestError {
  int code = 0;  // A RestCode, or a plain HTTP status.
  std::string message;
};

using RestReply = std::variant<nlohmann::json, RestError>;

// {"error_code": ..., "message": ...} for an error; the HTTP status is the code's first 3 digits.
HttpReply ToHttp(const RestReply& reply);

}  // namespace shopstream::registry
