#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "model/calendar.h"
#include "refine/all_rows.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/gold_file.h"
#include "refine/gold_pass.h"
#include "refine/gold_sources.h"
#include "refine/gold_sql.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "sql/testing.h"
#include "tables/columns.h"
#include "tables/refine_state.h"

namespace shopstream::refine::testing {

inline constexpr char kSilverPath[] = "silver-events";
inline constexpr char kRejectsPath[] = "silver-rejects";
inline constexpr int32_t kFirstDay = 20'385;  // 2025-10-24

// Silver and rejects of a Bronze table that has the columns of a purchase alone.
inline RefineColumns GoldColumns() {
  const arrow::FieldVector purchase = {
      arrow::field(kEventId, arrow::utf8()),
      arrow::field("user_id", arrow::int64()),
      arrow::field("product_id", arrow::utf8()),
      arrow::field("product_name", arrow::utf8()),
      arrow::field("quantity", arrow::int64()),
      arrow::field("timestamp", tables::Instant()),
      arrow::field(tables::kTimestamp, tables::Instant()),
  };
  const arrow::FieldVector computed = {
      arrow::field(kEventHour, tables::Instant()),
      arrow::field(kAmountUsd, arrow::decimal128(18, 2)),
      arrow::field(kProductCategory, arrow::utf8()),
      arrow::field(kLate, arrow::boolean()),
  };
  const arrow::FieldVector last = {
      arrow::field(kRefinePass, arrow::int64()), arrow::field(kRefinedAt, tables::Instant()),
      arrow::field(kRegion, arrow::utf8()), arrow::field(tables::kDate, arrow::date32())};
  arrow::FieldVector silver = purchase, rejects = purchase;
  silver.insert(silver.end(), computed.begin(), computed.end());
  silver.insert(silver.end(), last.begin(), last.end());
  rejects.push_back(arrow::field(kReasons, arrow::utf8()));
  rejects.insert(rejects.end(), last.begin(), last.end());
  RefineColumns columns;
  columns.silver = arrow::schema(silver);
  columns.rejects = arrow::schema(rejects);
  return columns;
}

// A row of Bronze, as a pass has judged it.
struct RefinedPurchase {
  std::optional<int64_t> user = 1;
  std::optional<std::string> region = "EU";
  std::optional<int> day = 0;  // From kFirstDay; nothing: the date is null.
  int hour = 10;
  int second = 0;
  std::optional<std::string> product = "P1", name = "Tea", category = "Food";
  std::optional<int64_t> quantity = 1;
  std::optional<int64_t> cents = 1000;  // Of amount_usd.
  std::optional<int64_t> delay_seconds = 1;
  bool late = false;
  std::string reasons = {};  // Not empty: it is in rejects.
};

// Builds a column row by row.
template <typename Builder, typename ValueOf>
std::shared_ptr<arrow::Array> ColumnOf(const std::vector<RefinedPurchase>& rows, Builder&& builder,
                                       const ValueOf& value_of) {
  for (const RefinedPurchase& row : rows) {
    const auto value = value_of(row);
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return builder.Finish().ValueOrDie();
}

// All columns of Silver and rejects.
inline std::shared_ptr<arrow::RecordBatch> PassBatch(const std::vector<RefinedPurchase>& rows,
                                                     int64_t pass) {
  using Time = std::optional<int64_t>;
  constexpr int64_t kSecond = 1'000'000;
  auto* const pool = arrow::default_memory_pool();
  const auto hour = [](const RefinedPurchase& row) {
    return Time((int64_t{kFirstDay + row.day.value_or(0)} * 24 + row.hour) * 3600 * kSecond);
  };
  const auto time = [&](const RefinedPurchase& row) {
    return Time(*hour(row) + row.second * kSecond);
  };
  const auto sent = [&](const RefinedPurchase& row) {
    return row.delay_seconds ? Time(*time(row) + *row.delay_seconds * kSecond) : Time();
  };
  const auto instant = [&](const auto& of) {
    return ColumnOf(rows, arrow::TimestampBuilder(tables::Instant(), pool), of);
  };
  const auto text = [&](const auto& of) { return ColumnOf(rows, arrow::StringBuilder(), of); };
  const auto whole = [&](const auto& of) { return ColumnOf(rows, arrow::Int64Builder(), of); };
  int number = 0;
  std::map<std::string, std::shared_ptr<arrow::Array>> columns;
  columns[kEventId] = text([&](const RefinedPurchase&) {
    return std::optional(std::to_string(pass) + "-" + std::to_string(++number));
  });
  columns["user_id"] = whole([](const RefinedPurchase& row) { return row.user; });
  columns["product_id"] = text([](const RefinedPurchase& row) { return row.product; });
  columns["product_name"] = text([](const RefinedPurchase& row) { return row.name; });
  columns["quantity"] = whole([](const RefinedPurchase& row) { return row.quantity; });
  columns["timestamp"] = instant(time);
  columns[tables::kTimestamp] = instant(sent);
  columns[kEventHour] = instant(hour);
  columns[kAmountUsd] = ColumnOf(
      rows, arrow::Decimal128Builder(arrow::decimal128(18, 2)), [](const RefinedPurchase& row) {
        return row.cents ? std::optional(arrow::Decimal128(*row.cents)) : std::nullopt;
      });
  columns[kProductCategory] = text([](const RefinedPurchase& row) { return row.category; });
  columns[kLate] = ColumnOf(rows, arrow::BooleanBuilder(),
                            [](const RefinedPurchase& row) { return std::optional(row.late); });
  columns[kReasons] = text([](const RefinedPurchase& row) { return std::optional(row.reasons); });
  columns[kRefinePass] = whole([&](const RefinedPurchase&) { return std::optional(pass); });
  columns[kRefinedAt] = instant(time);
  columns[kRegion] = text([](const RefinedPurchase& row) { return row.region; });
  columns[tables::kDate] = ColumnOf(rows, arrow::Date32Builder(), [](const RefinedPurchase& row) {
    return row.day ? std::optional(kFirstDay + *row.day) : std::nullopt;
  });
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, column] : columns) {
    fields.push_back(arrow::field(name, column->type()));
    arrays.push_back(column);
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), static_cast<int64_t>(rows.size()), arrays);
}

inline std::vector<int32_t> PositionsOf(const std::vector<RefinedPurchase>& rows, bool rejected) {
  std::vector<int32_t> positions;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].reasons.empty() != rejected) positions.push_back(static_cast<int32_t>(i));
  }
  return positions;
}

// A batch as sorted lines: "date=2025-10-24 region=EU orders=2".
inline std::vector<std::string> Lines(const arrow::RecordBatch& rows) {
  std::vector<std::string> lines;
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    std::vector<std::string> values;
    for (int c = 0; c < rows.num_columns(); ++c) {
      const auto& column = *rows.column(c);
      values.push_back(rows.column_name(c) + "=" +
                       (column.IsNull(i) ? "NULL" : sql::ValueText(column, i)));
    }
    std::ranges::sort(values);
    std::string line;
    for (const std::string& value : values) line += (line.empty() ? "" : " ") + value;
    lines.push_back(line);
  }
  std::ranges::sort(lines);
  return lines;
}

// What the file's batch SQL makes of the rows.
inline std::vector<std::string> Batch(const GoldFile& file,
                                      const std::vector<RefinedPurchase>& rows) {
  const auto batch = PassBatch(rows, 1);
  const auto source = [&](const arrow::Schema& schema, bool rejected) {
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const auto& field : schema.fields()) {
      fields.push_back(field);
      columns.push_back(batch->GetColumnByName(field->name()));
    }
    const auto all = arrow::RecordBatch::Make(arrow::schema(fields), batch->num_rows(), columns);
    return RowsAt(all, PositionsOf(rows, rejected)).ValueOrDie();
  };
  const RefineColumns columns = GoldColumns();
  sql::testing::BatchRows silver(source(*columns.silver, false), 1000);
  sql::testing::BatchRows rejects(source(*columns.rejects, true), 1000);
  const auto engine = sql::Engine::Open({}).ValueOrDie();
  const auto session = engine->Connect().ValueOrDie();
  EXPECT_TRUE(session->Register("silver_events", &silver).ok());
  EXPECT_TRUE(session->Register("silver_rejects", &rejects).ok());
  auto queries = session->Prepare(GoldBatchSql(file));
  EXPECT_TRUE(queries.ok()) << queries.status();
  const auto result = AllRows(&queries->front());
  EXPECT_TRUE(result.ok()) << result.status();
  return Lines(**result);
}

}  // namespace shopstream::refine::testing
