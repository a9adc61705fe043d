#include "ingest/partition_tuples.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "lake/parquet/partition_path.h"

namespace shopstream::ingest {
namespace {

constexpr std::string_view kNullText = "__HIVE_DEFAULT_PARTITION__";
constexpr char kReadAsNull[] =
    "\"__HIVE_DEFAULT_PARTITION__\" is the name of the null partition: Delta readers read it as "
    "null";
// Comparing this many short texts is faster than hashing one.
constexpr size_t kComparedValues = 8;
// S3 allows 1,024 bytes for a key, which also has the table's path and the file's name.
constexpr size_t kLongestFolder = 800;

// A key that no other tuple has.
void AppendKey(std::string_view text, std::string* key) {
  *key += std::to_string(text.size());
  *key += ':';
  *key += text;
}

std::string KeyOf(const PartitionTuple& tuple) {
  if (tuple.size() == 1) return tuple.front();
  std::string key;
  for (const std::string& text : tuple) AppendKey(text, &key);
  return key;
}

// Quotes external text, printable and short enough for a message.
std::string Quote(std::string_view text) {
  constexpr size_t kShown = 40;
  std::string quoted = DumpJson(nlohmann::json(std::string(text.substr(0, kShown))));
  return text.size() > kShown ? quoted + "..." : quoted;
}

std::string Quote(const PartitionTuple& tuple) {
  if (tuple.size() == 1) return Quote(std::string_view(tuple.front()));
  std::string quoted;
  for (const std::string& text : tuple) {
    if (!quoted.empty()) quoted += ", ";
    quoted += text.empty() ? "null" : Quote(std::string_view(text));
  }
  return quoted;
}

// Why readers that take partition values from folder names, as Polars does, or from the log would
// get another value; nothing if they get this one.
std::optional<std::string> WhyMisread(const BronzeLayout& layout, const PartitionTuple& tuple) {
  PartitionValues all;
  for (size_t i = 0; i < tuple.size(); ++i) {
    const std::string& column = layout.partition[i].column;
    const std::string& text = tuple[i];
    if (text.empty()) continue;
    if (text == kNullText) return kReadAsNull;
    const std::string folder = lake::PartitionFolder({{column, text}});
    // The folder name of a longer value is cut.
    if (lake::DecodeLogPath(folder) != column + "=" + text) {
      return Quote(std::string_view(text)) + " has " + std::to_string(text.size()) +
             " bytes, too many for a folder name, from which some readers take the value";
    }
    all.emplace_back(column, text);
  }
  const size_t size = lake::PartitionFolder(all).size();
  if (size <= kLongestFolder) return std::nullopt;
  return Quote(tuple) + " would have a path of " + std::to_string(size) + " bytes; at most " +
         std::to_string(kLongestFolder) + " are possible";
}

}  // namespace

void PartitionTuples::Clear(const BronzeLayout& layout) {
  tuples_.clear();
  keys_.clear();
  index_.clear();
  counted_ = 0;
  for (const std::string& value : layout.options.partition_values) Add({value});
}

void PartitionTuples::Admit(const std::vector<PartitionTuple>& tuples) {
  for (const PartitionTuple& tuple : tuples) {
    if (!index_.contains(KeyOf(tuple))) Add(tuple);
  }
}

std::variant<int, std::string> PartitionTuples::Find(const BronzeLayout& layout,
                                                     const avro::Columns& columns, int64_t row) {
  if (layout.partition.size() == 1) return FindOne(layout, columns, row);
  found_.clear();
  key_.clear();
  for (const PartitionField& field : layout.partition) {
    AppendKey(found_.emplace_back(PartitionText(field, columns, row).value_or("")), &key_);
  }
  const int index = IndexOf(key_);
  return index != kNew ? index : Judge(layout);
}

// The usual layout: a text is compared where it is, without a copy.
std::variant<int, std::string> PartitionTuples::FindOne(const BronzeLayout& layout,
                                                        const avro::Columns& columns, int64_t row) {
  const PartitionField& field = layout.partition.front();
  const bool null = columns.IsNullAt(field.place, row);
  std::string_view text;
  if (!null && field.is_text()) {
    text = columns.StringAt(field.place, row);
  } else if (!null) {
    key_ = *PartitionText(field, columns, row);
    text = key_;
  }
  if (text == kNullText) [[unlikely]] {
    return kReadAsNull;
  }
  const int index = IndexOf(text);
  if (index != kNew) return index;
  if (null && !layout.any_partition_value()) return "the partition field is null";
  found_.assign(1, std::string(text));
  return Judge(layout);
}

int PartitionTuples::IndexOf(std::string_view key) const {
  const size_t first = std::min(keys_.size(), kComparedValues);
  for (size_t i = 0; i < first; ++i) {
    if (keys_[i] == key) return static_cast<int>(i);
  }
  const auto found = index_.find(key);
  return found == index_.end() ? kNew : found->second;
}

// Whether the values found may be added.
std::variant<int, std::string> PartitionTuples::Judge(const BronzeLayout& layout) const {
  if (!layout.any_partition_value()) return Quote(found_) + " is not one of the allowed values";
  if (std::optional<std::string> misread = WhyMisread(layout, found_)) return *std::move(misread);
  if (IsNull(found_)) return kNew;  // Not counted towards the bound.
  if (counted_ >= layout.options.max_partition_values) {
    return Quote(found_) + " is a new value, and the table already has " +
           std::to_string(counted_) + "; raise ingest.max_partition_values to admit it";
  }
  return kNew;
}

int PartitionTuples::AddFound() { return Add(found_); }

int PartitionTuples::Add(PartitionTuple tuple) {
  const int index = static_cast<int>(tuples_.size());
  if (!IsNull(tuple)) ++counted_;
  keys_.push_back(KeyOf(tuple));
  index_.emplace(keys_.back(), index);
  tuples_.push_back(std::move(tuple));
  return index;
}

}  // namespace shopstream::ingest
