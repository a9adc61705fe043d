#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace shopstream::lake {

// A JSON value whose objects keep the order of their members and whose scalars keep their text: a
// decimal of 38 digits would not survive a double.
class JsonTree {
 public:
  // An empty object.
  JsonTree() = default;
  // A number, text, boolean or null as JSON text.
  static JsonTree Scalar(std::string json);
  // Invalid: not an object, or one with arrays in it, which statistics do not have.
  static Result<JsonTree> ParseObject(std::string_view text);

  bool is_object() const { return scalar_.empty(); }
  bool is_null() const { return scalar_ == "null"; }
  const std::string& scalar() const { return scalar_; }  // Empty: an object.
  const std::vector<std::pair<std::string, JsonTree>>& members() const { return members_; }

  // Null: not an object, or no such member.
  const JsonTree* Find(std::string_view name) const;
  // Along a path of members; null where one is missing.
  const JsonTree* Find(const std::vector<std::string>& path) const;
  // Adds an empty object where there is no such member or it is null; this must be an object.
  JsonTree& Member(const std::string& name);
  // Replaces a value in place, or adds it at the end.
  void Set(const std::string& name, JsonTree value);

  std::string Text() const;

 private:
  void AppendTo(std::string* out) const;

  std::string scalar_;
  std::vector<std::pair<std::string, JsonTree>> members_;
};

}  // namespace shopstream::lake
