#include "sql/pruning.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "lake/parquet/stored_column.h"
#include "sql/constant.h"

namespace shopstream::sql {
namespace {

using lake::ColumnRange;
using lake::FilePredicate;
using nlohmann::json;

// A table in the FROM of a SELECT.
struct NamedTable {
  std::string name;       // In lower case.
  std::string qualifier;  // Of its columns.
  std::shared_ptr<arrow::Schema> schema;
  bool joined = false;
};

// Nothing: no condition is known.
using Condition = std::optional<FilePredicate>;

bool IsClass(const json& expression, const char* name) {
  return expression.value("class", "") == name;
}

// The table's column that the expression is. Null: it may be anything else.
std::shared_ptr<arrow::Field> ColumnOf(const json& expression, const NamedTable& table) {
  if (!IsClass(expression, "COLUMN_REF")) return nullptr;
  const json& names = expression.at("column_names");
  // In a join, a name alone may be another table's column.
  if (names.size() == 1 ? table.joined : names.size() != 2) return nullptr;
  if (names.size() == 2 && !lake::EqualButForCase(names[0].get<std::string>(), table.qualifier)) {
    return nullptr;
  }
  const int index = lake::StoredIndex(table.schema->fields(), names.back());
  return index < 0 ? nullptr : table.schema->field(index);
}

// As if the sides of the comparison were exchanged.
std::string Mirrored(const std::string& comparison) {
  if (comparison == "COMPARE_LESSTHAN") return "COMPARE_GREATERTHAN";
  if (comparison == "COMPARE_GREATERTHAN") return "COMPARE_LESSTHAN";
  if (comparison == "COMPARE_LESSTHANOREQUALTO") return "COMPARE_GREATERTHANOREQUALTO";
  if (comparison == "COMPARE_GREATERTHANOREQUALTO") return "COMPARE_LESSTHANOREQUALTO";
  return comparison;
}

Condition Compared(const arrow::Field& field, const std::string& comparison, const json& constant) {
  const ConstantBounds bounds = BoundsOf(constant, field.type());
  if (bounds.least == nullptr) return std::nullopt;
  const bool exact = bounds.least->Equals(*bounds.most);
  ColumnRange range{.column = field.name()};
  if (comparison == "COMPARE_EQUAL") {
    range.least = bounds.least;
    range.most = bounds.most;
  } else if (comparison.starts_with("COMPARE_GREATERTHAN")) {
    range.least = bounds.least;
    range.above = exact && comparison == "COMPARE_GREATERTHAN";
  } else if (comparison.starts_with("COMPARE_LESSTHAN")) {
    range.most = bounds.most;
    range.below = exact && comparison == "COMPARE_LESSTHAN";
  } else {
    return std::nullopt;
  }
  return FilePredicate(std::move(range));
}

Condition ComparisonOf(const json& expression, const NamedTable& table) {
  const json &left = expression.at("left"), &right = expression.at("right");
  const std::string comparison = expression.at("type");
  if (const auto field = ColumnOf(left, table)) return Compared(*field, comparison, right);
  if (const auto field = ColumnOf(right, table))
    return Compared(*field, Mirrored(comparison), left);
  return std::nullopt;
}

Condition BetweenOf(const json& expression, const NamedTable& table) {
  const auto field = ColumnOf(expression.at("input"), table);
  if (field == nullptr) return std::nullopt;
  std::vector<FilePredicate> both;
  for (const auto& [comparison, bound] : {std::pair{"COMPARE_GREATERTHANOREQUALTO", "lower"},
                                          std::pair{"COMPARE_LESSTHANOREQUALTO", "upper"}}) {
    Condition side = Compared(*field, comparison, expression.at(bound));
    if (side) both.push_back(*std::move(side));
  }
  return both.empty() ? Condition() : FilePredicate::AllOf(std::move(both));
}

// IN, IS NULL, IS NOT NULL.
Condition OperatorOf(const json& expression, const NamedTable& table) {
  const json& operands = expression.at("children");
  const std::string type = expression.at("type");
  const auto field = operands.empty() ? nullptr : ColumnOf(operands[0], table);
  if (field == nullptr) return std::nullopt;
  // An outer join makes nulls of rows that it does not find, so that leaving out rows makes more.
  if (type == "OPERATOR_IS_NULL" && !table.joined) {
    return FilePredicate(ColumnRange{.column = field->name(), .is_null = true});
  }
  if (type == "OPERATOR_IS_NOT_NULL") return FilePredicate(ColumnRange{.column = field->name()});
  if (type != "COMPARE_IN") return std::nullopt;
  std::vector<FilePredicate> values;
  for (size_t i = 1; i < operands.size(); ++i) {
    Condition value = Compared(*field, "COMPARE_EQUAL", operands[i]);
    if (!value) return std::nullopt;
    values.push_back(*std::move(value));
  }
  return FilePredicate::AnyOf(std::move(values));
}

Condition ConditionOf(const json& expression, const NamedTable& table);

Condition ConjunctionOf(const json& expression, const NamedTable& table) {
  const bool all = expression.at("type") == "CONJUNCTION_AND";
  std::vector<FilePredicate> parts;
  for (const json& child : expression.at("children")) {
    Condition part = ConditionOf(child, table);
    if (!part && !all) return std::nullopt;
    if (part) parts.push_back(*std::move(part));
  }
  if (parts.empty()) return std::nullopt;
  return all ? FilePredicate::AllOf(std::move(parts)) : FilePredicate::AnyOf(std::move(parts));
}

Condition ConditionOf(const json& expression, const NamedTable& table) {
  if (IsClass(expression, "CONJUNCTION")) return ConjunctionOf(expression, table);
  if (IsClass(expression, "COMPARISON")) return ComparisonOf(expression, table);
  if (IsClass(expression, "BETWEEN")) return BetweenOf(expression, table);
  if (IsClass(expression, "OPERATOR")) return OperatorOf(expression, table);
  return std::nullopt;
}

// Collects, over one statement, how often each table is named and the conditions of those places.
class StatementWalk {
 public:
  explicit StatementWalk(const std::map<std::string, std::shared_ptr<arrow::Schema>>& tables) {
    for (const auto& [name, schema] : tables) tables_.emplace(ToLower(name), schema);
  }

  void Visit(const json& node) {
    if (node.is_object()) {
      const auto type = node.find("type");
      const std::string kind = type != node.end() && type->is_string() ? *type : "";
      if (kind == "SELECT_NODE") VisitSelect(node);
      if (kind == "BASE_TABLE") ++named_[ToLower(node.value("table_name", ""))];
      if (kind == "TABLE_FUNCTION") VisitFunction(node);
    }
    if (!node.is_structured()) return;
    for (const auto& [key, child] : node.items()) Visit(child);
  }

  // A table is read whole if it is named in a place without a condition.
  ReadConditions conditions() const {
    ReadConditions found;
    if (unknown_) return found;
    for (const auto& [name, conditions] : conditions_) {
      if (static_cast<int64_t>(conditions.size()) == named_.at(name)) {
        found.emplace(name, FilePredicate::AnyOf(conditions));
      }
    }
    return found;
  }

 private:
  void VisitSelect(const json& select) {
    const json& where = select.value("where_clause", json());
    if (!where.is_object() || !select.value("sample", json()).is_null()) return;
    std::vector<NamedTable> tables;
    FindTables(select.at("from_table"), /*joined=*/false, &tables);
    for (const NamedTable& table : tables) {
      if (Condition condition = ConditionOf(where, table)) {
        conditions_[table.name].push_back(*std::move(condition));
      }
    }
  }

  // Those of whose rows a WHERE can leave out any before the join.
  void FindTables(const json& from, bool joined, std::vector<NamedTable>* tables) const {
    const std::string type = from.value("type", "");
    if (type == "JOIN") {
      const std::string form = from.value("ref_type", ""), join = from.value("join_type", "");
      const bool plain = form == "REGULAR" || form == "CROSS";
      // An ASOF or positional join finds other rows if some are missing.
      if (!plain || (join != "INNER" && join != "LEFT" && join != "RIGHT" && join != "FULL"))
        return;
      FindTables(from.at("left"), true, tables);
      FindTables(from.at("right"), true, tables);
      return;
    }
    if (type != "BASE_TABLE" || !from.value("sample", json()).is_null()) return;
    if (!from.value("column_name_alias", json::array()).empty()) return;
    const std::string name = from.value("table_name", ""), alias = from.value("alias", "");
    const auto found = tables_.find(ToLower(name));
    if (found == tables_.end()) return;
    tables->push_back({found->first, alias.empty() ? name : alias, found->second, joined});
  }

  // Some name tables in a text.
  void VisitFunction(const json& function) {
    const std::string name =
        ToLower(function.value("function", json::object()).value("function_name", ""));
    if (name == "query" || name == "query_table" || name.starts_with("scan_")) unknown_ = true;
  }

  std::map<std::string, std::shared_ptr<arrow::Schema>> tables_;
  std::map<std::string, int64_t> named_;
  std::map<std::string, std::vector<FilePredicate>> conditions_;
  bool unknown_ = false;
};

}  // namespace

std::vector<ReadConditions> FindReadConditions(
    const std::string& parsed,
    const std::map<std::string, std::shared_ptr<arrow::Schema>>& tables) {
  const json text = ParseJson(parsed);
  if (text.is_discarded()) return {};
  try {
    std::vector<ReadConditions> found;
    if (text.value("error", true)) return found;
    for (const json& statement : text.at("statements")) {
      StatementWalk walk(tables);
      walk.Visit(statement);
      found.push_back(walk.conditions());
    }
    return found;
  } catch (const json::exception&) {
    return {};  // Another form than expected: everything is read, and the answer is the same.
  }
}

}  // namespace shopstream::sql
