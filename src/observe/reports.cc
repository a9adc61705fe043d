#include "base/format.h"
#include "base/json.h"
#include "base/json_or_null.h"
#include "model/calendar.h"
#include "observe/audit.h"
#include "observe/progress.h"
#include "observe/quarantine.h"

// The reports of this folder as JSON.
namespace shopstream::observe {
namespace {

using nlohmann::ordered_json;

ordered_json OptionalHex(const std::optional<std::string>& bytes) {
  return bytes ? ordered_json(FormatHex(*bytes)) : ordered_json(nullptr);
}

ordered_json ToJson(const std::optional<tables::Adoption>& adoption,
                    const CoveredRecords& covered) {
  if (!adoption) return nullptr;
  return {{"earlier_topic_id", adoption->earlier_topic_id},
          {"below", adoption->below},
          {"earlier_end", adoption->earlier_end},
          {"copies", adoption->copies.size()},
          {"records_below", covered.records},
          {"compared_by_time", covered.compared},
          {"missing_but_erased", covered.erased ? covered.missing : 0}};
}

ordered_json ToJson(const PartitionAudit& p) {
  return {{"topic_id", p.topic_id},
          {"partition", p.partition},
          {"log_start", OrNull(p.log_start)},
          {"txn", OrNull(p.txn)},
          {"end", OrNull(p.end)},
          {"bronze_rows", p.bronze_rows},
          {"quarantined_rows", p.quarantined_rows},
          {"replayed_rows", p.replayed_rows},
          {"erased_rows", p.erased_rows},
          {"gaps", p.gaps},
          {"doubles", p.doubles},
          {"others", p.others},
          {"lag", p.end ? ordered_json(p.lag) : ordered_json(nullptr)},
          {"adopted", ToJson(p.adoption, p.covered)}};
}

std::string TimeOf(int64_t sent_ms) {
  return IsKnownMillis(sent_ms) ? FormatTimestamp(sent_ms) : "unknown";
}

// Both ends are inclusive; an empty range has none.
ordered_json ToJson(const OffsetRange& range) {
  if (range.empty()) return {{"first_offset", nullptr}, {"last_offset", nullptr}};
  return {{"first_offset", range.begin}, {"last_offset", range.end - 1}};
}

ordered_json ToJson(const PartitionReport& p) {
  ordered_json lost = ordered_json::array();
  for (const OffsetRange& range : p.state.lost) lost.push_back(ToJson(range));
  ordered_json out = {
      {"partition", p.partition},
      {"txn", OrNull(p.state.next)},
      {"log_start", p.kafka ? ordered_json(p.kafka->log_start) : ordered_json(nullptr)},
      {"end", p.kafka ? ordered_json(p.kafka->end) : ordered_json(nullptr)},
      {"stopped", p.state.stopped()},
      {"reason", p.state.stopped() ? ordered_json(Name(p.state.stop.reason)) : nullptr},
      {"since", p.state.stopped() ? ordered_json(FormatTimestamp(p.state.stop.at_ms)) : nullptr},
      {"would_lose", p.would_lose ? ToJson(*p.would_lose) : ordered_json(nullptr)},
      {"lost", std::move(lost)}};
  if (!p.unknown.empty()) out["unknown"] = p.unknown;
  if (const auto& last = p.state.position.last) {
    out["last_record"] = {{"offset", last->offset},
                          {"leader_epoch", last->leader_epoch},
                          {"sent", TimeOf(last->timestamp_ms)}};
  }
  if (const auto& empty = p.state.position.empty) {
    out["without_record"] = {{"from", empty->from}, {"offsets", empty->count}};
  }
  if (p.would_lose) {
    out["records_to_lose"] = p.records_to_lose.count;
    out["first_sent"] = TimeOf(p.records_to_lose.first_ms);
    out["last_sent"] = TimeOf(p.records_to_lose.last_ms);
  }
  return out;
}

// Offsets as people write them: both ends are inclusive.
ordered_json ToJson(const AuditFinding& found) {
  const OffsetRange& range = found.finding.range;
  return {{"topic_id", found.topic_id},
          {"partition", range.partition},
          {"first_offset", range.begin},
          {"last_offset", range.end - 1},
          {"difference", Name(found.finding.difference)},
          {"meaning", Meaning(found.finding.difference)}};
}

}  // namespace

ordered_json ToJson(const AuditReport& report) {
  ordered_json partitions = ordered_json::array();
  for (const PartitionAudit& p : report.partitions) partitions.push_back(ToJson(p));
  ordered_json differences = ordered_json::array();
  for (const AuditFinding& found : report.findings) differences.push_back(ToJson(found));
  ordered_json not_compared = ordered_json::array();
  for (const auto& [partition, why] : report.not_compared) {
    not_compared.push_back({{"partition", partition}, {"why", why}});
  }
  return {{"topic", report.topic},
          {"topic_id", report.topic_id},
          {"bronze_version", report.bronze_version},
          {"clean", report.clean()},
          {"kafka_records", report.kafka_records},
          {"contents_compared", report.contents_compared},
          {"rows_without_coordinates", report.rows_without_coordinates},
          {"not_compared", std::move(not_compared)},
          {"partitions", std::move(partitions)},
          {"differences", std::move(differences)},
          {"differences_left_out", report.findings_left_out}};
}

ordered_json ToJson(const ProgressReport& report) {
  ordered_json partitions = ordered_json::array();
  for (const PartitionReport& p : report.partitions) partitions.push_back(ToJson(p));
  return {{"topic", report.topic},
          {"topic_id", report.topic_id},
          {"stopped", report.any_stopped()},
          {"partitions", std::move(partitions)}};
}

std::string SentAt(const QuarantinedRow& row) {
  return row.timestamp_us ? FormatTimestamp(*row.timestamp_us / 1000) : "unknown";
}

ordered_json ToJson(const QuarantineListing& listing) {
  ordered_json rows = ordered_json::array();
  for (const QuarantinedRow& row : listing.newest) {
    rows.push_back({{"time", SentAt(row)},
                    {"partition", row.partition},
                    {"offset", row.offset},
                    {"cause", row.cause},
                    {"detail", row.detail},
                    {"bytes", row.value ? ordered_json(row.value->size()) : ordered_json()}});
  }
  ordered_json by_cause = ordered_json::array();
  for (const auto& [cause, count] : listing.by_cause) {
    by_cause.push_back({{"cause", cause}, {"rows", count}});
  }
  return {
      {"rows", std::move(rows)}, {"matching", listing.matching}, {"by_cause", std::move(by_cause)}};
}

ordered_json ToJson(const QuarantinedRow& row) {
  return {{"cause", row.cause},
          {"detail", row.detail},
          {"headers", row.headers},
          {"key_hex", OptionalHex(row.key)},
          {"offset", row.offset},
          {"partition", row.partition},
          {"quarantined_at", FormatTimestamp(row.quarantined_at_us / 1000)},
          {"schema_id", OrNull(row.schema_id)},
          {"timestamp", row.timestamp_us ? ordered_json(SentAt(row)) : ordered_json(nullptr)},
          {"topic", row.topic},
          {"topic_id", row.topic_id},
          {"value_hex", OptionalHex(row.value)}};
}

}  // namespace shopstream::observe
