#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/admin.h"
#include "lake/store/object_store.h"
#include "observe/adopted_cover.h"
#include "observe/coverage.h"
#include "tables/adoption.h"

namespace shopstream::observe {

// One Kafka partition of one incarnation of the topic. Rows and offsets are counted, not ranges.
struct PartitionAudit {
  std::string topic_id;
  int32_t partition = 0;
  // Kafka's; nothing for an earlier incarnation of the topic, which only the lake still has, and
  // for a partition for which Kafka does not answer.
  std::optional<int64_t> log_start, end;
  std::optional<int64_t> txn;  // Bronze's; nothing if ingest never committed the partition.
  int64_t bronze_rows = 0;     // In Bronze and its side tables.
  int64_t quarantined_rows = 0;
  int64_t replayed_rows = 0;  // Quarantined rows that a replay has added to these.
  int64_t erased_rows = 0;    // Removed from these tables by an erase or by retention.
  int64_t gaps = 0;           // Offsets missing in the lake, vanished from it, or lost before.
  int64_t doubles = 0;        // Offsets with more than one row in the tables.
  int64_t others = 0;         // Offsets of every other difference.
  int64_t lag = 0;            // Offsets between the txn and Kafka's end.
  std::optional<tables::Adoption> adoption;  // Nothing: it was read from its own beginning.
  CoveredRecords covered;                    // With `adoption`.
};

struct AuditFinding {
  std::string topic_id;
  Finding finding;
};

struct AuditReport {
  std::string topic;
  std::string topic_id;  // Empty: Kafka does not have the topic, or no longer does.
  int64_t bronze_version = -1;
  std::vector<PartitionAudit> partitions;
  std::vector<AuditFinding> findings;  // The first ones; AuditOptions::max_findings.
  int64_t findings_left_out = 0;
  int64_t rows_without_coordinates = 0;
  int64_t kafka_records = 0;  // Read from Kafka and compared.
  // Those whose contents were compared too: time of sending, or a hash of time, key and value.
  int64_t contents_compared = 0;

  // Partitions that were not compared with Kafka, and why: it does not answer for
  // them, or a batch cannot be read.
  std::map<int32_t, std::string> not_compared;

  bool clean() const {
    return findings.empty() && rows_without_coordinates == 0 && not_compared.empty();
  }
};
nlohmann::ordered_json ToJson(const AuditReport& report);

struct AuditOptions {
  size_t max_findings = 100;  // Maximum ranges kept; all are counted.
  // How long Kafka may take for its first answer to a reader, or between two answers, before the
  // audit gives up the partitions that are not read to their end.
  Millis patience{30000};
  // Called about once per second with the current step.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

// Checks that every offset that Kafka holds from its log start to the lake's txn is in Bronze, in a
// side table or in quarantine exactly once, and that contents agree: of all records, or of half a
// million to a million if the two have more rows. What is recorded as lost is not read. Below the
// log start only the lake is checked, against its own count of offsets that held no record. Both
// are read in full, in about half a byte of memory per offset, and 16 bytes per sampled row. Ingest
// may run meanwhile: commits after the audit's snapshot are not checked. Cancelled when a shutdown
// is requested.
//
// Of an adopted mirror, what is below its seam is in the lake with coordinates of an earlier topic
// (AdoptedCover).
//
// A replayed record is in both tables. The commit that added it to Bronze records its offset there
// (tables::ReplayedOffsets), so that any other record that is in both is still found. What an erase
// or retention removed counts as there (tables::ReadRemoved).
Result<AuditReport> Audit(const KafkaConfig& config, const LakeConfig& lake, kafka::Admin* admin,
                          lake::ObjectStore* store, const AuditOptions& options);

}  // namespace shopstream::observe
