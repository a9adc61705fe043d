#include "tables/table_topic.h"

#include <optional>

#include "base/json.h"
#include "tables/columns.h"
#include "tables/progress.h"

namespace shopstream::tables {
namespace {

// The name of the topic that filled the file; nothing: not known, or it may be `topic`.
std::optional<std::string> OtherTopicOf(const DataFile& file, const std::string& topic) {
  const nlohmann::json statistics = ParseJson(file.statistics);
  if (!statistics.is_object()) return std::nullopt;
  const auto bound = [&](const char* name) {
    const nlohmann::json values = statistics.value(name, nlohmann::json::object());
    const nlohmann::json value =
        values.is_object() ? values.value(kTopic, nlohmann::json()) : nlohmann::json();
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  };
  const auto low = bound("minValues"), high = bound("maxValues");
  if (!low || !high || (*low <= topic && topic <= *high)) return std::nullopt;
  return low;
}

}  // namespace

Status CheckFilledFrom(const lake::Snapshot& bronze, const std::string& table,
                       const std::string& topic, const std::string& topic_id) {
  for (const auto& [key, next] : ReadProgress(bronze.Txns())) {
    if (!topic_id.empty() && key.topic_id == topic_id) return Status::OK();
  }
  std::string other;
  bool may_be_ours = false;
  bronze.VisitFiles([&](const DataFile& file) {
    if (may_be_ours) return;
    const auto found = OtherTopicOf(file, topic);
    may_be_ours = !found.has_value();
    if (found) other = *found;
  });
  if (may_be_ours || other.empty()) return Status::OK();
  return Status::Invalid("table ", table, " holds records of topic ", other, ", not of ", topic,
                         ": set kafka.topic to ", other, ", or lake.bronze_table and ",
                         "lake.quarantine_table to other tables for ", topic);
}

}  // namespace shopstream::tables
