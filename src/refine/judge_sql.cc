#include "refine/judge_sql.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "base/join.h"
#include "base/unicode_names.h"

namespace shopstream::refine {
namespace {

using Texts = std::vector<std::string>;

constexpr char kAmount[] = "amount";

// Names of the statements and of silver.sql.
constexpr const char* kOwnNames[] = {"amount_cents", "event_time",    kExactAmount,
                                     kRawAmount,     kBronzeRow,      kReasons,
                                     "warnings",     "reference_key", "copy"};

bool IsOwnName(const std::string& name) {
  return std::ranges::any_of(kOwnNames, [&](const char* own) { return FoldCase(name) == own; });
}

std::string WithReplaced(std::string text, std::string_view what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// "a, b,\n    c": a list in lines that fit a terminal.
std::string Wrapped(const Texts& parts) {
  constexpr size_t kWidth = 96;
  std::string text, line;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string part = parts[i] + (i + 1 < parts.size() ? "," : "");
    if (!line.empty() && line.size() + 1 + part.size() > kWidth) {
      text += line + "\n    ";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + part;
  }
  return text + line;
}

int LinesBefore(const std::string& text, size_t end) {
  return static_cast<int>(std::count(text.begin(), text.begin() + static_cast<int64_t>(end), '\n'));
}

// Writes one dialect.
class Writer {
 public:
  Writer(const JudgeText& text, Dialect dialect) : text_(text), dialect_(dialect) {}

  std::string Name(const std::string& name) const { return QuotedName(name, dialect_); }

  // WITH bronze AS (...), computed AS (
  std::string Bronze(const Texts& more_columns, const std::string& where) const {
    Texts columns;
    for (const BronzeColumn& column : text_.columns) {
      const bool renamed = column.name != column.sql_name;
      columns.push_back(Name(column.name) + (renamed ? " AS " + Name(column.sql_name) : ""));
    }
    columns.insert(columns.end(), more_columns.begin(), more_columns.end());
    return "WITH bronze AS (\n  SELECT " + Wrapped(columns) + "\n  FROM bronze_events" + where +
           "),\ncomputed AS (\n";
  }

  std::string Silver() const {
    return WithReplaced(text_.silver.text, "{late_after}",
                        std::to_string(text_.late_after_seconds));
  }

  // Rules see the amount that counts; the one of Bronze has another name.
  std::string Ruled(const Texts& more_columns) const {
    Texts columns;
    for (const BronzeColumn& column : text_.columns) {
      if (column.sql_name != kAmount) columns.push_back("c." + Name(column.sql_name));
    }
    columns.push_back(std::string("c.") + kExactAmount + " AS amount");
    columns.push_back("c.amount AS raw_amount");
    for (const std::string& name : ComputedColumns()) columns.push_back("c." + name);
    for (const std::string& name : more_columns) columns.push_back("c." + name);
    return "),\nruled AS (\n  SELECT " + Wrapped(columns) + "\n  FROM computed c)";
  }

  std::string FromRuled() const {
    std::string from = "FROM ruled r";
    for (size_t i = 0; i < text_.rules->rules.size(); ++i) {
      const auto* reference = std::get_if<Reference>(&text_.rules->rules[i].condition);
      if (reference == nullptr) continue;
      const std::string alias = "reference_" + std::to_string(i + 1);
      from += "\n  LEFT JOIN (SELECT DISTINCT CAST(" + Name(reference->key) +
              " AS STRING) AS reference_key FROM " + Name(reference->table) + ") " + alias +
              "\n    ON " + alias + ".reference_key = CAST(r." + Name(reference->column) +
              " AS STRING)";
    }
    return from;
  }

  std::string Judged() const {
    return ",\njudged AS (\n  SELECT r.*,\n    " + Names(Action::kReject) + " AS reasons,\n    " +
           Names(Action::kWarn) + " AS warnings\n  " + FromRuled() + ")";
  }

 private:
  // The names of the rules that the row breaks, either those that only warn or all others.
  std::string Names(Action action) const {
    Texts names;
    if (action != Action::kWarn) {
      names.push_back("CASE WHEN NOT (" + Computable() + ") THEN " +
                      QuotedText(kNotComputable, dialect_) + " END");
    }
    for (size_t i = 0; i < text_.rules->rules.size(); ++i) {
      const Rule& rule = text_.rules->rules[i];
      if ((rule.action == Action::kWarn) != (action == Action::kWarn)) continue;
      names.push_back("CASE WHEN NOT (" + ConditionSql(rule, i, dialect_) + ") THEN " +
                      QuotedText(rule.name, dialect_) + " END");
    }
    if (names.empty()) return "''";
    return "concat_ws(','," + ("\n      " + Joined(names, ",\n      ")) + ")";
  }

  // Bounds that let 10^8 rows of one cell of Gold be added up exactly.
  static std::string Computable() {
    return "event_id IS NOT NULL AND event_hour IS NOT NULL AND date IS NOT NULL AND amount IS NOT "
           "NULL AND amount_usd IS NOT NULL AND amount_usd BETWEEN -100000000 AND 100000000 AND "
           "(quantity IS NULL OR quantity BETWEEN -1000000000 AND 1000000000)";
  }

  const JudgeText& text_;
  const Dialect dialect_;
};

Texts NumberedRows() { return {QuotedName(kRowNumber, Dialect::kDuckDb) + " AS " + kBronzeRow}; }

// Conditions, to be put between AND; the value is not null.
struct ConditionWriter {
  Dialect dialect;
  size_t number;

  std::string operator()(const NotNull& rule) const { return Name(rule.column) + " IS NOT NULL"; }

  std::string operator()(const Range& rule) const {
    Texts bounds;
    const std::string column = Name(rule.column);
    const auto add = [&](const char* sign, const std::optional<std::string>& bound) {
      if (bound) bounds.push_back(column + " " + sign + " " + *bound);
    };
    add(">=", rule.least);
    add(">", rule.above);
    add("<=", rule.most);
    add("<", rule.below);
    return Joined(bounds, " AND ");
  }

  std::string operator()(const Allowed& rule) const {
    Texts values;
    for (const std::string& value : rule.values) values.push_back(QuotedText(value, dialect));
    return Name(rule.column) + " IN (" + Joined(values, ", ") + ")";
  }

  std::string operator()(const Pattern& rule) const {
    return "regexp_like(" + Name(rule.column) + ", " + QuotedText(rule.matches, dialect) + ")";
  }

  std::string operator()(const Reference& rule) const {
    return "reference_" + std::to_string(number + 1) + ".reference_key IS NOT NULL OR " +
           Name(rule.column) + " IS NULL";
  }

  std::string operator()(const TwoDecimals& rule) const {
    const std::string column = Name(rule.column == kAmount ? kRawAmount : rule.column);
    return column + " = round(" + column + " * 100) / 100";
  }

  // On lines of its own, as its text may end in a comment.
  std::string operator()(const SqlCondition& rule) const { return "\n" + rule.text + "\n"; }

  std::string Name(const std::string& name) const { return QuotedName(name, dialect); }
};

// Selects the columns of judged rows and `copy`, the number of a row among its copies.
std::string Ranked(const Texts& columns) {
  return ",\nranked AS (\n  SELECT j.*,\n    CASE WHEN reasons = '' THEN row_number() OVER (\n"
         "      PARTITION BY event_id, date, reasons\n"
         "      ORDER BY kafka_timestamp NULLS FIRST, kafka_topic_id, kafka_partition, "
         "kafka_offset)\n      ELSE 1 END AS copy\n  FROM judged j)\nSELECT " +
         Wrapped(columns) + "\nFROM ranked";
}

}  // namespace

const Texts& ComputedColumns() {
  static const Texts names = {kEventHour, kAmountUsd, kProductCategory, kLate};
  return names;
}

std::vector<BronzeColumn> BronzeColumns(const RefineColumns& columns) {
  std::set<std::string> taken(std::begin(kOwnNames), std::end(kOwnNames));
  for (const std::string& name : columns.names) {
    if (!IsOwnName(name)) taken.insert(FoldCase(name));
  }
  std::vector<BronzeColumn> all;
  for (size_t i = 0; i < columns.names.size(); ++i) {
    const std::string& name = columns.names[i];
    std::string sql_name = name;
    if (IsOwnName(name)) {
      while (!taken.insert(FoldCase(sql_name)).second) sql_name.insert(0, "bronze_");
    }
    all.push_back({columns.bronze->field(static_cast<int>(i))->name(), name, sql_name});
  }
  return all;
}

std::string ConditionSql(const Rule& rule, size_t number, Dialect dialect) {
  return std::visit(ConditionWriter{.dialect = dialect, .number = number}, rule.condition);
}

sql::SqlText ComputeSql(const JudgeText& text) {
  const Writer writer(text, Dialect::kDuckDb);
  const std::string before = writer.Bronze(NumberedRows(), "");
  return {before + writer.Silver() + "\n)\nSELECT * FROM computed", text.silver.file,
          text.silver.first_line - LinesBefore(before, before.size())};
}

sql::SqlText RuleSql(const JudgeText& text, size_t number) {
  const Writer writer(text, Dialect::kDuckDb);
  const Rule& rule = text.rules->rules[number];
  const auto* const sql = std::get_if<SqlCondition>(&rule.condition);
  std::string statement =
      writer.Bronze(NumberedRows(), "") + writer.Silver() + writer.Ruled({}) + "\nSELECT (";
  // The text of a condition in SQL begins on the next line.
  const int line = LinesBefore(statement, statement.size()) + (sql != nullptr ? 1 : 0);
  statement += ConditionSql(rule, number, Dialect::kDuckDb) + ") AS fine\n" + writer.FromRuled();
  return {std::move(statement), text.rules->file, (sql != nullptr ? sql->line : rule.line) - line};
}

sql::SqlText PassSql(const JudgeText& text) {
  const Writer writer(text, Dialect::kDuckDb);
  return {writer.Bronze(NumberedRows(), "") + writer.Silver() + "\n" + writer.Ruled({kBronzeRow}) +
              writer.Judged() + "\nSELECT bronze_row, reasons, warnings, " +
              Joined(ComputedColumns(), ", ") + " FROM judged",
          "", 1};
}

std::string SilverBatchSql(const JudgeText& text, BatchRows what, Dialect dialect) {
  const Writer writer(text, dialect);
  Texts columns;
  for (const BronzeColumn& column : text.columns) {
    const bool renamed = column.sql_name != column.silver_name;
    columns.push_back(column.sql_name == kAmount ? "raw_amount AS amount"
                                                 : writer.Name(column.sql_name));
    if (renamed) columns.back() += " AS " + writer.Name(column.silver_name);
  }
  if (what != BatchRows::kRejects) {
    columns.insert(columns.end(), ComputedColumns().begin(), ComputedColumns().end());
  }
  if (what != BatchRows::kSilver) {
    columns.push_back(what == BatchRows::kAlone
                          ? kReasons
                          : "CASE WHEN copy > 1 THEN " + QuotedText(kDuplicate, dialect) +
                                " ELSE reasons END AS reasons");
  }
  if (what == BatchRows::kAll || what == BatchRows::kAlone) columns.emplace_back("warnings");
  const char* const where = what == BatchRows::kSilver    ? "\nWHERE reasons = '' AND copy = 1"
                            : what == BatchRows::kRejects ? "\nWHERE reasons <> '' OR copy > 1"
                                                          : "";
  return writer.Bronze({},
                       "\n  WHERE kafka_topic_id IS NOT NULL AND kafka_partition IS NOT NULL"
                       " AND kafka_offset IS NOT NULL") +
         writer.Silver() + "\n" + writer.Ruled({}) + writer.Judged() +
         (what == BatchRows::kAlone ? "\nSELECT " + Wrapped(columns) + "\nFROM judged"
                                    : Ranked(columns) + where);
}

}  // namespace shopstream::refine
