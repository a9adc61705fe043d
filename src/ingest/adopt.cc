#include "ingest/adopt.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "ingest/mirror_search.h"
#include "ingest/side_layout.h"
#include "model/calendar.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

using SeamVerdict = SeamFinder::Verdict;

// What one commit adopts.
struct AdoptionPlan {
  std::string topic, topic_id, earlier;
  struct Partition {
    tables::Adoption adoption;
    tables::Position position;           // In the mirror.
    tables::PartitionState earlier_was;  // When the seam was sought.
    Seam seam;
  };
  std::map<int32_t, Partition> partitions;
  std::vector<int32_t> stops;  // Partitions of the earlier topic.
};

// The lake may gain rows during a search; then the next one compares these, too.
constexpr int kMostSearches = 5;

std::vector<int32_t> PartitionsOf(const tables::Txns& txns, const std::string& topic_id) {
  std::vector<int32_t> partitions;
  for (const auto& [key, next] : tables::ReadProgress(txns)) {
    if (key.topic_id == topic_id) partitions.push_back(key.partition);
  }
  return partitions;
}

// A table's progress in one topic, by partition.
std::map<int32_t, int64_t> NextOf(const tables::Txns& txns, const std::string& topic_id) {
  std::map<int32_t, int64_t> by_partition;
  for (const auto& [key, next] : tables::ReadProgress(txns)) {
    if (key.topic_id == topic_id) by_partition[key.partition] = next;
  }
  return by_partition;
}

// The topics that the lake reads, without those that another one continues.
std::set<std::string> CurrentTopics(const tables::Txns& txns) {
  std::set<std::string> topics, continued;
  for (const auto& [key, next] : tables::ReadProgress(txns)) {
    topics.insert(key.topic_id);
    const auto adoption = tables::ReadAdoption(txns, key.topic_id, key.partition);
    if (adoption) continued.insert(adoption->earlier_topic_id);
  }
  for (const std::string& topic : continued) topics.erase(topic);
  return topics;
}

Result<std::string> EarlierTopic(const tables::Txns& txns, const std::string& mirror,
                                 const std::string& wanted) {
  std::set<std::string> topics = CurrentTopics(txns);
  topics.erase(mirror);
  if (!wanted.empty()) {
    if (topics.contains(wanted)) return wanted;
    return Status::Invalid("--earlier-topic-id ", wanted,
                           ": the lake does not read a topic with this id");
  }
  if (topics.size() == 1) return *topics.begin();
  if (topics.empty()) {
    return Status::Invalid(
        "the lake has read no other topic: there is nothing to adopt. Run "
        "`shopstream ingest` without --adopt");
  }
  std::string found;
  for (const std::string& topic : topics) {
    int64_t newest = kNoTimestamp;
    for (const int32_t partition : PartitionsOf(txns, topic)) {
      const auto state = tables::ReadPartitionState(txns, topic, partition);
      if (state.position.last) newest = std::max(newest, state.position.last->timestamp_ms);
    }
    found += fmt::format("\n  {}, last record sent {}", topic,
                         IsKnownMillis(newest) ? FormatTimestamp(newest) : "at an unknown time");
  }
  return Status::Invalid(
      "the lake has read several topics: name the one that is mirrored with "
      "--earlier-topic-id",
      found);
}

// Nothing: none of it is in the lake.
Result<std::optional<AdoptReport>> AdoptedBefore(const tables::Txns& txns,
                                                 const kafka::TopicState& mirror) {
  AdoptReport report;
  report.topic_id = mirror.id;
  report.already = true;
  std::vector<int32_t> others;
  for (const int32_t partition : PartitionsOf(txns, mirror.id)) {
    auto adoption = tables::ReadAdoption(txns, mirror.id, partition);
    if (!adoption) {
      others.push_back(partition);
      continue;
    }
    report.earlier_topic_id = adoption->earlier_topic_id;
    report.partitions.push_back({.partition = partition, .adoption = *std::move(adoption)});
  }
  if (!report.partitions.empty()) return report;
  if (others.empty()) return std::nullopt;
  return Status::Invalid(
      "the lake has read partition ", others.front(), " of topic ", mirror.name, " (id ", mirror.id,
      ") already, as a topic of its own: it can no longer be adopted. If it was read by mistake, "
      "restore a backup from before (docs/failover.md)");
}

// What was compared, for the operator.
std::string Compared(const MirrorFinding& finding) {
  const std::string rows =
      finding.rows == 0
          ? "no row of the lake"
          : fmt::format("{} rows of the lake (offsets {} to {} of the earlier topic{})",
                        FormatCount(finding.rows), finding.first_row, finding.last_row,
                        finding.complete ? ", all that it has" : "");
  return finding.read.empty() ? rows + " were looked for, but every record in the mirror is older"
                              : fmt::format("{} were compared with the mirror's offsets {} to {}",
                                            rows, finding.read.begin, finding.read.end - 1);
}

// Why the partition cannot be adopted; empty: it can.
std::string WhyNot(const MirrorFinding& finding, const AdoptOptions& options) {
  switch (finding.verdict) {
    case SeamVerdict::kFound:
      return "";
    case SeamVerdict::kAhead:
      if (options.mirror_ended) return "";
      return fmt::format(
          "the mirror does not have the lake's last {} rows yet. While mirroring runs, wait "
          "until it has caught up, and try again. If it has ended, because the earlier cluster is "
          "lost, add --mirror-ended: these rows stay in the lake",
          FormatCount(finding.seam.ahead));
    case SeamVerdict::kNoneFound:
      if (options.mirror_ended && finding.complete) return "";
      return "the mirror has none of these rows. Is it the mirror of the lake's topic, and does it "
             "keep key, value and timestamp (message.timestamp.type=CreateTime)? If mirroring has "
             "ended before it copied any, add --mirror-ended";
    case SeamVerdict::kNoAnchor:
      return fmt::format(
          "no run of {} consecutive rows was found in the mirror before its first new record. "
          "Check "
          "that it is the mirror of the lake's topic, with key, value and timestamp as they were "
          "(message.timestamp.type=CreateTime), and that the registry has the schemas under their "
          "earlier ids (`shopstream backup restore PLACE --part registry`)",
          SeamFinder::kAnchorRows);
    case SeamVerdict::kTooMany:
      return fmt::format(
          "more than {} copies follow records that are new: producers wrote to the mirror long "
          "before mirroring was done",
          FormatCount(SeamFinder::kMostCopies));
    case SeamVerdict::kErased:
      return "rows were erased from the lake where new records and copies mix, so that it is "
             "unknown which of the mirror's records they are";
  }
  return "";
}

tables::Position PositionAt(const Seam& seam) {
  tables::Position position{
      .last = std::nullopt,
      .end_epoch = -1,
      .empty = tables::EmptyOffsets{.from = seam.below, .to = seam.below, .count = 0, .sum = 0}};
  if (!seam.last) return position;
  position.last = tables::LastRecord{.offset = seam.last->offset,
                                     .leader_epoch = seam.last->leader_epoch,
                                     .timestamp_ms = seam.last->timestamp_ms,
                                     .hash = seam.last->content.record};
  if (seam.below == seam.last->offset + 1) position.end_epoch = seam.last->leader_epoch;
  return position;
}

lake::Refusal StillRead(int32_t partition) {
  return {.why = fmt::format("partition {} of the earlier topic is still read", partition)};
}

lake::ChangesOrRefusal PrepareAdoption(const lake::Snapshot& bronze, const AdoptionPlan& plan) {
  lake::Changes changes;
  changes.operation = "ADOPT MIRROR";
  if (!PartitionsOf(bronze.Txns(), plan.topic_id).empty()) {
    return lake::Refusal{.why = "the lake reads the mirror already"};
  }
  for (const int32_t partition : PartitionsOf(bronze.Txns(), plan.earlier)) {
    if (!plan.partitions.contains(partition)) return StillRead(partition);
  }
  nlohmann::json partitions = nlohmann::json::array();
  for (const auto& [partition, planned] : plan.partitions) {
    const auto now = tables::ReadPartitionState(bronze.Txns(), plan.earlier, partition);
    if (now.next != planned.earlier_was.next || now.position != planned.earlier_was.position) {
      return StillRead(partition);
    }
    const tables::Adoption& adoption = planned.adoption;
    changes.txns[tables::ProgressAppId(plan.topic_id, partition)] = adoption.below;
    tables::Put(plan.topic_id, partition, planned.position, &changes.txns);
    tables::Put(plan.topic_id, partition, adoption, &changes.txns);
    partitions.push_back({{"partition", partition},
                          {"below", adoption.below},
                          {"earlierEnd", adoption.earlier_end},
                          {"copies", adoption.copies.size()}});
  }
  for (const int32_t partition : plan.stops) {
    tables::Put(plan.earlier, partition,
                tables::Stop{.reason = tables::StopReason::kAdopted, .at_ms = WallClockMillis()},
                &changes.txns);
  }
  changes.info = nlohmann::json{{"kafkaTopic", plan.topic},
                                {"kafkaTopicId", plan.topic_id},
                                {"earlierTopicId", plan.earlier},
                                {"adopted", std::move(partitions)}};
  return changes;
}

AdoptReport ReportOf(const AdoptionPlan& plan) {
  AdoptReport report;
  report.topic_id = plan.topic_id;
  report.earlier_topic_id = plan.earlier;
  for (const auto& [partition, planned] : plan.partitions) {
    report.partitions.push_back({.partition = partition,
                                 .adoption = planned.adoption,
                                 .compared = planned.seam.compared,
                                 .ahead = planned.seam.ahead,
                                 .absent = planned.seam.absent});
  }
  return report;
}

class MirrorAdoption {
 public:
  MirrorAdoption(const OpenLake& lake, const AdoptSources& sources, std::string topic,
                 const AdoptOptions& options)
      : lake_(lake),
        sources_(sources),
        topic_(std::move(topic)),
        options_(options),
        search_(lake, sources, options) {}

  Result<AdoptReport> Run() {
    lake::CommitResult last;
    for (int search = 0; search < kMostSearches; ++search) {
      if (options_.stop()) return Status::Cancelled("stopped; nothing was changed");
      ARROW_ASSIGN_OR_RAISE(const auto mirror, sources_.topics->DescribeTopic(topic_, false));
      if (!mirror) return Status::KeyError("topic ", topic_, " does not exist");
      ARROW_ASSIGN_OR_RAISE(const LakeVersion version, Refresh());
      const tables::Txns& txns = version.bronze.second->Txns();
      ARROW_ASSIGN_OR_RAISE(const auto before, AdoptedBefore(txns, *mirror));
      if (before) return *before;
      ARROW_ASSIGN_OR_RAISE(const std::string earlier,
                            EarlierTopic(txns, mirror->id, options_.earlier_topic_id));
      ARROW_ASSIGN_OR_RAISE(const AdoptionPlan plan, Plan(version, *mirror, earlier));
      ARROW_ASSIGN_OR_RAISE(
          last, lake_.bronze->Commit(
                    [&](const lake::Snapshot& bronze) { return Prepare(bronze, version, plan); },
                    BootClock::now() + options_.patience));
      if (last.outcome == lake::CommitOutcome::kCommitted) return ReportOf(plan);
      if (last.outcome == lake::CommitOutcome::kUnknown) {
        return Unavailable("it is unknown whether topic ", topic_, " was adopted: ", last.detail,
                           ". Run the command again");
      }
    }
    const std::string why = "topic " + topic_ +
                            " was not adopted, and nothing was changed, after " +
                            std::to_string(kMostSearches) + " searches: " + last.detail;
    if (last.refusal) return Status::Invalid(why, ". Stop every ingest of the earlier topic");
    return Unavailable(why, ". Run the command again");
  }

 private:
  // An ingest commits to quarantine and side tables before Bronze, so that these are read once more
  // for each attempt. If they do not answer, nothing is committed.
  Result<lake::ChangesOrRefusal> Prepare(const lake::Snapshot& bronze, const LakeVersion& compared,
                                         const AdoptionPlan& plan) {
    lake::ChangesOrRefusal decided = PrepareAdoption(bronze, plan);
    if (std::holds_alternative<lake::Refusal>(decided)) return decided;
    ARROW_RETURN_NOT_OK(lake_.sides->OpenAnnounced(bronze));
    std::vector<lake::Table*> others = lake_.sides->Open();
    others.push_back(lake_.quarantine.get());
    for (lake::Table* table : others) {
      ARROW_ASSIGN_OR_RAISE(const auto now, table->Refresh());
      if (NextOf(now->Txns(), plan.earlier) != NextOf(FindTable(compared, table), plan.earlier)) {
        return lake::Refusal{.why = "the earlier topic is still read: " + table->path() +
                                    " has changed"};
      }
    }
    return decided;
  }

  // Empty: the table did not exist.
  static tables::Txns FindTable(const LakeVersion& version, const lake::Table* table) {
    if (table == version.quarantine.first) return version.quarantine.second->Txns();
    for (const auto& [side, snapshot] : version.sides) {
      if (side == table) return snapshot->Txns();
    }
    return {};
  }

  // Bronze first, as in FindStartPositions.
  Result<LakeVersion> Refresh() {
    LakeVersion version;
    ARROW_ASSIGN_OR_RAISE(auto bronze, lake_.bronze->Refresh());
    ARROW_ASSIGN_OR_RAISE(auto quarantine, lake_.quarantine->Refresh());
    ARROW_RETURN_NOT_OK(lake_.sides->OpenAnnounced(*bronze));
    version.hasher.AddTable(*lake_.layout);
    for (lake::Table* side : lake_.sides->Open()) {
      ARROW_ASSIGN_OR_RAISE(auto snapshot, side->Refresh());
      ARROW_ASSIGN_OR_RAISE(const auto layout,
                            StoredSideLayout(lake_.sides->options(), side->path(), *snapshot));
      version.hasher.AddTable(*layout);
      version.sides.emplace_back(side, std::move(snapshot));
    }
    version.bronze = {lake_.bronze.get(), std::move(bronze)};
    version.quarantine = {lake_.quarantine.get(), std::move(quarantine)};
    return version;
  }

  // Invalid: names every partition that cannot be adopted.
  Result<AdoptionPlan> Plan(const LakeVersion& version, const kafka::TopicState& mirror,
                            const std::string& earlier) {
    const tables::Txns& txns = version.bronze.second->Txns();
    AdoptionPlan plan;
    plan.topic = topic_;
    plan.topic_id = mirror.id;
    plan.earlier = earlier;
    plan.stops = PartitionsOf(txns, earlier);
    std::string refused;
    std::vector<int32_t> partitions;
    for (const int32_t partition : plan.stops) {
      if (partition < std::ssize(mirror.partitions)) {
        partitions.push_back(partition);
      } else {
        refused += fmt::format("\n  partition {}: the lake has read it, and the mirror lacks it.",
                               partition);
      }
    }
    const auto spans = sources_.topics->OffsetSpans(topic_, partitions);
    for (size_t i = 0; i < partitions.size(); ++i) {
      const int32_t partition = partitions[i];
      ARROW_RETURN_NOT_OK(spans[i].status());
      ARROW_ASSIGN_OR_RAISE(const MirrorFinding finding,
                            search_.Search(version, earlier, partition, *spans[i]));
      const std::string why = WhyNot(finding, options_);
      if (!why.empty()) {
        refused += fmt::format("\n  partition {}: {}; {}.", partition, Compared(finding), why);
        continue;
      }
      const auto state = tables::ReadPartitionState(txns, earlier, partition);
      plan.partitions[partition] = {.adoption = {.earlier_topic_id = earlier,
                                                 .below = finding.seam.below,
                                                 .earlier_end = state.next.value_or(0),
                                                 .copies = finding.seam.copies},
                                    .position = PositionAt(finding.seam),
                                    .earlier_was = state,
                                    .seam = finding.seam};
    }
    if (refused.empty()) return plan;
    return Status::Invalid("topic ", topic_, " (id ", mirror.id,
                           ") was not adopted, and nothing was changed:", refused);
  }

  const OpenLake& lake_;
  const AdoptSources& sources_;
  const std::string topic_;
  const AdoptOptions& options_;
  MirrorSearch search_;
};

}  // namespace

Result<AdoptReport> AdoptMirror(const OpenLake& lake, const AdoptSources& sources,
                                const std::string& topic, const AdoptOptions& options) {
  return MirrorAdoption(lake, sources, topic, options).Run();
}

}  // namespace shopstream::ingest
