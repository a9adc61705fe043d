#include "refine/gold_sql.h"

#include <arrow/type.h>

#include <vector>

#include "base/join.h"
#include "refine/dialect.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

std::string QuotedList(const std::vector<std::string>& names, const std::string& after = "") {
  std::vector<std::string> quoted;
  for (const std::string& name : names)
    quoted.push_back(QuotedName(name, Dialect::kDuckDb) + after);
  return Joined(quoted, ", ");
}

// Of a column that adds up.
std::string TypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return "DECIMAL(" + std::to_string(decimal.precision()) + "," +
             std::to_string(decimal.scale()) + ")";
    }
    case arrow::Type::INT8:
      return "TINYINT";
    case arrow::Type::INT16:
      return "SMALLINT";
    case arrow::Type::INT32:
      return "INTEGER";
    default:
      return "BIGINT";
  }
}

std::string MergedColumn(const GoldColumn& column, const arrow::DataType& type) {
  const std::string name = QuotedName(column.name, Dialect::kDuckDb);
  switch (column.kind) {
    case GoldKind::kMin:
      return "min(" + name + ") AS " + name;
    case GoldKind::kMax:
      return "max(" + name + ") AS " + name;
    case GoldKind::kAdd:
    case GoldKind::kDistinct:
      return "CAST(sum(" + name + ") AS " + TypeName(type) + ") AS " + name;
    case GoldKind::kKey:
    case GoldKind::kDerived:
      break;
  }
  return name;
}

}  // namespace

sql::SqlText GoldBatchSql(const GoldFile& file) {
  return {.text = "WITH aggregated AS (\n" + file.aggregate.text + ")\n" +
                  (file.HasDerive() ? file.derive.text : "SELECT * FROM aggregated\n"),
          .file = file.aggregate.file,
          .first_line = file.aggregate.first_line - 1};
}

std::string MergedView(const GoldFile& file, const arrow::Schema& columns) {
  std::vector<std::string> merged;
  for (const auto& field : columns.fields()) {
    merged.push_back(MergedColumn(*file.Find(field->name()), *field->type()));
  }
  const std::string all = QuotedList(columns.field_names());
  return "CREATE VIEW aggregated AS SELECT " + Joined(merged, ", ") + " FROM (SELECT " + all +
         " FROM " + kGoldOld + " UNION ALL SELECT " + all + " FROM " + kGoldPart +
         ") parts GROUP BY " + QuotedList(file.Keys());
}

std::string AggregatedView(const GoldFile& file) {
  return "CREATE VIEW aggregated AS\n" + file.aggregate.text;
}

sql::SqlText TableSql(const GoldFile& file, const arrow::Schema& columns) {
  std::vector<std::string> order = {tables::kDate};
  for (const std::string& key : file.Keys()) {
    if (key != tables::kDate) order.push_back(key);
  }
  const std::string rows = file.HasDerive() ? file.derive.text : "SELECT * FROM aggregated\n";
  const sql::SqlText& part = file.HasDerive() ? file.derive : file.aggregate;
  return {.text = "SELECT " + QuotedList(columns.field_names()) + " FROM (\n" + rows +
                  ") gold ORDER BY " + QuotedList(order, " NULLS FIRST"),
          .file = part.file,
          .first_line = part.first_line - 1};
}

}  // namespace shopstream::refine
