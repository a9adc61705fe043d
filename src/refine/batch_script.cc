#include "refine/batch_script.h"

#include <filesystem>
#include <string_view>

#include "base/join.h"
#include "refine/fingerprint.h"
#include "refine/gold_sql.h"
#include "sql/value_text.h"

namespace shopstream::refine {
namespace {

constexpr const char* kDuckDbSession[] = {
    "SET TimeZone = 'UTC'",
    "CREATE OR REPLACE TEMP MACRO unix_seconds(t) AS CAST(floor(epoch(t)) AS BIGINT)",
    "CREATE OR REPLACE TEMP MACRO unix_micros(t) AS epoch_us(t)",
    "CREATE OR REPLACE TEMP MACRO regexp_like(s, p) AS regexp_matches(s, p)"};
constexpr const char* kSparkSession[] = {"SET spark.sql.session.timeZone = UTC",
                                         "SET spark.sql.ansi.enabled = true",
                                         "SET spark.sql.parser.escapedStringLiterals = true"};

std::string View(const std::string& name, const std::string& select) {
  return "CREATE OR REPLACE TEMP VIEW " + name + " AS\n" + select + ";\n\n";
}

// Anything may be written in a description.
std::string Commented(const std::string& text) {
  std::string comment = "-- ";
  for (const char c : text) comment += c == '\n' ? std::string("\n--     ") : std::string(1, c);
  return comment + "\n";
}

std::string RulesComment(const RuleBook& book) {
  std::string text = Commented("Rules of " + book.rules.file + ", fingerprint " +
                               ShortHash(book.fingerprint) + ":");
  for (const Rule& rule : book.rules.rules) {
    text += Commented("  " + rule.name + " (" + NameOf(rule.action) + ", " + rule.owner +
                      "): " + rule.description);
  }
  return text + "\n";
}

std::string RatesSelect(const arrow::RecordBatch& rates, Dialect dialect) {
  std::vector<std::string> rows;
  for (int64_t row = 0; row < rates.num_rows(); ++row) {
    rows.push_back("  (" + QuotedText(sql::ValueText(*rates.column(0), row), dialect) + ", DATE '" +
                   sql::ValueText(*rates.column(1), row) + "', CAST(" +
                   sql::ValueText(*rates.column(2), row) + " AS DECIMAL(18, 8)))");
  }
  if (rows.empty()) {
    return "SELECT CAST(NULL AS STRING) AS currency, CAST(NULL AS DATE) AS valid_from,\n"
           "  CAST(NULL AS DECIMAL(18, 8)) AS rate WHERE 1 = 0";
  }
  return "SELECT * FROM (VALUES\n" + Joined(rows, ",\n") + ") AS r(currency, valid_from, rate)";
}

std::string FileView(const CategoryFile& file, const std::string& name, Dialect dialect) {
  const std::string path =
      QuotedText(std::filesystem::absolute(file.path).lexically_normal(), dialect);
  const bool is_parquet = file.path.ends_with(".parquet");
  if (dialect == Dialect::kDuckDb) {
    return View(name, "SELECT * FROM " + (is_parquet ? "read_parquet(" + path + ")"
                                                     : "read_csv(" + path +
                                                           ", header = true, all_varchar = true)"));
  }
  return "CREATE OR REPLACE TEMP VIEW " + name + " USING " +
         (is_parquet ? "parquet OPTIONS (path " + path + ")"
                     : "csv OPTIONS (path " + path + ", header 'true')") +
         ";\n\n";
}

// Of a product in several files, the first one counts.
std::string Categories(const std::vector<CategoryFile>& files, Dialect dialect) {
  std::string views;
  std::vector<std::string> parts = {
      "SELECT 0 AS file, CAST(NULL AS STRING) AS product_id, CAST(NULL AS STRING) AS category "
      "WHERE 1 = 0"};
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string number = std::to_string(i + 1), name = "category_file_" + number;
    views += FileView(files[i], name, dialect);
    parts.push_back("SELECT " + number + " AS file, CAST(" +
                    QuotedName(files[i].product_id, dialect) + " AS STRING) AS product_id, CAST(" +
                    QuotedName(files[i].category, dialect) + " AS STRING) AS category FROM " +
                    name);
  }
  return views +
         View(kCategoriesTable,
              "SELECT product_id, min(category) AS category FROM (\n"
              "  SELECT f.*, min(file) OVER (PARTITION BY product_id) AS first_file FROM (\n    " +
                  Joined(parts, "\n    UNION ALL ") +
                  ") f\n  WHERE category <> '') g\nWHERE file = first_file GROUP BY product_id");
}

}  // namespace

std::vector<BatchTable> BatchTables(const JudgeText& text, const std::vector<GoldFile>& gold,
                                    Dialect dialect) {
  std::vector<BatchTable> tables = {
      {"silver_events", SilverBatchSql(text, BatchRows::kSilver, dialect)},
      {"silver_rejects", SilverBatchSql(text, BatchRows::kRejects, dialect)}};
  for (const GoldFile& file : gold) {
    tables.push_back({"gold_" + file.name, GoldBatchSql(file).text});
  }
  return tables;
}

std::string BatchScript(const RuleBook& book, const std::vector<BatchTable>& tables,
                        Dialect dialect) {
  const bool is_spark = dialect == Dialect::kSpark;
  std::string script =
      Commented(std::string("What `shopstream refine` computes, as SQL for ") +
                (is_spark ? "Apache Spark 4" : "DuckDB") + " over the table bronze_events.");
  script += RulesComment(book);
  if (is_spark) {
    for (const char* statement : kSparkSession) script += std::string(statement) + ";\n";
  } else {
    for (const char* statement : kDuckDbSession) script += std::string(statement) + ";\n";
  }
  script += "\n" + View(kRatesTable, RatesSelect(*book.lookups.rates, dialect)) +
            Categories(book.category_files, dialect);
  for (const BatchTable& table : tables) script += View(table.name, table.select);
  script.pop_back();  // One line break ends the last statement.
  return script;
}

}  // namespace shopstream::refine
