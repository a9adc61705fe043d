#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>

namespace shopstream {

// A JSON value for members of structs, so that their headers do not need the JSON library. Copies
// are deep. Initially null.
class JsonValue {
 public:
  JsonValue();
  JsonValue(const nlohmann::json& value);  // NOLINT(google-explicit-constructor)
  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;  // Leaves null.
  JsonValue& operator=(JsonValue other) noexcept;
  ~JsonValue();

  nlohmann::json& operator*() { return *value_; }
  const nlohmann::json& operator*() const { return *value_; }
  nlohmann::json* operator->() { return value_.get(); }
  const nlohmann::json* operator->() const { return value_.get(); }
  // The member with that name; a null value becomes an object.
  nlohmann::json& operator[](const char* name);

 private:
  std::unique_ptr<nlohmann::json> value_;  // Never null.
};

}  // namespace shopstream
