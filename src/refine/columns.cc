#include "refine/columns.h"

#include <arrow/type_traits.h>

#include <set>
#include <utility>

#include "base/join.h"
#include "base/unicode_names.h"
#include "model/purchase_event.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

// What silver.sql and the Gold files read of Bronze. Any type of the kind will do.
struct Needed {
  const char* name;
  bool (*fits)(const arrow::DataType&);
  const char* kind;
};

bool IsText(const arrow::DataType& type) { return type.id() == arrow::Type::STRING; }
bool IsWhole(const arrow::DataType& type) { return arrow::is_integer(type.id()); }
bool IsDouble(const arrow::DataType& type) { return type.id() == arrow::Type::DOUBLE; }
bool IsInstant(const arrow::DataType& type) { return type.Equals(*tables::Instant()); }
bool IsDate(const arrow::DataType& type) { return type.id() == arrow::Type::DATE32; }
bool IsAny(const arrow::DataType& /*type*/) { return true; }

const Needed kNeeded[] = {
    {kEventId, IsText, "text"},
    {"user_id", IsAny, "any"},
    {"product_id", IsText, "text"},
    {"product_name", IsText, "text"},
    {"quantity", IsWhole, "a whole number"},
    {"amount", IsDouble, "a double"},
    {"currency", IsText, "text"},
    {"timestamp", IsInstant, "a timestamp"},
    {tables::kTopicId, IsText, "text"},
    {tables::kPartition, IsWhole, "a whole number"},
    {tables::kOffset, IsWhole, "a whole number"},
    {tables::kTimestamp, IsInstant, "a timestamp"},
    {kRegion, IsText, "text"},
    {tables::kDate, IsDate, "a date"},
};

Status CheckBronze(const std::string& path, const lake::Snapshot& bronze) {
  std::vector<std::string> missing;
  for (const Needed& needed : kNeeded) {
    const auto field = bronze.schema()->GetFieldByName(needed.name);
    if (field == nullptr) {
      missing.emplace_back(needed.name);
    } else if (!needed.fits(*field->type())) {
      return Status::Invalid("table ", path, ": column ", needed.name, " is ",
                             field->type()->ToString(), ", but refine needs ", needed.kind);
    }
  }
  if (!missing.empty()) {
    return Status::Invalid("table ", path, " has no column ", Joined(missing, ", "),
                           ": refine needs the columns of a purchase "
                           "(schemas/purchase_event.avsc)");
  }
  if (bronze.partition_columns() != std::vector<std::string>{kRegion, tables::kDate}) {
    return Status::Invalid("table ", path, " is partitioned by ",
                           Joined(bronze.partition_columns(), ", "),
                           ": refine needs region and date (ingest.partition_field)");
  }
  return Status::OK();
}

arrow::FieldVector SilverFields() {
  return {arrow::field(kEventHour, tables::Instant()),
          arrow::field(kAmountUsd, arrow::decimal128(18, 2)),
          arrow::field(kProductCategory, arrow::utf8()), arrow::field(kLate, arrow::boolean())};
}

arrow::FieldVector PassFields() {
  return {arrow::field(kRefinePass, arrow::int64()), arrow::field(kRefinedAt, tables::Instant())};
}

std::set<std::string> OwnNames() {
  std::set<std::string> names = {kReasons};
  for (const auto& field : SilverFields()) names.insert(field->name());
  for (const auto& field : PassFields()) names.insert(field->name());
  return names;
}

// Only the names before a column decide its own, so that a later one cannot change it.
std::vector<std::string> NamesOf(const arrow::Schema& bronze) {
  std::set<std::string> taken = OwnNames();
  std::vector<std::string> names;
  for (const auto& field : bronze.fields()) {
    std::string name = field->name();
    while (!taken.insert(FoldCase(name)).second) name.insert(0, "bronze_");
    names.push_back(std::move(name));
  }
  return names;
}

void Append(arrow::FieldVector fields, arrow::FieldVector* to) {
  to->insert(to->end(), fields.begin(), fields.end());
}

}  // namespace

Result<RefineColumns> RefineColumns::Of(const std::string& path, const lake::Snapshot& bronze) {
  ARROW_RETURN_NOT_OK(CheckBronze(path, bronze));
  return From(bronze.schema());
}

RefineColumns RefineColumns::From(std::shared_ptr<arrow::Schema> bronze) {
  RefineColumns columns;
  columns.bronze = std::move(bronze);
  columns.names = NamesOf(*columns.bronze);
  arrow::FieldVector silver, rejects;
  std::shared_ptr<arrow::Field> region, date;
  for (int i = 0; i < columns.bronze->num_fields(); ++i) {
    const auto field = columns.bronze->field(i)->WithName(columns.names[i])->WithNullable(true);
    if (field->name() == kRegion) {
      region = field;
    } else if (field->name() == tables::kDate) {
      date = field;
    } else {
      silver.push_back(field);
      rejects.push_back(field);
    }
  }
  Append(SilverFields(), &silver);
  Append(PassFields(), &silver);
  Append({region, date}, &silver);
  rejects.push_back(arrow::field(kReasons, arrow::utf8()));
  Append(PassFields(), &rejects);
  Append({region, date}, &rejects);
  columns.silver = arrow::schema(std::move(silver));
  columns.rejects = arrow::schema(std::move(rejects));
  return columns;
}

std::shared_ptr<arrow::Schema> PurchaseBronzeSchema() {
  arrow::FieldVector fields;
  for (const auto& field : PurchaseEventSchema()->fields()) {
    if (field->name() == kRegion) continue;
    const bool is_time = field->type()->id() == arrow::Type::TIMESTAMP;
    const bool is_whole = field->type()->id() == arrow::Type::INT32;
    const auto type = is_time ? tables::Instant() : is_whole ? arrow::int64() : field->type();
    fields.push_back(arrow::field(field->name(), type));
  }
  Append(tables::BronzeFields(), &fields);
  Append({arrow::field(kRegion, arrow::utf8()), arrow::field(tables::kDate, arrow::date32())},
         &fields);
  return arrow::schema(std::move(fields));
}

lake::TableSpec SilverSpec(const std::string& path, const RefineColumns& columns) {
  return {.path = path,
          .schema = columns.silver,
          .partition_columns = {kRegion, tables::kDate},
          .properties = {}};
}

lake::TableSpec RejectsSpec(const std::string& path, const RefineColumns& columns) {
  return {.path = path,
          .schema = columns.rejects,
          .partition_columns = {tables::kDate},
          .properties = {}};
}

}  // namespace shopstream::refine
