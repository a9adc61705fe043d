#include "tables/table_layout.h"

#include "base/json.h"
#include "tables/names.h"

namespace shopstream::tables {
namespace {

std::optional<std::string> TextAt(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<TableLayout> ParseLayout(const std::string& text) {
  const nlohmann::json json = ParseJson(text);
  if (!json.is_object() || !json.contains("partition") || !json["partition"].is_array() ||
      !json.contains("eventTime")) {
    return std::nullopt;
  }
  TableLayout layout;
  for (const nlohmann::json& one : json["partition"]) {
    const auto path = TextAt(one, "path");
    const auto column = TextAt(one, "column");
    if (!path || !column) return std::nullopt;
    layout.partition.push_back({*path, *column});
  }
  const auto path = TextAt(json["eventTime"], "path");
  if (!path) return std::nullopt;
  layout.event_time_path = *path;
  layout.event_time_unit = TextAt(json["eventTime"], "unit").value_or("");
  return layout;
}

}  // namespace

std::string Format(const TableLayout& layout) {
  nlohmann::ordered_json partition = nlohmann::ordered_json::array();
  for (const auto& one : layout.partition) {
    partition.push_back({{"path", one.path}, {"column", one.column}});
  }
  return nlohmann::ordered_json{
      {"partition", std::move(partition)},
      {"eventTime", {{"path", layout.event_time_path}, {"unit", layout.event_time_unit}}}}
      .dump();
}

Result<std::optional<TableLayout>> ReadTableLayout(const lake::Snapshot& snapshot) {
  const std::string* text = lake::FindProperty(snapshot, kLayoutProperty);
  if (text == nullptr) return std::nullopt;
  std::optional<TableLayout> layout = ParseLayout(*text);
  if (layout) return layout;
  return Status::Invalid("the table's property ", kLayoutProperty, " is not a layout: ", *text);
}

}  // namespace shopstream::tables
