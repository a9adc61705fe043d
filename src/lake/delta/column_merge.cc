#include "lake/delta/column_merge.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lake/parquet/stored_column.h"

namespace shopstream::lake {
namespace {

using FieldPtr = std::shared_ptr<arrow::Field>;
using TypePtr = std::shared_ptr<arrow::DataType>;

Result<TypePtr> MergeTypes(const std::string& path, const TypePtr& table, const TypePtr& written);

FieldPtr Find(const arrow::FieldVector& fields, const std::string& name) {
  const auto found =
      std::ranges::find_if(fields, [&](const auto& field) { return field->name() == name; });
  return found == fields.end() ? nullptr : *found;
}

Status CheckNewName(const arrow::FieldVector& fields, const std::string& path,
                    const std::string& name) {
  for (const auto& field : fields) {
    if (!EqualButForCase(field->name(), name)) continue;
    return Status::Invalid(
        "column ", path, name, " differs from the table's ", path, field->name(),
        " only in case, which Delta readers do not distinguish: ", "rename the field");
  }
  return Status::OK();
}

Result<FieldPtr> MergeField(const std::string& path, const FieldPtr& table,
                            const FieldPtr& written) {
  if (written->nullable() && !table->nullable()) {
    return Status::Invalid("column ", path,
                           " must not be null in the table, but may be null in the written rows");
  }
  ARROW_ASSIGN_OR_RAISE(auto type, MergeTypes(path, table->type(), written->type()));
  return type == table->type() ? table : table->WithType(std::move(type));
}

// `prefix` is the path of the fields' parent followed by a dot, or empty.
Result<arrow::FieldVector> MergeFields(const std::string& prefix, const arrow::FieldVector& table,
                                       const arrow::FieldVector& written) {
  arrow::FieldVector merged;
  for (const auto& field : table) {
    const auto other = Find(written, field->name());
    if (other == nullptr && !field->nullable()) {
      return Status::Invalid("the table requires a value in column ", prefix, field->name(),
                             ", which this writer does not know: make the column nullable");
    }
    if (other == nullptr) {
      merged.push_back(field);
    } else {
      ARROW_ASSIGN_OR_RAISE(merged.emplace_back(),
                            MergeField(prefix + field->name(), field, other));
    }
  }
  for (const auto& field : written) {
    if (Find(table, field->name()) != nullptr) continue;
    ARROW_RETURN_NOT_OK(CheckNewName(merged, prefix, field->name()));
    merged.push_back(field->WithNullable(true));
  }
  return merged;
}

// `table` itself if nothing is new.
Result<TypePtr> MergeTypes(const std::string& path, const TypePtr& table, const TypePtr& written) {
  if (table->Equals(*written)) return table;
  const bool nested = table->id() == written->id() &&
                      (table->id() == arrow::Type::STRUCT || table->id() == arrow::Type::LIST ||
                       table->id() == arrow::Type::MAP);
  if (!nested) {
    return Status::Invalid("column ", path, " is ", table->ToString(), " in the table, but ",
                           written->ToString(), " in the rows to write: use another table");
  }
  TypePtr merged;
  if (table->id() == arrow::Type::STRUCT) {
    ARROW_ASSIGN_OR_RAISE(auto fields, MergeFields(path + ".", table->fields(), written->fields()));
    merged = arrow::struct_(std::move(fields));
  } else if (table->id() == arrow::Type::LIST) {
    ARROW_ASSIGN_OR_RAISE(auto item,
                          MergeField(path + ".element", table->field(0), written->field(0)));
    merged = arrow::list(std::move(item));
  } else {
    const auto& own = static_cast<const arrow::MapType&>(*table);
    const auto& other = static_cast<const arrow::MapType&>(*written);
    ARROW_ASSIGN_OR_RAISE(auto item,
                          MergeField(path + ".value", own.item_field(), other.item_field()));
    if (!own.key_type()->Equals(*other.key_type())) {
      return Status::Invalid("the keys of column ", path, " are ", own.key_type()->ToString(),
                             " in the table, but ", other.key_type()->ToString(),
                             " in the rows to write: use another table");
    }
    merged = std::make_shared<arrow::MapType>(own.key_field(), std::move(item));
  }
  return merged->Equals(*table) ? table : merged;
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> MergeColumns(const std::shared_ptr<arrow::Schema>& table,
                                                    const arrow::Schema& written) {
  ARROW_ASSIGN_OR_RAISE(auto fields, MergeFields("", table->fields(), written.fields()));
  auto merged = arrow::schema(std::move(fields), table->metadata());
  return merged->Equals(*table) ? table : merged;
}

Status CheckColumns(const arrow::Schema& table, const arrow::Schema& written) {
  for (const auto& field : written.fields()) {
    if (table.GetFieldByName(field->name()) != nullptr) continue;
    return Status::Invalid("the table has no column ", field->name(), " (",
                           field->type()->ToString(), "): add it, or use another table");
  }
  ARROW_ASSIGN_OR_RAISE(const auto fields, MergeFields("", table.fields(), written.fields()));
  for (int i = 0; i < table.num_fields(); ++i) {
    if (fields[i]->Equals(*table.field(i))) continue;
    return Status::Invalid("column ", table.field(i)->name(), " is ",
                           table.field(i)->type()->ToString(),
                           " in the table and lacks members of ", fields[i]->type()->ToString(),
                           " in the rows to write");
  }
  return Status::OK();
}

}  // namespace shopstream::lake
