#include "refine/verify_sql.h"

#include <arrow/type.h>

#include <algorithm>

#include "base/join.h"
#include "refine/dialect.h"
#include "refine/gold_sql.h"
#include "refine/rules.h"
#include "tables/columns.h"
#include "tables/coordinates.h"

namespace shopstream::refine {
namespace {

using Names = std::vector<std::string>;

// Columns of ours beside those of a Delta table, which cannot have a space in their names.
constexpr char kIsHere[] = "\"is here\"";
constexpr char kFoundVerdict[] = "\"found verdict\"";
constexpr char kFoundIn[] = "\"found in\"";
constexpr char kKind[] = "\"kind of difference\"";
constexpr char kDiffering[] = "\"differing columns\"";
constexpr char kExpectedValues[] = "\"expected values\"";
constexpr char kFoundValues[] = "\"found values\"";

std::string Name(const std::string& name) { return QuotedName(name, Dialect::kDuckDb); }
std::string Text(const std::string& text) { return QuotedText(text, Dialect::kDuckDb); }

// A column that both sides have: e and f. `of_found`: a condition on the row found, or "".
struct ComparedColumn {
  std::string name;
  std::string of_found = {};
};

std::string Differs(const ComparedColumn& column) {
  const std::string name = Name(column.name);
  const std::string differs = "e." + name + " IS DISTINCT FROM f." + name;
  return column.of_found.empty() ? differs : column.of_found + " AND " + differs;
}

// For each column that differs what `of` makes of it; "" if there are not both rows.
template <typename Of>
std::string ForDifferent(const std::vector<ComparedColumn>& columns, const std::string& separator,
                         const Of& of) {
  std::string parts;
  for (const ComparedColumn& column : columns) {
    parts += ",\n    CASE WHEN " + Differs(column) + " THEN " + of(column.name) + " END";
  }
  if (parts.empty()) return "''";
  return std::string("CASE WHEN e.") + kIsHere + " AND f." + kIsHere + " THEN concat_ws(" +
         separator + parts + ") ELSE '' END";
}

// The columns of a difference in values.
std::string DifferentValues(const std::vector<ComparedColumn>& columns) {
  const std::string between = "chr(" + std::to_string(static_cast<int>(kBetweenNames)) + ")";
  const auto values = [&](const std::string& side) {
    return ForDifferent(columns, "', '", [&](const std::string& name) {
      return Text(name + ": ") + " || coalesce(CAST(" + side + "." + Name(name) +
             " AS VARCHAR), 'NULL')";
    });
  };
  return ForDifferent(columns, between, &Text) + " AS " + kDiffering + ",\n  " + values("e") +
         " AS " + kExpectedValues + ",\n  " + values("f") + " AS " + kFoundValues;
}

// Which of the uses decided the row; -1: one before them.
std::string UseOfPass(const std::vector<FingerprintUse>& uses) {
  std::string text = "CASE";
  for (size_t i = uses.size(); i-- > 0;) {
    text += " WHEN " + Name(kRefinePass) + " >= " + std::to_string(uses[i].first_pass) + " THEN " +
            std::to_string(i);
  }
  return uses.empty() ? "-1" : text + " ELSE -1 END";
}

// Whether the fingerprint decided the row; a row without a pass was changed, and is compared.
std::string IsDecidedBy(const std::vector<FingerprintUse>& uses, const std::string& fingerprint) {
  Names numbers = {"-2"};
  for (size_t i = 0; i < uses.size(); ++i) {
    if (uses[i].fingerprint == fingerprint) numbers.push_back(std::to_string(i));
  }
  return "(decided_in IS NULL OR decided_by IN (" + Joined(numbers, ", ") + "))";
}

// Silver's rows and rejects as one table.
std::string FoundRows(const Names& bronze) {
  Names silver, rejects;
  for (const std::string& name : bronze) silver.push_back(Name(name));
  rejects = silver;
  for (const std::string& name : ComputedColumns()) {
    silver.push_back(Name(name));
    rejects.push_back("NULL");
  }
  const std::string pass = std::string(", ") + kRefinePass + ", true AS " + kIsHere;
  return "SELECT " + Joined(silver, ", ") + ", '' AS " + kFoundVerdict + ", 'silver' AS " +
         kFoundIn + pass + " FROM silver_events\n  UNION ALL\n  SELECT " + Joined(rejects, ", ") +
         ", coalesce(nullif(" + kReasons + ", ''), 'no reason'), 'rejects'" + pass +
         " FROM silver_rejects";
}

constexpr char kKeyOfRow[] = "topic_id, partition, \"offset\", event_id, date";

// The key under the names of the columns, as text.
std::string RowKey() {
  const auto as = [](const char* column, const char* name) {
    return "CAST(" + std::string(column) + " AS VARCHAR) AS " + name;
  };
  return Joined(
      {as("topic_id", tables::kTopicId), as("partition", tables::kPartition),
       as("\"offset\"", tables::kOffset), as("event_id", kEventId), as("date", tables::kDate)},
      ", ");
}

std::string IsGood(const std::string& verdict) {
  return "(" + verdict + " IN ('', " + Text(kDuplicate) + "))";
}

// Rows one by one.
std::string EachRow(const std::string& is_decided) {
  const auto text = [](const std::string& verdict, const char* values) {
    return std::string("CASE WHEN ") + kKind + " = 'other_value' THEN " + values + " WHEN " +
           verdict + " IS NULL THEN '' WHEN " + verdict + " = '' THEN 'in Silver' ELSE " + verdict +
           " END";
  };
  return std::string("SELECT CASE WHEN found IS NULL THEN 'missing'\n    WHEN expected IS NULL ") +
         "THEN 'extra' WHEN NOT " + is_decided + " THEN NULL\n    WHEN NOT (expected = found OR " +
         IsGood("expected") + " AND " + IsGood("found") + ") THEN 'other_verdict'\n    WHEN " +
         kDiffering + " <> '' THEN 'other_value' END AS " + kKind +
         ",\n  coalesce(found_in, CASE WHEN expected = '' THEN 'silver' ELSE 'rejects' END) AS "
         "\"table\",\n  CASE WHEN " +
         kKind + " = 'other_value' THEN " + kDiffering + " ELSE '' END AS columns,\n  " +
         text("expected", kExpectedValues) + " AS expected_text,\n  " +
         text("found", kFoundValues) + " AS found_text, " + kKeyOfRow +
         "\nFROM verdicts LEFT JOIN differing USING (topic_id, partition, \"offset\")\n";
}

// Coordinates that several rows have: in Bronze, or in Silver and the rejects together.
std::string RowsTwice(const std::string& rows) {
  const Names coordinates = tables::CoordinateColumns::Names();
  const std::string key = Joined(coordinates, ", ");
  return "SELECT 'twice', min(found_in), '', '1 row', CAST(count(*) AS VARCHAR) || ' rows in ' || "
         "string_agg(DISTINCT found_in, ' and ' ORDER BY found_in),\n  " +
         key + ", min(" + kEventId + "), min(date)\nFROM (" + rows + ") found\nWHERE " +
         Joined(coordinates, " IS NOT NULL AND ") + " IS NOT NULL\nGROUP BY " + key +
         " HAVING count(*) > 1\n";
}

std::string PlacesOf(const std::string& table, const std::string& found_in) {
  return "SELECT " + Joined(tables::CoordinateColumns::Names(), ", ") + ", " + kEventId +
         ", date, " + Text(found_in) + " AS found_in FROM " + table;
}

// Of copies of a purchase, none or several in Silver, although each row is somewhere once.
std::string CopiesOfPurchases(const std::string& is_decided) {
  const std::string key = "(topic_id, partition, \"offset\")";
  const std::string in_silver = "count(*) FILTER (WHERE found = '')";
  const std::string other_verdict =
      "is_decided AND " + IsGood("expected") + " <> " + IsGood("found");
  return "SELECT CASE WHEN " + in_silver +
         " = 0 THEN 'other_verdict' ELSE 'twice' END, 'silver', " +
         "'', '1 copy in Silver',\n  CAST(" + in_silver +
         " AS VARCHAR) || ' of ' || CAST(count(*) AS VARCHAR) || ' copies in Silver',\n"
         "  arg_min(topic_id, " +
         key + "), arg_min(partition, " + key + "), arg_min(\"offset\", " + key +
         "), event_id, date\nFROM (SELECT " + kKeyOfRow + ", min(expected) AS expected, found, " +
         is_decided + " AS is_decided\n  FROM verdicts WHERE " + IsGood("expected") + " OR " +
         IsGood("found") +
         "\n  GROUP BY ALL) copies\nGROUP BY event_id, date\n"
         "HAVING count(*) FILTER (WHERE expected IS NULL OR found IS NULL OR " +
         other_verdict + ") = 0\n  AND (" + in_silver + " > 1 OR " + in_silver +
         " = 0 AND bool_or(is_decided AND " + IsGood("expected") + "))\n";
}

Names SilverNames(const JudgeText& text) {
  Names names;
  for (const BronzeColumn& column : text.columns) names.push_back(column.silver_name);
  return names;
}

}  // namespace

// The rows of Bronze as they should be.
std::string ExpectedRows(const JudgeText& text) {
  return std::string("(SELECT *, true AS ") + kIsHere + " FROM (\n" +
         SilverBatchSql(text, BatchRows::kAlone, Dialect::kDuckDb) + "\n) b)";
}

std::string HashOf(const std::string& of, const Names& names) {
  Names values;
  for (const std::string& name : names) values.push_back(of + Name(name));
  return "hash(" + Joined(values, ", ") + ")";
}

std::vector<std::string> CreateVerdicts(const JudgeText& text,
                                        const std::vector<FingerprintUse>& uses) {
  const Names bronze = SilverNames(text);
  const std::string coordinates = Joined(tables::CoordinateColumns::Names(), ", ");
  const std::string slim = coordinates + ", " + kEventId + ", date, " + HashOf("", bronze) +
                           " AS sent, " + HashOf("", ComputedColumns()) + " AS computed, ";
  const auto either = [](const std::string& name, const char* as) {
    return "coalesce(e." + Name(name) + ", f." + Name(name) + ") AS " + as;
  };
  return {"CREATE OR REPLACE TEMP TABLE verdicts AS\nSELECT " +
              Joined({either(tables::kTopicId, "topic_id"), either(tables::kPartition, "partition"),
                      either(tables::kOffset, "\"offset\""), either(kEventId, "event_id"),
                      either(tables::kDate, "date")},
                     ", ") +
              ",\n  e." + kReasons + " AS expected, f." + kFoundVerdict + " AS found, f." +
              kFoundIn + " AS found_in, f." + kRefinePass + " AS decided_in, " + UseOfPass(uses) +
              " AS decided_by,\n  coalesce(e.sent <> f.sent OR f." + kFoundIn +
              " = 'silver' AND e.computed <> f.computed, false) AS differs\nFROM (SELECT " + slim +
              kReasons + " FROM " + ExpectedRows(text) + " x) e\nFULL JOIN (SELECT " + slim +
              kFoundVerdict + ", " + kFoundIn + ", " + kRefinePass + " FROM (\n  " +
              FoundRows(bronze) + ") y) f\nUSING (" + coordinates + ")",
          "UPDATE verdicts SET expected = " + Text(kDuplicate) +
              " WHERE expected = '' AND coalesce(NOT " + IsGood("found") +
              ", true)\n  AND (event_id, date) IN (SELECT (event_id, date) FROM verdicts "
              "WHERE found = '')"};
}

std::string CreateDiffering(const JudgeText& text) {
  const Names bronze = SilverNames(text);
  std::vector<ComparedColumn> columns;
  for (const std::string& name : bronze) columns.push_back({name});
  for (const std::string& name : ComputedColumns()) {
    columns.push_back({name, std::string("f.") + kFoundIn + " = 'silver'"});
  }
  const std::string coordinates = Joined(tables::CoordinateColumns::Names(), ", ");
  const std::string of_differing =
      " WHERE (" + coordinates +
      ") IN (SELECT (topic_id, partition, \"offset\") FROM verdicts WHERE differs)";
  return "CREATE OR REPLACE TEMP TABLE differing AS\nSELECT kafka_topic_id AS topic_id, "
         "kafka_partition AS partition, kafka_offset AS \"offset\",\n  " +
         DifferentValues(columns) + "\nFROM (SELECT * FROM " + ExpectedRows(text) + " x" +
         of_differing + ") e\nJOIN (SELECT * FROM (\n  " + FoundRows(bronze) + ") y" +
         of_differing + ") f\nUSING (" + coordinates + ")";
}

sql::SqlText RowDifferences(const std::vector<FingerprintUse>& uses,
                            const std::string& fingerprint) {
  const std::string is_decided = IsDecidedBy(uses, fingerprint);
  return {.text = std::string("SELECT ") + kKind +
                  ", \"table\", columns, expected_text, found_text, " + RowKey() + "\nFROM (\n" +
                  EachRow(is_decided) + "UNION ALL\n" +
                  RowsTwice(PlacesOf("bronze_events", "bronze")) + "UNION ALL\n" +
                  RowsTwice(PlacesOf("silver_events", "silver") + "\n  UNION ALL " +
                            PlacesOf("silver_rejects", "rejects")) +
                  "UNION ALL\n" + CopiesOfPurchases(is_decided) + ") differences\nWHERE " + kKind +
                  " IS NOT NULL ORDER BY date NULLS FIRST, topic_id, "
                  "partition, \"offset\", " +
                  kKind + ", found_text",
          .file = ""};
}

sql::SqlText RowsOfOtherRules(const std::vector<FingerprintUse>& uses,
                              const std::string& fingerprint) {
  return {.text =
              "SELECT decided_by, count(*) AS rows, min(date) AS first, max(date) AS last\n"
              "FROM verdicts WHERE expected IS NOT NULL AND found IS NOT NULL AND NOT " +
              IsDecidedBy(uses, fingerprint) + "\nGROUP BY decided_by ORDER BY decided_by",
          .file = ""};
}

sql::SqlText GoldDifferences(const GoldFile& file, const arrow::Schema& columns,
                             const std::string& table) {
  const Names keys = file.Keys();
  std::vector<ComparedColumn> compared;
  for (const std::string& name : columns.field_names()) {
    if (std::ranges::find(keys, name) == keys.end()) compared.push_back({name});
  }
  Names equal, key_text, of_table, order;
  for (const std::string& key : keys) {
    equal.push_back("e." + Name(key) + " IS NOT DISTINCT FROM f." + Name(key));
    key_text.push_back("CAST(CASE WHEN f." + std::string(kIsHere) + " THEN f." + Name(key) +
                       " ELSE e." + Name(key) + " END AS VARCHAR) AS " + Name(key));
    of_table.push_back("CAST(" + Name(key) + " AS VARCHAR)");
    order.push_back(Name(key) + " NULLS FIRST");
  }
  Names key_names;
  for (const std::string& key : keys) key_names.push_back(Name(key));
  const std::string key_list = Joined(key_names, ", ");
  const auto here = [](const std::string& rows, const char* name) {
    return "(SELECT *, true AS " + std::string(kIsHere) + " FROM " + rows + ") " + name;
  };
  return {
      .text = std::string("SELECT ") + kKind + ", " + Text(file.name) + " AS \"table\", " +
              Joined({kDiffering, kExpectedValues, kFoundValues}, ", ") + ", " + key_list +
              " FROM (\nSELECT " + DifferentValues(compared) + ",\n  CASE WHEN f." + kIsHere +
              " IS NULL THEN 'missing' WHEN e." + kIsHere + " IS NULL THEN 'extra' WHEN " +
              kDiffering + " <> '' THEN 'other_value' END AS " + kKind + ", " +
              Joined(key_text, ", ") + "\nFROM " +
              here("(\n" + GoldBatchSql(file).text + ") b", "e") + "\nFULL JOIN " +
              here(Name(table), "f") + "\nON " + Joined(equal, " AND ") +
              "\nUNION ALL\nSELECT '', '1 row', CAST(count(*) AS VARCHAR) || ' rows', 'twice', " +
              Joined(of_table, ", ") + "\nFROM " + Name(table) + " GROUP BY " + key_list +
              " HAVING count(*) > 1) differences\nWHERE " + kKind + " IS NOT NULL ORDER BY " +
              Joined(order, ", ") + ", " + kKind,
      .file = ""};
}

}  // namespace shopstream::refine
