#include "avro/column_paths.h"

#include <arrow/type.h>

#include <utility>

#include "avro/column_types.h"
#include "avro/layout.h"

namespace shopstream::avro {
namespace {

class PathLister {
 public:
  std::vector<ColumnPath> List(const Node& record, const arrow::Schema& columns) {
    AddFields(record, columns.fields(), "");
    return std::move(paths_);
  }

 private:
  void AddFields(const Node& record, const arrow::FieldVector& columns, const std::string& prefix) {
    for (size_t i = 0; i < record.fields.size(); ++i) {
      const Field& field = record.fields[i];
      Add({.path = prefix + field.name, .field = &field, .type = columns[i]->type()}, *field.type);
    }
  }

  void Add(ColumnPath path, const Node& type) {
    const UnionShape shape = UnionShape::Of(type);
    path.place = place_++;
    path.node = shape.is_struct() ? &type : shape.values.empty() ? nullptr : shape.values.front();
    const std::string prefix = path.path + ".";
    const arrow::FieldVector members = path.type->fields();
    const Node* const node = path.node;
    const int after = path.place + ColumnCount(*path.type);
    paths_.push_back(std::move(path));
    if (shape.is_struct()) {
      for (size_t i = 0; i < shape.values.size(); ++i) {
        Add({.path = prefix + members[i]->name(), .type = members[i]->type()}, *shape.values[i]);
      }
    } else if (node != nullptr && node->kind == Kind::kRecord) {
      AddFields(*node, members, prefix);
    }
    place_ = after;
  }

  std::vector<ColumnPath> paths_;
  int place_ = 0;
};

}  // namespace

std::vector<ColumnPath> ColumnPaths(const Schema& reader, const arrow::Schema& columns) {
  return PathLister().List(reader.root(), columns);
}

}  // namespace shopstream::avro
