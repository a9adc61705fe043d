#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream::console {

inline constexpr char kHidden[] = "(hidden by console.mask)";

// The fields of console.mask, whose values the console never shows. A field is masked by its name,
// wherever it is nested; upper and lower case are the same, as in SQL.
class Masking {
 public:
  explicit Masking(const std::vector<std::string>& fields);

  // Whether anything is: bytes that may contain a masked value must then not be shown.
  bool active() const { return !fields_.empty(); }
  // `field`: a name, or a path such as "customer.user_id", one part of which may be masked.
  bool masks(std::string_view field) const;
  // Whether it masks the column of this name, which may be a copy of a nested field:
  // "customer_user_id" of "customer.user_id".
  bool masks_column(std::string_view column) const;
  // Replaces the values of masked members by kHidden, at any depth.
  void Apply(nlohmann::json* value) const;
  void Apply(nlohmann::ordered_json* value) const;

 private:
  const std::vector<std::string> fields_;  // In lower case.
};

}  // namespace shopstream::console
