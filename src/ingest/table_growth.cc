#include "ingest/table_growth.h"

#include <algorithm>
#include <set>
#include <utility>

#include "avro/merge.h"
#include "base/json.h"
#include "ingest/stored_layout.h"
#include "lake/delta/column_merge.h"
#include "tables/names.h"

namespace shopstream::ingest {
namespace {

// A text of a list, "" for null.
std::optional<std::string> TextOf(const nlohmann::json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

// Texts if one text field partitions the table, otherwise a list of values for each tuple.
std::optional<PartitionTuple> TupleOf(const nlohmann::json& value, size_t fields) {
  PartitionTuple tuple;
  if (!value.is_array()) {
    if (const auto text = TextOf(value)) tuple.push_back(*text);
  } else {
    for (const nlohmann::json& item : value) {
      if (const auto text = TextOf(item)) tuple.push_back(*text);
    }
  }
  return tuple.size() == fields ? std::optional(std::move(tuple)) : std::nullopt;
}

// `fields`: the number of partition columns before the date.
Result<std::vector<PartitionTuple>> ReadPartitionValues(const lake::Snapshot& snapshot,
                                                        size_t fields) {
  std::vector<PartitionTuple> values;
  const std::string* property = lake::FindProperty(snapshot, tables::kPartitionValuesProperty);
  if (property == nullptr) return values;
  const auto broken = [&] {
    return Status::Invalid("the table's property ", tables::kPartitionValuesProperty,
                           " is not a JSON list of values of its partition columns: ", *property);
  };
  const nlohmann::json list = ParseJson(*property);
  if (!list.is_array()) return broken();
  for (const nlohmann::json& value : list) {
    std::optional<PartitionTuple> tuple = TupleOf(value, fields);
    if (!tuple) return broken();
    if (!IsNull(*tuple)) values.push_back(*std::move(tuple));
  }
  return values;
}

std::string FormatPartitionValues(const std::vector<PartitionTuple>& values,
                                  const BronzeLayout& layout) {
  const bool texts = layout.partition.size() == 1 && layout.partition.front().is_text();
  nlohmann::json list = nlohmann::json::array();
  for (const PartitionTuple& tuple : values) {
    if (texts) {
      list.push_back(tuple.front());
      continue;
    }
    nlohmann::json items = nlohmann::json::array();
    for (const std::string& text : tuple) {
      items.push_back(text.empty() ? nlohmann::json() : nlohmann::json(text));
    }
    list.push_back(std::move(items));
  }
  return list.dump();
}

// The values of a file in the partition columns before the date.
PartitionTuple TupleOf(const DataFile& file, size_t fields) {
  PartitionTuple tuple;
  for (size_t i = 0; i < std::min(fields, file.partition_values.size()); ++i) {
    tuple.push_back(file.partition_values[i].second.value_or(""));
  }
  tuple.resize(fields);
  return tuple;
}

Result<avro::Schema> ParseKept(const std::string& text) {
  Result<avro::Schema> schema = avro::Schema::ParseKept(text);
  if (schema.ok()) return schema;
  return schema.status().WithMessage("the table's property ", tables::kReaderSchemaProperty,
                                     " is not an Avro schema: ", schema.status().message());
}

Status CheckUnharmed(const lake::Snapshot& snapshot, const BronzeLayout& kept) {
  // First, because a consumer with other settings needs another remedy than a foreign writer.
  ARROW_RETURN_NOT_OK(CheckWideDecimals(snapshot, kept));
  const Status status = lake::CheckColumns(*snapshot.schema(), *kept.table.schema);
  if (status.ok()) return status;
  return Status::Invalid(
      "another writer changed the table's columns: ", status.message(),
      ". Ingest only adds columns to a ",
      "table, and cannot continue after one was dropped, renamed or retyped. Restore the ",
      "version before that change, or set lake.bronze_table to a new table");
}

// A table of an earlier version gets the property with its next growth. It is never rewritten: two
// consumers with different settings would change it with every commit.
void RecordLayout(const lake::Snapshot& snapshot, const BronzeLayout& rows,
                  lake::TableGrowth* growth) {
  if (lake::FindProperty(snapshot, tables::kLayoutProperty) != nullptr) return;
  if (!growth->properties.empty()) growth->properties[tables::kLayoutProperty] = LayoutText(rows);
}

GrowthPlan Conflict(std::string why) {
  return {.growth = std::nullopt, .conflict = std::move(why)};
}

// Null: the two cannot be merged, and `why` explains it.
Result<std::shared_ptr<const BronzeLayout>> MergeLayouts(
    const lake::Snapshot& snapshot, const std::string& kept_text,
    const std::shared_ptr<const BronzeLayout>& rows, std::string* why) {
  if (kept_text == rows->reader_schema.text()) {
    ARROW_RETURN_NOT_OK(CheckUnharmed(snapshot, *rows));
    return rows;
  }
  ARROW_ASSIGN_OR_RAISE(const avro::Schema schema, ParseKept(kept_text));
  ARROW_ASSIGN_OR_RAISE(BronzeLayout made, BronzeLayout::Make(schema, rows->options));
  const auto kept = std::make_shared<const BronzeLayout>(std::move(made));
  ARROW_RETURN_NOT_OK(CheckUnharmed(snapshot, *kept));
  const auto merged = BronzeLayout::Grow(kept, rows->reader_schema);
  Status fits = merged.ok() ? CheckSameNames(*rows, **merged) : merged.status();
  if (fits.ok()) fits = lake::CheckColumns(*(*merged)->table.schema, *rows->table.schema);
  if (fits.ok()) return merged;
  *why = fits.message();
  return nullptr;
}

// Adds the values that the table does not have. Returns why it cannot; empty if it can.
Result<std::string> AdmitValues(const lake::Snapshot& snapshot, const BronzeLayout& rows,
                                const std::vector<PartitionTuple>& values,
                                lake::TableGrowth* growth) {
  ARROW_ASSIGN_OR_RAISE(std::vector<PartitionTuple> admitted,
                        ReadPartitionValues(snapshot, rows.partition.size()));
  const size_t before = admitted.size();
  for (const PartitionTuple& value : values) {
    if (IsNull(value)) continue;
    if (std::ranges::find(admitted, value) == admitted.end()) admitted.push_back(value);
  }
  if (admitted.size() == before) return "";
  if (std::ssize(admitted) > rows.options.max_partition_values) {
    return "together with other consumers' there would be " + std::to_string(admitted.size()) +
           " partition values, more than ingest.max_partition_values";
  }
  growth->properties[tables::kPartitionValuesProperty] = FormatPartitionValues(admitted, rows);
  return "";
}

}  // namespace

Result<std::shared_ptr<const BronzeLayout>> LayoutOf(
    const TableMemory& memory, const std::shared_ptr<const BronzeLayout>& otherwise) {
  if (!memory.reader_schema) return otherwise;
  ARROW_ASSIGN_OR_RAISE(BronzeLayout made,
                        BronzeLayout::Make(*memory.reader_schema, otherwise->options));
  return std::make_shared<const BronzeLayout>(std::move(made));
}

Result<std::optional<avro::Schema>> ReadReaderSchema(const lake::Snapshot& snapshot) {
  const std::string* text = lake::FindProperty(snapshot, tables::kReaderSchemaProperty);
  if (text == nullptr) return std::nullopt;
  return ParseKept(*text);
}

Result<TableMemory> ReadTableMemory(const lake::Snapshot& snapshot, const LayoutOptions& options) {
  TableMemory memory;
  ARROW_ASSIGN_OR_RAISE(memory.reader_schema, ReadReaderSchema(snapshot));
  if (!options.partition_values.empty()) return memory;
  const size_t fields = options.partition_field.size();
  if (fields == 0) return memory;
  ARROW_ASSIGN_OR_RAISE(memory.partition_values, ReadPartitionValues(snapshot, fields));
  if (lake::FindProperty(snapshot, tables::kPartitionValuesProperty) != nullptr) return memory;
  std::set<PartitionTuple> seen;
  snapshot.VisitFiles([&](const DataFile& file) {
    PartitionTuple tuple = TupleOf(file, fields);
    if (!IsNull(tuple)) seen.insert(std::move(tuple));
  });
  memory.partition_values.assign(seen.begin(), seen.end());
  return memory;
}

Result<GrowthPlan> PlanGrowth(const lake::Snapshot& snapshot,
                              const std::shared_ptr<const BronzeLayout>& rows,
                              const std::vector<PartitionTuple>& partition_values) {
  lake::TableGrowth growth;
  growth.columns = rows->table.schema;
  const std::string* kept_text = lake::FindProperty(snapshot, tables::kReaderSchemaProperty);
  if (kept_text == nullptr) {
    // Another program created the table, so only the columns it already has can be written.
    ARROW_RETURN_NOT_OK(CheckUnharmed(snapshot, *rows));
    growth.properties[tables::kReaderSchemaProperty] = rows->reader_schema.text();
  } else {
    std::string why;
    ARROW_ASSIGN_OR_RAISE(const auto merged, MergeLayouts(snapshot, *kept_text, rows, &why));
    if (merged == nullptr) return Conflict(std::move(why));
    growth.columns = merged->table.schema;
    if (merged->reader_schema.text() != *kept_text) {
      growth.properties[tables::kReaderSchemaProperty] = merged->reader_schema.text();
    }
  }
  if (rows->any_partition_value()) {
    ARROW_ASSIGN_OR_RAISE(std::string conflict,
                          AdmitValues(snapshot, *rows, partition_values, &growth));
    if (!conflict.empty()) return Conflict(std::move(conflict));
  }
  RecordLayout(snapshot, *rows, &growth);
  return GrowthPlan{.growth = std::move(growth), .conflict = ""};
}

}  // namespace shopstream::ingest
