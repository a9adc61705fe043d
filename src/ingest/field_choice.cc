#include "ingest/field_choice.h"

#include <arrow/type.h>

#include <algorithm>
#include <string>

#include "base/join.h"
#include "base/nearest_name.h"

namespace shopstream::ingest {
namespace {

constexpr size_t kShownCandidates = 8;

std::string Advice(const FieldSetting& setting) {
  std::string text;
  if (!setting.candidates.empty()) {
    const size_t shown = std::min(setting.candidates.size(), kShownCandidates);
    const std::vector<std::string> first(setting.candidates.begin(),
                                         setting.candidates.begin() + static_cast<int64_t>(shown));
    text = " Candidates: " + Joined(first, "; ");
    if (shown < setting.candidates.size()) {
      text += "; and " + std::to_string(setting.candidates.size() - shown) + " more";
    }
    text += ".";
  }
  return text + " " + setting.otherwise;
}

// The list or map that a path leads into, or null.
const avro::ColumnPath* CollectionAround(const std::vector<avro::ColumnPath>& columns,
                                         const std::string& path) {
  const auto found = std::ranges::find_if(columns, [&](const avro::ColumnPath& column) {
    const auto type = column.type->id();
    return (type == arrow::Type::LIST || type == arrow::Type::MAP) &&
           path.starts_with(column.path + ".");
  });
  return found == columns.end() ? nullptr : &*found;
}

// "an array", "a long".
std::string WithArticle(const std::string& type) {
  const bool vowel = type.find_first_of("aeiou") == 0 && !type.starts_with("union");
  return (vowel ? "an " : "a ") + type;
}

}  // namespace

Result<const avro::ColumnPath*> FindField(const std::vector<avro::ColumnPath>& columns,
                                          const std::string& path, const FieldSetting& setting) {
  const auto found = std::ranges::find(columns, path, &avro::ColumnPath::path);
  if (found != columns.end()) return &*found;
  if (const auto* collection = CollectionAround(columns, path)) {
    return Status::Invalid("\"", collection->path,
                           "\" can have several items, so a record does not have a single \"", path,
                           "\" (", setting.key, ").", Advice(setting));
  }
  std::vector<std::string> paths;
  for (const avro::ColumnPath& column : columns) paths.push_back(column.path);
  const std::string near = NearestName(path, paths);
  return Status::Invalid("The event schema has no field \"", path, "\" (", setting.key, ").",
                         near.empty() ? "" : " Did you mean \"" + near + "\"?", Advice(setting));
}

Status RefuseField(const avro::ColumnPath& column, const std::string& reason,
                   const FieldSetting& setting) {
  return Status::Invalid("\"", column.path, "\" is ", WithArticle(DescribeType(column)), ", ",
                         reason, " (", setting.key, ").", Advice(setting));
}

std::string DescribeType(const avro::ColumnPath& column) {
  return column.node == nullptr ? "null" : avro::Describe(*column.node);
}

}  // namespace shopstream::ingest
