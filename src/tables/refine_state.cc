#include "tables/refine_state.h"

#include <string_view>
#include <utility>

#include "base/number.h"

namespace shopstream::tables {
namespace {

constexpr std::string_view kRefineApp = "shopstream-refine";
constexpr std::string_view kRefinePrefix = "shopstream-refine/";
constexpr std::string_view kBronzeVersion = "bronze-version";
constexpr std::string_view kBronzeSeen = "bronze-seen";
constexpr std::string_view kBronzeSeenDigest = "bronze-seen-digest";
constexpr std::string_view kCompleteThrough = "complete-through";
constexpr std::string_view kAuthor = "author";
constexpr std::string_view kTask = "task";
constexpr std::string_view kReplayedPrefix = "shopstream.refine.replayed.";

std::string RefineAppId(std::string_view name) { return std::string(kRefinePrefix).append(name); }

// `name`: "<topic id>/<partition>".
std::optional<ProgressKey> ParsePartition(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const std::optional<int32_t> partition = ParseWhole<int32_t>(name.substr(slash + 1));
  if (!partition || *partition < 0) return std::nullopt;
  return ProgressKey{.topic_id = std::string(name.substr(0, slash)), .partition = *partition};
}

}  // namespace

std::optional<int64_t> RefinePass(const lake::Snapshot& table) {
  return table.Txn(std::string(kRefineApp));
}

std::optional<int64_t> RefinePass(const lake::LogEntry& entry) {
  std::optional<int64_t> pass;
  for (const lake::Txn& txn : entry.txns) {
    if (txn.app_id == kRefineApp) pass = txn.version;
  }
  return pass;
}

Result<RefineStanding> ReadRefineStanding(const lake::Snapshot& table) {
  RefineStanding standing;
  standing.pass = RefinePass(table);
  standing.bronze_version = table.Txn(RefineAppId(kBronzeVersion));
  const auto seen = table.Txn(RefineAppId(kBronzeSeen));
  const auto digest = table.Txn(RefineAppId(kBronzeSeenDigest));
  if (seen && digest) standing.bronze_seen = {.version = *seen, .digest = *digest};
  standing.complete_through_ms = table.Txn(RefineAppId(kCompleteThrough));
  standing.author = table.Txn(RefineAppId(kAuthor));
  standing.task = RefineTaskPass(table);
  for (const auto& [app_id, version] : table.Txns()) {
    if (!app_id.starts_with(kRefinePrefix)) continue;
    const auto key = ParsePartition(std::string_view(app_id).substr(kRefinePrefix.size()));
    if (key) standing.ends[*key] = version;
  }
  for (const auto& [name, text] : table.properties()) {
    if (!name.starts_with(kReplayedPrefix)) continue;
    auto offsets = ReplayedOffsets::Parse(text);
    if (!offsets.ok()) {
      return Status::Invalid("the table's property ", name,
                             " is damaged: ", offsets.status().message());
    }
    standing.replayed[name.substr(kReplayedPrefix.size())] = *std::move(offsets);
  }
  return standing;
}

int64_t RefineTaskPass(const lake::Snapshot& table) {
  return table.Txn(RefineAppId(kTask)).value_or(0);
}

std::pair<std::string, int64_t> RefineTaskTxn(int64_t pass) { return {RefineAppId(kTask), pass}; }

std::map<std::string, int64_t> RefineTxns(const RefineStanding& standing) {
  std::map<std::string, int64_t> txns;
  const auto put = [&txns](std::string app_id, std::optional<int64_t> version) {
    if (version) txns[std::move(app_id)] = *version;
  };
  put(std::string(kRefineApp), standing.pass);
  put(RefineAppId(kBronzeVersion), standing.bronze_version);
  if (standing.bronze_seen) {
    put(RefineAppId(kBronzeSeen), standing.bronze_seen->version);
    put(RefineAppId(kBronzeSeenDigest), standing.bronze_seen->digest);
  }
  put(RefineAppId(kCompleteThrough), standing.complete_through_ms);
  put(RefineAppId(kAuthor), standing.author);
  if (standing.task > 0) txns.insert(RefineTaskTxn(standing.task));
  for (const auto& [key, end] : standing.ends) {
    put(RefineAppId(key.topic_id + "/" + std::to_string(key.partition)), end);
  }
  return txns;
}

std::map<std::string, std::string> RefineProperties(const RefineStanding& standing,
                                                    const lake::Snapshot& table) {
  std::map<std::string, std::string> changed;
  for (const auto& [topic_id, offsets] : standing.replayed) {
    if (offsets.empty()) continue;
    std::string name = std::string(kReplayedPrefix) + topic_id;
    std::string text = offsets.Format();
    const std::string* stored = lake::FindProperty(table, name);
    if (stored == nullptr || *stored != text) changed[std::move(name)] = std::move(text);
  }
  return changed;
}

}  // namespace shopstream::tables
