#pragma once

#include <string>
#include <variant>

#include "base/http_server.h"
#include "base/json.h"

namespace shopstream::registry {

inline constexpr const char* kMediaType = "application/vnd.schemaregistry.v1+json";

// Confluent's error codes: the HTTP status, or the status and two digits.
enum RestCode {
  kBadRequest = 400,
  kNotFound = 404,
  kSubjectNotFound = 40401,
  kVersionNotFound = 40402,
  kSchemaNotFound = 40403,
  kSubjectSoftDeleted = 40404,
  kSubjectNotSoftDeleted = 40405,
  kVersionSoftDeleted = 40406,
  kVersionNotSoftDeleted = 40407,
  kNoSubjectLevel = 40408,
  kNoSubjectMode = 40409,
  kIncompatibleSchema = 409,
  kUnprocessable = 422,
  kInvalidSchema = 42201,
  kInvalidVersion = 42202,
  kInvalidLevel = 42203,
  kInvalidMode = 42204,
  kNotPermitted = 42205,
  kReferenceExists = 42206,
  kInvalidSubject = 42208,
  kSchemaTooLarge = 42209,
  kInvalidRules = 42210,
  kStoreFailed = 50001,
  kBusy = 503,
  kStarting = 503,
};

struct RestError {
  int code = 0;  // A RestCode, or a plain HTTP status.
  std::string message;
};

inline RestError NotFound() { return {kNotFound, "HTTP 404 Not Found"}; }
inline RestError InvalidSchema(const std::string& reason) {
  return {kInvalidSchema, "Invalid schema: " + reason};
}

struct PlainBody {
  std::string text;  // A schema as it is stored; of type PROTOBUF, not JSON.
};

using RestReply = std::variant<nlohmann::json, RestError, PlainBody>;

// {"error_code": ..., "message": ...} for an error; the HTTP status is its first 3 digits.
HttpReply ToHttp(const RestReply& reply);

}  // namespace shopstream::registry
