#include "refine/gold_check.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/join.h"
#include "lake/delta/delta_schema.h"
#include "refine/parsed_sql.h"
#include "refine/volatile_sql.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

constexpr char kDeclareIt[] = ": declare it as add, min, max, distinct COLUMN or derived";

const char* NameOfKind(GoldKind kind) {
  constexpr std::array kNames = {"key", "add", "min", "max", "distinct", "derived"};
  return kNames[static_cast<size_t>(kind)];
}

// Checks one SQL text of a file.
class SqlCheck {
 public:
  SqlCheck(const GoldFile& file, const sql::SqlText& text) : file_(file), text_(text) {}

 protected:
  Status Error(int line, const std::string& what) const {
    return GoldError(text_.file, line, what);
  }
  Status ErrorAt(const Parsed& node, const std::string& what) const {
    return Error(LineOf(node, text_), what);
  }

  Status CheckClauses(const Parsed& select) const {
    const auto clause = FurtherClause(select);
    if (!clause) return Status::OK();
    return Error(text_.first_line, *clause + " is not allowed: the table would differ between " +
                                       "purchases that come in one pass and in several");
  }

  // Each value depends on one row alone.
  Status CheckOfOneRow(const Parsed& expression) const {
    Status status;
    VisitExpressions(expression, [&](const Parsed& part) {
      if (!status.ok()) return;
      if (IsClass(part, "SUBQUERY")) status = ErrorAt(part, "a SELECT within an expression");
      if (IsClass(part, "WINDOW")) status = ErrorAt(part, "a window: use it in the derive part");
      const std::string name = IsClass(part, "FUNCTION") ? part.value("function_name", "")
                                                         : ColumnName(part).value_or("");
      if (IsVolatile(name)) status = ErrorAt(part, name + " gives another value each time");
    });
    return status;
  }

  // "orders" -> the only item of that name; checks that each has a declared one.
  Status CheckNames(const Parsed& items, bool derived) const {
    std::set<std::string> names;
    for (const Parsed& item : items) {
      if (IsClass(item, "STAR")) return ErrorAt(item, "* is not allowed here: name each column");
      const auto name = OutputName(item);
      if (!name) return ErrorAt(item, "a column without a name: add AS NAME");
      const GoldColumn* const column = file_.Find(*name);
      if (column == nullptr) return ErrorAt(item, "column " + *name + kDeclareIt);
      if (column->kind == GoldKind::kDerived && !derived) {
        return ErrorAt(item, "column " + *name + " is derived: compute it in the derive part");
      }
      if (!names.insert(*name).second) return ErrorAt(item, "a second column " + *name);
    }
    for (const GoldColumn& column : file_.columns) {
      if (names.contains(column.name) || (column.kind == GoldKind::kDerived && !derived)) continue;
      return Error(column.line, "column " + column.name + " is declared, but the " +
                                    (derived ? "derive" : "aggregate") +
                                    " part does not select it");
    }
    return Status::OK();
  }

  const GoldFile& file_;
  const sql::SqlText& text_;
};

const Parsed& BelowCasts(const Parsed& expression) {
  const Parsed* below = &expression;
  while (IsClass(*below, "CAST")) below = &below->at("child");
  return *below;
}

// "avg(...)", for messages.
std::string Described(const Parsed& expression) {
  if (IsClass(expression, "FUNCTION")) {
    return expression.value("function_name", "") +
           (expression.value("distinct", false) ? "(DISTINCT ...)" : "(...)");
  }
  return ColumnName(expression).value_or("an expression");
}

class AggregateCheck : SqlCheck {
 public:
  explicit AggregateCheck(const GoldFile& file) : SqlCheck(file, file.aggregate) {}

  Status Run(const Parsed& select) const {
    if (select.at("type") != "SELECT_NODE") {
      return Error(text_.first_line, "the aggregate part is not one SELECT ... GROUP BY");
    }
    ARROW_RETURN_NOT_OK(CheckClauses(select));
    ARROW_RETURN_NOT_OK(CheckRows(select));
    ARROW_RETURN_NOT_OK(CheckGroups(select));
    ARROW_RETURN_NOT_OK(CheckNames(select.at("select_list"), /*derived=*/false));
    for (const Parsed& item : select.at("select_list")) ARROW_RETURN_NOT_OK(CheckItem(item));
    return Status::OK();
  }

 private:
  // FROM and WHERE.
  Status CheckRows(const Parsed& select) const {
    if (!select.at("where_clause").is_null()) {
      ARROW_RETURN_NOT_OK(CheckOfOneRow(select.at("where_clause")));
    }
    const Parsed& from = select.at("from_table");
    const std::string type = from.at("type");
    if (type == "SUBQUERY") return CheckUnion(from.at("subquery").at("node"));
    const std::string name = type == "BASE_TABLE" ? from.value("table_name", "") : "";
    if (name == "silver_events" || name == "silver_rejects") return Status::OK();
    return ErrorAt(from, name.empty()
                             ? "the rows must come from silver_events, silver_rejects, or "
                               "a UNION ALL of SELECTs from them; joins are not allowed"
                             : "table " + name + " is neither silver_events nor silver_rejects");
  }

  Status CheckUnion(const Parsed& node) const {
    if (node.at("type") == "SET_OPERATION_NODE") {
      if (node.at("setop_type") != "UNION" || !node.at("setop_all").get<bool>() ||
          !node.at("modifiers").empty()) {
        return Error(text_.first_line, "rows of several SELECTs need UNION ALL, and nothing else");
      }
      for (const Parsed& child : node.at("children")) ARROW_RETURN_NOT_OK(CheckUnion(child));
      if (!node.at("children").empty()) return Status::OK();
      ARROW_RETURN_NOT_OK(CheckUnion(node.at("left")));
      return CheckUnion(node.at("right"));
    }
    if (node.at("type") != "SELECT_NODE") return Error(text_.first_line, "expected a SELECT");
    return CheckOneToOne(node);
  }

  // A SELECT with one row for each row that it reads, of the same date.
  Status CheckOneToOne(const Parsed& select) const {
    ARROW_RETURN_NOT_OK(CheckClauses(select));
    if (!select.at("group_expressions").empty() ||
        select.at("aggregate_handling") != "STANDARD_HANDLING") {
      return Error(text_.first_line, "GROUP BY belongs to the outermost SELECT alone");
    }
    ARROW_RETURN_NOT_OK(CheckRows(select));
    bool has_date = false;
    for (const Parsed& item : select.at("select_list")) {
      ARROW_RETURN_NOT_OK(CheckOfOneRow(item));
      if (IsClass(item, "STAR")) return ErrorAt(item, "* is not allowed here: name each column");
      has_date |= ColumnName(item) == tables::kDate && OutputName(item) == tables::kDate;
    }
    if (has_date) return Status::OK();
    return Error(text_.first_line, "a SELECT within must return the column date as it is");
  }

  Status CheckGroups(const Parsed& select) const {
    const std::vector<std::string> keys = file_.Keys();
    std::set<std::string> groups;
    for (const Parsed& group : select.at("group_expressions")) {
      const auto name = ColumnName(group);
      if (!name) return ErrorAt(group, "GROUP BY needs the names of the key's columns");
      groups.insert(*name);
    }
    if (groups != std::set(keys.begin(), keys.end()) || select.at("group_sets").size() != 1) {
      return Error(file_.columns[0].line, "the key is (" + Joined(keys, ", ") +
                                              "), but the SELECT has GROUP BY (" +
                                              Joined({groups.begin(), groups.end()}, ", ") + ")");
    }
    return Status::OK();
  }

  Status CheckItem(const Parsed& item) const {
    const GoldColumn& column = *file_.Find(*OutputName(item));
    ARROW_RETURN_NOT_OK(CheckOfOneRow(item));
    const Parsed& computed = column.kind == GoldKind::kAdd ? BelowCasts(item) : item;
    const bool fits =
        column.kind == GoldKind::kKey ? IsKey(column, item) : IsAggregate(column, computed);
    if (fits) return Status::OK();
    static const std::string kAllowed[] = {
        "keys other than date may be expressions, but date is the column itself",
        "only count and sum add up; compute it in the derive part",
        "write min(...), with casts inside", "write max(...), with casts inside",
        "write count(DISTINCT COLUMN) of the declared column, without FILTER"};
    return ErrorAt(item, "column " + column.name + " is declared " + NameOfKind(column.kind) +
                             " but is " + Described(computed) + ": " +
                             kAllowed[static_cast<size_t>(column.kind)]);
  }

  static bool IsKey(const GoldColumn& column, const Parsed& item) {
    return column.name != tables::kDate || ColumnName(item) == tables::kDate;
  }

  static bool IsAggregate(const GoldColumn& column, const Parsed& computed) {
    if (!IsClass(computed, "FUNCTION")) return false;
    const std::string name = computed.at("function_name");
    const bool distinct = computed.at("distinct").get<bool>();
    if (column.kind == GoldKind::kDistinct) {
      return name == "count" && distinct && computed.at("filter").is_null() &&
             computed.at("children").size() == 1 &&
             ColumnName(computed.at("children")[0]) == column.counted;
    }
    if (distinct) return false;
    if (column.kind == GoldKind::kMin) return name == "min" && computed.at("children").size() == 1;
    if (column.kind == GoldKind::kMax) return name == "max" && computed.at("children").size() == 1;
    return name == "count" || name == "count_star" || name == "sum";
  }
};

class DeriveCheck : SqlCheck {
 public:
  explicit DeriveCheck(const GoldFile& file) : SqlCheck(file, file.derive) {}

  Status Run(const Parsed& select) const {
    ARROW_RETURN_NOT_OK(CheckSelect(select));
    return CheckNames(select.at("select_list"), /*derived=*/true);
  }

 private:
  // One row for each row of `aggregated`, whose stored columns keep their values and names.
  Status CheckSelect(const Parsed& select) const {
    if (select.at("type") != "SELECT_NODE") {
      return Error(text_.first_line, "the derive part is not one SELECT");
    }
    ARROW_RETURN_NOT_OK(CheckClauses(select));
    if (!select.at("where_clause").is_null()) {
      return ErrorAt(select.at("where_clause"),
                     "WHERE is not allowed in the derive part: filter "
                     "in the aggregate part");
    }
    if (!select.at("group_expressions").empty() ||
        select.at("aggregate_handling") != "STANDARD_HANDLING") {
      return Error(text_.first_line, "GROUP BY is not allowed in the derive part");
    }
    for (const Parsed& item : select.at("select_list")) ARROW_RETURN_NOT_OK(CheckItem(item));
    const Parsed& from = select.at("from_table");
    if (from.at("type") == "SUBQUERY") return CheckSelect(from.at("subquery").at("node"));
    if (from.at("type") == "BASE_TABLE" && from.at("table_name") == "aggregated") {
      return Status::OK();
    }
    return ErrorAt(from, "the derive part reads from `aggregated` alone");
  }

  Status CheckItem(const Parsed& item) const {
    if (IsClass(item, "STAR")) {
      const bool plain = item.at("exclude_list").empty() && item.at("replace_list").empty() &&
                         item.at("rename_list").empty();
      return plain ? Status::OK() : ErrorAt(item, "* EXCLUDE and REPLACE are not in Spark's SQL");
    }
    const std::string name = OutputName(item).value_or("");
    const GoldColumn* const column = file_.Find(name);
    if (column != nullptr && column->kind != GoldKind::kDerived && ColumnName(item) != name) {
      return ErrorAt(item, "column " + name + " is declared " + NameOfKind(column->kind) +
                               ": the derive part must pass it unchanged");
    }
    Status status;
    VisitExpressions(item, [&](const Parsed& part) {
      if (!status.ok()) return;
      if (IsClass(part, "WINDOW")) {
        status = CheckWindow(part);
      } else if (IsClass(part, "SUBQUERY")) {
        status = ErrorAt(part, "a SELECT within an expression");
      } else if (IsClass(part, "FUNCTION") && IsVolatile(part.value("function_name", ""))) {
        status = ErrorAt(part, part.value("function_name", "") + " gives another value each time");
      }
    });
    return status;
  }

  Status CheckWindow(const Parsed& window) const {
    std::set<std::string> partition, names;
    for (const Parsed& expression : window.at("partitions")) {
      partition.insert(ColumnName(expression).value_or(""));
    }
    if (!partition.contains(tables::kDate)) {
      return ErrorAt(window,
                     "a window needs PARTITION BY date: a pass rewrites whole dates, and no "
                     "others");
    }
    const std::string function = window.at("function_name");
    if (window.at("orders").empty() || function == "rank" || function == "dense_rank") {
      return Status::OK();
    }
    names = partition;
    for (const Parsed& order : window.at("orders")) {
      names.insert(ColumnName(order.at("expression")).value_or(""));
    }
    for (const std::string& key : file_.Keys()) {
      if (names.contains(key)) continue;
      return ErrorAt(window, "ORDER BY of a window must end with the key's columns, here " + key +
                                 ": otherwise " + function + " is up to chance among equal rows");
    }
    return Status::OK();
  }
};

// DuckDB's JSON has the members that its version has.
template <typename Check>
Status Checked(const sql::SqlText& text, const std::string& parsed, const Check& check) {
  try {
    ARROW_ASSIGN_OR_RAISE(const Parsed node, OnlyNode(parsed, text));
    return check.Run(node);
  } catch (const nlohmann::json::exception& error) {
    return GoldError(text.file, text.first_line,
                     std::string("DuckDB describes the SQL in an unknown form: ") + error.what());
  }
}

// Applies `change` to each item whose column is of the kind.
template <typename Change>
std::string ChangedItems(const GoldFile& file, const std::string& parsed, GoldKind kind,
                         const Change& change) {
  Parsed root = ParseOrderedJson(parsed);
  for (Parsed& item : root["statements"][0]["node"]["select_list"]) {
    const auto name = OutputName(item);
    const GoldColumn* const column = name ? file.Find(*name) : nullptr;
    if (column != nullptr && column->kind == kind) change(*name, &item);
  }
  return DumpJson(root);
}

// DuckDB's widest type of numbers, which other engines do not have, or a sum that is not cast.
bool IsWidest(const arrow::DataType& type) {
  return type.id() == arrow::Type::DECIMAL128 &&
         static_cast<const arrow::Decimal128Type&>(type).precision() == 38;
}

// Digits after the point; nothing: it is not an exact number.
std::optional<int> ScaleOf(const arrow::DataType& type) {
  if (arrow::is_integer(type.id())) return 0;
  if (type.id() != arrow::Type::DECIMAL128) return std::nullopt;
  return static_cast<const arrow::Decimal128Type&>(type).scale();
}

Status CheckSum(const GoldFile& file, const GoldColumn& column, const arrow::DataType& computed,
                const arrow::DataType& stored) {
  const std::string name = "column " + column.name + " is declared add but ";
  const auto scale = ScaleOf(computed), stored_scale = ScaleOf(stored);
  if (!scale || !stored_scale) {
    return GoldError(file.aggregate.file, column.line,
                     name + "is a " + (scale ? stored : computed).ToString() +
                         ": such sums depend on the order of rows; CAST the values to DECIMAL");
  }
  if (*scale <= *stored_scale) return Status::OK();
  return GoldError(file.aggregate.file, column.line,
                   name + "rounds sums to " + std::to_string(*stored_scale) +
                       " decimals: round the values, or keep " + std::to_string(*scale));
}

}  // namespace

Status CheckGoldTypes(const GoldFile& file, const arrow::Schema& aggregate,
                      const arrow::Schema& without_casts, const arrow::Schema& table) {
  for (const GoldColumn& column : file.columns) {
    const auto& type = *table.GetFieldByName(column.name)->type();
    if (IsWidest(type)) {
      return GoldError(file.aggregate.file, column.line,
                       "column " + column.name + " is a " + type.ToString() +
                           ", as sums are in DuckDB: CAST it to the type that it shall have");
    }
    if (column.kind != GoldKind::kAdd) continue;
    ARROW_RETURN_NOT_OK(CheckSum(file, column, *without_casts.GetFieldByName(column.name)->type(),
                                 *aggregate.GetFieldByName(column.name)->type()));
  }
  const auto storable = lake::FormatDeltaSchema(table);
  if (storable.ok()) return Status::OK();
  return GoldError(file.aggregate.file, 0, storable.status().message());
}

Status CheckAggregate(const GoldFile& file, const std::string& parsed) {
  return Checked(file.aggregate, parsed, AggregateCheck(file));
}

Status CheckDerive(const GoldFile& file, const std::string& parsed) {
  return Checked(file.derive, parsed, DeriveCheck(file));
}

std::string AsLists(const GoldFile& file, const std::string& parsed) {
  return ChangedItems(file, parsed, GoldKind::kDistinct,
                      [](const std::string&, Parsed* item) { (*item)["function_name"] = "list"; });
}

std::string AsValues(const GoldFile& file, const std::string& parsed) {
  Parsed root = ParseOrderedJson(parsed);
  Parsed& select = root["statements"][0]["node"];
  Parsed items = Parsed::array();
  for (Parsed& item : select["select_list"]) {
    const std::string name = *OutputName(item);
    const GoldKind kind = file.Find(name)->kind;
    if (kind == GoldKind::kKey) items.push_back(item);
    if (kind != GoldKind::kDistinct) continue;
    Parsed value = item["children"][0];
    value["alias"] = name;
    items.push_back(std::move(value));
  }
  select["select_list"] = std::move(items);
  select["group_expressions"] = Parsed::array();
  select["group_sets"] = Parsed::array();
  return DumpJson(root);
}

std::string WithoutCasts(const GoldFile& file, const std::string& parsed) {
  return ChangedItems(file, parsed, GoldKind::kAdd, [](const std::string& name, Parsed* item) {
    Parsed below = BelowCasts(*item);
    below["alias"] = name;
    *item = std::move(below);
  });
}

}  // namespace shopstream::refine
