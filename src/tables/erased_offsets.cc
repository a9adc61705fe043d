#include "tables/erased_offsets.h"

#include <string_view>
#include <utility>

#include "base/json.h"

namespace shopstream::tables {
namespace {

constexpr char kLastErase[] = "shopstream.erase";

std::string_view PrefixOf(Removal removal) {
  return removal == Removal::kErased ? "shopstream.erased." : "shopstream.expired.";
}

}  // namespace

Result<OffsetsByTopic> ReadRemoved(const lake::Snapshot& table, Removal removal) {
  const std::string_view prefix = PrefixOf(removal);
  OffsetsByTopic removed;
  for (const auto& [name, text] : table.properties()) {
    if (!name.starts_with(prefix)) continue;
    auto offsets = ReplayedOffsets::Parse(text);
    if (!offsets.ok()) {
      return offsets.status().WithMessage("the table's property ", name,
                                          " is damaged: ", offsets.status().message(),
                                          ". Restore it from an older version's metaData");
    }
    if (!offsets->empty()) removed[name.substr(prefix.size())] = *std::move(offsets);
  }
  return removed;
}

Result<OffsetsByTopic> ReadRemoved(const lake::Snapshot& table) {
  ARROW_ASSIGN_OR_RAISE(OffsetsByTopic removed, ReadRemoved(table, Removal::kErased));
  ARROW_ASSIGN_OR_RAISE(const OffsetsByTopic expired, ReadRemoved(table, Removal::kExpired));
  Merge(expired, &removed);
  return removed;
}

Result<std::map<std::string, std::string>> RemovedProperties(const lake::Snapshot& table,
                                                             Removal removal,
                                                             const OffsetsByTopic& more) {
  ARROW_ASSIGN_OR_RAISE(OffsetsByTopic known, ReadRemoved(table, removal));
  std::map<std::string, std::string> changed;
  for (const auto& [topic_id, offsets] : more) {
    if (offsets.Without(known[topic_id]).empty()) continue;
    known[topic_id].Merge(offsets);
    changed[std::string(PrefixOf(removal)) + topic_id] = known[topic_id].Format();
  }
  return changed;
}

Result<LastErase> ReadLastErase(const lake::Snapshot& bronze) {
  LastErase last;
  const std::string* text = lake::FindProperty(bronze, kLastErase);
  if (text == nullptr) return last;
  try {
    const nlohmann::json json = ParseJsonOrThrow(*text);
    last.task = json.at("task").get<int64_t>();
    last.at_ms = json.at("at").get<int64_t>();
    for (const nlohmann::json& date : json.at("dates")) {
      last.dates.insert(date.is_null() ? std::nullopt : std::optional(date.get<int32_t>()));
    }
    return last;
  } catch (const nlohmann::json::exception& error) {
    return Status::Invalid("property ", kLastErase, " is damaged: ", error.what());
  }
}

std::map<std::string, std::string> LastEraseProperty(const LastErase& last) {
  nlohmann::json dates = nlohmann::json::array();
  for (const auto& date : last.dates) dates.push_back(date ? nlohmann::json(*date) : nullptr);
  return {{kLastErase,
           DumpJson(nlohmann::json{{"task", last.task}, {"at", last.at_ms}, {"dates", dates}})}};
}

bool Contains(const OffsetsByTopic& offsets, const std::string& topic_id, int32_t partition,
              int64_t offset) {
  const auto found = offsets.find(topic_id);
  return found != offsets.end() && found->second.Contains(partition, offset);
}

void Merge(const OffsetsByTopic& more, OffsetsByTopic* offsets) {
  for (const auto& [topic_id, some] : more) (*offsets)[topic_id].Merge(some);
}

int64_t Count(const OffsetsByTopic& offsets) {
  int64_t count = 0;
  for (const auto& [topic_id, some] : offsets) count += some.size();
  return count;
}

}  // namespace shopstream::tables
