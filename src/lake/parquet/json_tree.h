#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace shopstream::lake {

// A JSON value whose objects keep the order of their members and whose scalars keep their text,
// because a decimal of 38 digits would not survive a double.
class JsonTree {
 public:
  // An empty object.
  JsonTree() = default;
  // A number, text, boolean or null as JSON text.
  static JsonTree Scalar(std::string json);
  // Invalid: not an object, or an object with arrays, which statistics do not have.
  static Result<JsonTree> ParseObject(std::string_view text);

  bool is_object() const { return scalar_.empty(); }
  bool is_null() const { return scalar_ == "null"; }
  const std::string& scalar() const { return scalar_; }  // Empty: an object.
  const std::vector<std::pair<std::string, JsonTree>>& members() const { return members_; }

  // Null: not an object, or it has no such member.
  const JsonTree* Find(std::string_view name) const;
  // Follows a path of members; null if one is missing.
  const JsonTree* Find(const std::vector<std::string>& path) const;
  // Adds an empty object if the member is missing or null; this must be an object.
  JsonTree& Member(const std::string& name);
  // Replaces a value in place, or appends it.
  void Set(const std::string& name, JsonTree value);

  std::string Text() const;

 private:
  void AppendTo(std::string* out) const;

  std::string scalar_;
  std::vector<std::pair<std::string, JsonTree>> members_;
};

}  // namespace shopstream::lake
