#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "ingest/cut.h"

namespace shopstream::ingest {

// Hashes what a row has from its record, so that a stored row can be compared with one that is
// decoded again. Without partition columns, which are not in data files, and without nulls: a row
// has a null for a field that its table did not have yet.
class RowHasher {
 public:
  using Columns = std::map<std::string, std::shared_ptr<arrow::Array>>;

  // Rows of this layout's table are hashed by the columns that it has now.
  void AddTable(const BronzeLayout& layout);
  // The columns to hash; empty: not a known table.
  const std::set<std::string>& ColumnsOf(const std::string& table) const;
  // Never 0. Columns that are not to be hashed are ignored.
  Result<int64_t> Hash(const std::string& table, const Columns& columns, int64_t row) const;
  // The same of all rows of a cut, by offset.
  Status HashRows(const TableRows& rows, std::map<int64_t, int64_t>* hashes) const;

 private:
  std::map<std::string, std::set<std::string>> columns_;
};

}  // namespace shopstream::ingest
