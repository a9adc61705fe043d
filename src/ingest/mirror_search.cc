#include "ingest/mirror_search.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ingest/header_json.h"
#include "kafka/record_hash.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

constexpr int64_t kMoreOffsets = 8;  // Times as many, if the rows do not suffice.

std::optional<std::string> ValueText(const std::optional<kafka::Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

// To be decoded: the value is all that a row is made of.
QuarantinedRecord ToDecode(const kafka::RecordView& record) {
  QuarantinedRecord kept;
  kept.partition = record.partition;
  kept.offset = record.offset;
  kept.timestamp_ms = record.timestamp_ms;
  kept.value = ValueText(record.value);
  return kept;
}

std::optional<int64_t> SentAt(const kafka::RecordView& record) {
  return IsKnownMillis(record.timestamp_ms) ? std::optional(record.timestamp_ms) : std::nullopt;
}

}  // namespace

MirrorSearch::MirrorSearch(const OpenLake& lake, const AdoptSources& sources,
                           const AdoptOptions& options)
    : sources_(sources),
      options_(options),
      schemas_(lake.layout,
               [registry = sources.registry](int32_t id) { return registry->ById(id); }),
      decoder_(lake.layout, lake.sides.get(), &schemas_, {.stop = options.stop}) {}

Result<MirrorFinding> MirrorSearch::Search(const LakeVersion& version, const std::string& earlier,
                                           int32_t partition, kafka::OffsetSpan span) {
  for (int64_t offsets = options_.first_offsets;; offsets *= kMoreOffsets) {
    ARROW_ASSIGN_OR_RAISE(LakeTail tail, ReadLakeTail(version, earlier, partition, offsets));
    const bool complete = tail.complete;
    ARROW_ASSIGN_OR_RAISE(const MirrorFinding finding,
                          Compare(version, std::move(tail), partition, span));
    if (finding.verdict != SeamFinder::Verdict::kNoAnchor || complete ||
        offsets >= options_.most_offsets) {
      return AtEndIfOlder(finding);
    }
  }
}

// If every record of the mirror is older than the rows, they follow its end.
MirrorFinding MirrorSearch::AtEndIfOlder(MirrorFinding finding) {
  if (finding.verdict != SeamFinder::Verdict::kNoAnchor || !finding.read.empty()) return finding;
  finding.verdict = SeamFinder::Verdict::kAhead;
  finding.seam = Seam();
  finding.seam.below = finding.read.end;
  finding.seam.ahead = finding.rows;
  return finding;
}

// Every copy has the timestamp of its row, so it is at or after the first record with the earliest.
Result<int64_t> MirrorSearch::FirstToRead(const LakeTail& tail, int32_t partition,
                                          kafka::OffsetSpan span) {
  std::optional<int64_t> earliest;
  for (const SeamRow& row : tail.rows) {
    if (row.erased) continue;
    if (!row.content.timestamp_ms) return span.log_start;
    earliest = std::min(earliest.value_or(*row.content.timestamp_ms), *row.content.timestamp_ms);
  }
  if (tail.complete || !earliest) return span.log_start;
  ARROW_ASSIGN_OR_RAISE(const int64_t first, sources_.records->FirstAt(partition, *earliest));
  return first < 0 ? span.end : std::clamp(first, span.log_start, span.end);
}

Result<MirrorFinding> MirrorSearch::Compare(const LakeVersion& version, LakeTail tail,
                                            int32_t partition, kafka::OffsetSpan span) {
  MirrorFinding finding;
  ARROW_ASSIGN_OR_RAISE(const int64_t first, FirstToRead(tail, partition, span));
  finding.read = {partition, first, span.end};
  finding.rows = std::ssize(tail.rows);
  finding.complete = tail.complete;
  if (!tail.rows.empty()) {
    finding.first_row = tail.rows.front().offset;
    finding.last_row = tail.rows.back().offset;
  }
  SeamFinder finder(std::move(tail.rows), tail.complete, first, first == span.log_start);
  if (!finding.read.empty() && !finder.done()) {
    ARROW_RETURN_NOT_OK(
        sources_.records->Read(finding.read, [&](const kafka::RecordBatch& batch) -> Result<bool> {
          ARROW_RETURN_NOT_OK(AddAll(version, batch, &finder));
          return !finder.done();
        }));
  }
  finding.verdict = finder.Finish(&finding.seam);
  return finding;
}

Status MirrorSearch::AddAll(const LakeVersion& version, const kafka::RecordBatch& batch,
                            SeamFinder* finder) {
  std::vector<QuarantinedRecord> wanted;
  for (const kafka::RecordView& record : batch.records) {
    if (finder->Wants(SentAt(record))) wanted.push_back(ToDecode(record));
  }
  ARROW_ASSIGN_OR_RAISE(const auto rows, HashRows(version, &wanted));
  size_t next_wanted = 0;
  for (const kafka::RecordView& record : batch.records) {
    MirrorRecord added{.offset = record.offset,
                       .content = {.timestamp_ms = SentAt(record)},
                       .leader_epoch = record.leader_epoch,
                       .timestamp_ms = record.timestamp_ms};
    if (next_wanted < wanted.size() && wanted[next_wanted].offset == record.offset) {
      ++next_wanted;
      added.content.record = kafka::ContentHash(record);
      added.content.headers =
          kafka::ContentHash(0, std::nullopt, HeadersToJson(kafka::ReadHeaders(record)));
      const auto row = rows.find(record.offset);
      if (row != rows.end()) added.content.row = row->second;
    }
    finder->Add(added);
  }
  return Status::OK();
}

// Undecodable records have none.
Result<std::map<int64_t, int64_t>> MirrorSearch::HashRows(const LakeVersion& version,
                                                          std::vector<QuarantinedRecord>* records) {
  std::map<int64_t, int64_t> hashes;
  for (size_t first = 0; first < records->size();) {
    std::vector<QuarantinedRecord*> left;
    for (size_t i = first; i < records->size(); ++i) left.push_back(&(*records)[i]);
    size_t taken = 0;
    ARROW_ASSIGN_OR_RAISE(const Cut cut, decoder_.Decode(*version.bronze.second, left, &taken));
    ARROW_RETURN_NOT_OK(version.hasher.HashRows(cut.bronze, &hashes));
    for (const TableRows& side : cut.sides) {
      ARROW_RETURN_NOT_OK(version.hasher.HashRows(side, &hashes));
    }
    first += taken;
  }
  return hashes;
}

}  // namespace shopstream::ingest
