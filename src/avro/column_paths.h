#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "avro/column_types.h"
#include "avro/node.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// A column that has one value per row: a field of the record, or a member of structs. Its path
// consists of the columns' names with dots between them, "payload.ts_ms"; a member of a union of
// several types is named as in UnionMembers.
struct ColumnPath {
  std::string path;
  int place = 0;                 // For Columns::Int64At and the like.
  const Node* node = nullptr;    // Its type without null; null if it has no other.
  const Field* field = nullptr;  // Null: the member of a union.
  std::shared_ptr<arrow::DataType> type;
};

// All of them, depth first: structs before their members. Lists and maps are included, their items
// are not. `columns`: the schema's, from ToArrowSchema. The nodes belong to the schema.
std::vector<ColumnPath> ColumnPaths(const Schema& reader, const arrow::Schema& columns);

}  // namespace shopstream::avro
