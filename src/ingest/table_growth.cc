#include "ingest/table_growth.h"

#include <algorithm>
#include <utility>

#include "avro/merge.h"
#include "base/json.h"
#include "lake/delta/column_merge.h"
#include "tables/names.h"

namespace shopstream::ingest {
namespace {

const std::string* FindProperty(const lake::Snapshot& snapshot, const char* name) {
  const auto found = snapshot.properties().find(name);
  return found == snapshot.properties().end() ? nullptr : &found->second;
}

Result<std::vector<std::string>> ReadPartitionValues(const lake::Snapshot& snapshot) {
  std::vector<std::string> values;
  const std::string* property = FindProperty(snapshot, tables::kPartitionValuesProperty);
  if (property == nullptr) return values;
  const nlohmann::json list = ParseJson(*property);
  if (!list.is_array()) {
    return Status::Invalid("the table's property ", tables::kPartitionValuesProperty,
                           " is not a JSON list: ", *property);
  }
  for (const nlohmann::json& value : list) {
    // Delta writes null as the empty string, which does not count towards the bound.
    if (value.is_string() && value != "") values.push_back(value.get<std::string>());
  }
  return values;
}

Result<avro::Schema> ParseKept(const std::string& text) {
  Result<avro::Schema> schema = avro::Schema::ParseKept(text);
  if (schema.ok()) return schema;
  return schema.status().WithMessage("the table's property ", tables::kReaderSchemaProperty,
                                     " is not an Avro schema: ", schema.status().message());
}

Status CheckUnharmed(const lake::Snapshot& snapshot, const BronzeLayout& kept) {
  const Status status = lake::CheckColumns(*snapshot.schema(), *kept.table.schema);
  if (status.ok()) return status;
  return Status::Invalid(
      "another writer changed the table's columns: ", status.message(),
      ". Ingest only adds columns to a ",
      "table, and cannot continue after one was dropped, renamed or retyped. Restore the ",
      "version before that change, or set lake.bronze_table to a new table");
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
  const Status fits = merged.ok()
                          ? lake::CheckColumns(*(*merged)->table.schema, *rows->table.schema)
                          : merged.status();
  if (fits.ok()) return merged;
  *why = fits.message();
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<const BronzeLayout>> LayoutOf(
    const TableMemory& memory, const std::shared_ptr<const BronzeLayout>& otherwise) {
  if (!memory.reader_schema) return otherwise;
  ARROW_ASSIGN_OR_RAISE(BronzeLayout made,
                        BronzeLayout::Make(*memory.reader_schema, otherwise->options));
  return std::make_shared<const BronzeLayout>(std::move(made));
}

Result<TableMemory> ReadTableMemory(const lake::Snapshot& snapshot, const LayoutOptions& options) {
  TableMemory memory;
  if (const std::string* text = FindProperty(snapshot, tables::kReaderSchemaProperty)) {
    ARROW_ASSIGN_OR_RAISE(memory.reader_schema, ParseKept(*text));
  }
  if (!options.partition_values.empty()) return memory;
  ARROW_ASSIGN_OR_RAISE(memory.partition_values, ReadPartitionValues(snapshot));
  if (FindProperty(snapshot, tables::kPartitionValuesProperty) != nullptr) return memory;
  for (const DataFile& file : snapshot.Files()) {
    if (file.partition_values.empty() || !file.partition_values[0].second) continue;
    const std::string& value = *file.partition_values[0].second;
    if (std::ranges::find(memory.partition_values, value) == memory.partition_values.end()) {
      memory.partition_values.push_back(value);
    }
  }
  return memory;
}

Result<GrowthPlan> PlanGrowth(const lake::Snapshot& snapshot,
                              const std::shared_ptr<const BronzeLayout>& rows,
                              const std::vector<std::string>& partition_values) {
  lake::TableGrowth growth;
  growth.columns = rows->table.schema;
  const std::string* kept_text = FindProperty(snapshot, tables::kReaderSchemaProperty);
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
  if (!rows->any_partition_value()) return GrowthPlan{.growth = std::move(growth), .conflict = ""};

  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> admitted, ReadPartitionValues(snapshot));
  const size_t before = admitted.size();
  for (const std::string& value : partition_values) {
    if (value.empty()) continue;
    if (std::ranges::find(admitted, value) == admitted.end()) admitted.push_back(value);
  }
  if (admitted.size() > before) {
    if (std::ssize(admitted) > rows->options.max_partition_values) {
      return Conflict("together with other consumers' there would be " +
                      std::to_string(admitted.size()) +
                      " partition values, more than ingest.max_partition_values");
    }
    growth.properties[tables::kPartitionValuesProperty] = nlohmann::json(admitted).dump();
  }
  return GrowthPlan{.growth = std::move(growth), .conflict = ""};
}

}  // namespace shopstream::ingest
