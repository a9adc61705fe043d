#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/type_fwd.h"
#include "console/masking.h"

namespace shopstream::console {

// The columns of a table that console.mask hides: those with a masked name, those that contain a
// masked field or a map, and the copies of masked nested fields, such as address_street.
class ColumnMask {
 public:
  ColumnMask(const Masking& masking, const arrow::Schema& schema);

  bool hides(std::string_view column) const;
  // Indexes into the schema.
  std::vector<int> ColumnsOf(const arrow::Schema& schema) const;
  // A path of the lake without the values of masked partition columns:
  // "region=*/date=2025-10-24/x".
  std::string HideIn(const std::string& path) const;

 private:
  const Masking& masking_;
  std::set<std::string, std::less<>> columns_;
};

}  // namespace shopstream::console
