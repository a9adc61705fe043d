#include "ingest/side_layout.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "avro/column_paths.h"
#include "avro/column_types.h"
#include "avro/node.h"
#include "tables/names.h"
#include "tables/record_types.h"

namespace shopstream::ingest {
namespace {

std::vector<std::string> PathsOf(const avro::Schema& schema, const avro::ColumnOptions& options) {
  std::vector<std::string> paths;
  const auto record = avro::ToArrowSchema(schema, options);
  if (!record.ok()) return paths;  // BronzeLayout::Make explains why.
  for (const avro::ColumnPath& column : avro::ColumnPaths(schema, **record)) {
    paths.push_back(column.path);
  }
  return paths;
}

}  // namespace

bool IsBronzesType(const avro::Schema& bronze, const avro::Schema& writer) {
  const avro::Node& type = bronze.root();
  return writer.root().kind != avro::Kind::kRecord || writer.root().name == type.name ||
         std::ranges::find(type.aliases, writer.root().name) != type.aliases.end();
}

LayoutOptions SideOptions(const LayoutOptions& bronze, const std::string& path,
                          const avro::Schema& schema,
                          const std::optional<tables::TableLayout>& stored) {
  LayoutOptions options = bronze;
  options.table = path;
  const std::vector<std::string> paths = PathsOf(schema, bronze.columns);
  const auto lacks = [&](const std::string& field) {
    return std::ranges::find(paths, field) == paths.end();
  };
  if (stored) {
    options.partition_field.clear();
    for (const auto& field : stored->partition) options.partition_field.push_back(field.path);
  } else {
    std::erase_if(options.partition_field, lacks);
  }
  if (options.partition_field != bronze.partition_field) options.partition_values.clear();
  if ((stored && stored->event_time_path.empty()) || lacks(options.event_time_field)) {
    options.event_time_field.clear();
    options.event_time_unit.clear();
  }
  return options;
}

Result<std::shared_ptr<const BronzeLayout>> NewSideLayout(const LayoutOptions& bronze,
                                                          const avro::Schema& writer) {
  const std::string path = tables::SideTablePath(bronze.table, writer.root().name);
  ARROW_ASSIGN_OR_RAISE(
      BronzeLayout layout,
      BronzeLayout::Make(writer, SideOptions(bronze, path, writer, std::nullopt)));
  return std::make_shared<const BronzeLayout>(std::move(layout));
}

Result<std::shared_ptr<const BronzeLayout>> StoredSideLayout(const LayoutOptions& bronze,
                                                             const std::string& path,
                                                             const lake::Snapshot& side) {
  ARROW_ASSIGN_OR_RAISE(const auto schema, ReadReaderSchema(side));
  if (!schema) {
    return Status::Invalid("table ", path, " has lost its property ", tables::kReaderSchemaProperty,
                           ": restore it from an older version's ", "metaData");
  }
  ARROW_ASSIGN_OR_RAISE(const auto stored, tables::ReadTableLayout(side));
  auto layout = BronzeLayout::Make(*schema, SideOptions(bronze, path, *schema, stored));
  if (!layout.ok()) {
    return layout.status().WithMessage("side table ", path, ": ", layout.status().message());
  }
  return std::make_shared<const BronzeLayout>(*std::move(layout));
}

Result<GrowthPlan> PlanSideGrowth(const LayoutOptions& bronze, const lake::Snapshot& side,
                                  const std::shared_ptr<const BronzeLayout>& rows,
                                  const std::vector<PartitionTuple>& partition_values) {
  ARROW_ASSIGN_OR_RAISE(const auto stored, StoredSideLayout(bronze, rows->options.table, side));
  if (!SamePlaces(stored->options, rows->options)) {
    return GrowthPlan{.growth = std::nullopt, .conflict = "it was created with another layout"};
  }
  return PlanGrowth(side, rows, partition_values);
}

bool SamePlaces(const LayoutOptions& one, const LayoutOptions& other) {
  return one.partition_field == other.partition_field &&
         one.partition_values == other.partition_values &&
         one.event_time_field == other.event_time_field &&
         one.event_time_unit == other.event_time_unit;
}

}  // namespace shopstream::ingest
