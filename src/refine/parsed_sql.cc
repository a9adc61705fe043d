#include "refine/parsed_sql.h"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace shopstream::refine {
namespace {

bool IsPresent(const Parsed& node, const char* name) {
  const auto found = node.find(name);
  return found != node.end() && !found->is_null();
}

void VisitPart(const Parsed& part, const std::function<void(const Parsed&)>& visit) {
  if (part.is_object()) {
    if (part.contains("class")) visit(part);
    if (part.contains("node")) return;  // A SELECT within.
  }
  if (!part.is_structured()) return;
  for (const Parsed& child : part) VisitPart(child, visit);
}

}  // namespace

Result<Parsed> OnlyNode(const std::string& parsed, const sql::SqlText& text) {
  const Parsed root = ParseOrderedJson(parsed);
  if (!root.is_object() || root.value("error", true)) {
    return Status::Invalid(text.file, ":", text.first_line, ": ",
                           root.is_object() ? root.value("error_message", "it is no SQL") : parsed);
  }
  const Parsed& statements = root.at("statements");
  if (statements.size() != 1) {
    return Status::Invalid(text.file, ":", text.first_line, ": expected one SELECT, found ",
                           statements.size(), " statements");
  }
  return statements[0].at("node");
}

int LineOf(const Parsed& node, const sql::SqlText& text) {
  const auto location = node.value("query_location", std::numeric_limits<uint64_t>::max());
  if (location > text.text.size()) return text.first_line;
  const auto begin = text.text.begin();
  return text.first_line +
         static_cast<int>(std::count(begin, begin + static_cast<int64_t>(location), '\n'));
}

std::optional<std::string> ColumnName(const Parsed& expression) {
  if (!IsClass(expression, "COLUMN_REF")) return std::nullopt;
  return expression.at("column_names").back().get<std::string>();
}

std::optional<std::string> OutputName(const Parsed& expression) {
  const std::string alias = expression.value("alias", "");
  return alias.empty() ? ColumnName(expression) : alias;
}

void VisitExpressions(const Parsed& expression, const std::function<void(const Parsed&)>& visit) {
  VisitPart(expression, visit);
}

std::optional<std::string> FurtherClause(const Parsed& select) {
  if (!select.at("cte_map").at("map").empty()) return "WITH";
  for (const Parsed& modifier : select.at("modifiers")) {
    const std::string type = modifier.at("type");
    return type.starts_with("DISTINCT") ? "DISTINCT"
           : type.starts_with("ORDER")  ? "ORDER BY"
                                        : "LIMIT";
  }
  if (IsPresent(select, "having")) return "HAVING";
  if (IsPresent(select, "qualify")) return "QUALIFY";
  if (IsPresent(select, "sample")) return "TABLESAMPLE";
  return std::nullopt;
}

}  // namespace shopstream::refine
