#include "ingest/quarantine_decoder.h"

#include <optional>
#include <string>
#include <utility>

#include "base/error_kind.h"
#include "base/runtime.h"
#include "ingest/cut_builder.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kLookAtRegistryEvery{50};

Status StoppedDecoding() {
  return Status::Cancelled(
      "stopped while quarantined records were decoded; what was committed is kept, and running it "
      "again does the rest");
}

}  // namespace

// No timestamp: the record has none, or one that the column cannot hold and will reject again.
QuarantinedRecord RecordOf(const tables::QuarantinedRow& row) {
  QuarantinedRecord record;
  record.partition = row.partition;
  record.offset = row.offset;
  record.timestamp_ms = row.sent_ms().value_or(kNoTimestamp);
  record.schema_id = row.schema_id;
  // Only ingest writes causes; one that a later version added is none that this one can decode.
  record.cause = ParseCause(row.cause).value_or(Cause::kCorrupt);
  record.value = row.value;
  return record;
}

QuarantineDecoder::QuarantineDecoder(std::shared_ptr<const BronzeLayout> layout, SideTables* sides,
                                     SchemaCache* schemas, Options options)
    : options_(std::move(options)), intake_(std::move(layout), schemas, sides) {}

Result<Cut> QuarantineDecoder::Decode(const lake::Snapshot& bronze,
                                      const std::vector<QuarantinedRecord*>& records,
                                      size_t* taken) {
  ARROW_RETURN_NOT_OK(intake_.StartFrom(bronze));
  const CutBuilder& cut = intake_.filling();
  for (*taken = 0; *taken < records.size(); ++*taken) {
    if (cut.open_partitions() >= options_.open_partitions) {
      ARROW_RETURN_NOT_OK(DecideParked());
      if (cut.open_partitions() >= options_.open_partitions) break;
    }
    ARROW_RETURN_NOT_OK(Take(View(*records[*taken])));
  }
  ARROW_RETURN_NOT_OK(DecideParked());
  return intake_.Finish();
}

Status QuarantineDecoder::Take(const kafka::RecordView& record) {
  while (!options_.stop()) {
    ARROW_ASSIGN_OR_RAISE(const Intake::Taken taken, intake_.Take(record, BootClock::now()));
    if (taken != Intake::Taken::kWait) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckRegistry());
    ARROW_RETURN_NOT_OK(DecideParked());
  }
  return StoppedDecoding();
}

// Waits until the registry's denials are confirmed.
Status QuarantineDecoder::DecideParked() {
  while (intake_.filling().has_parked()) {
    if (options_.stop()) return StoppedDecoding();
    ARROW_RETURN_NOT_OK(intake_.DecideParked(BootClock::now()));
    ARROW_RETURN_NOT_OK(CheckRegistry());
    if (intake_.filling().has_parked()) SleepUnless(options_.stop, kLookAtRegistryEvery);
  }
  return Status::OK();
}

// An outage fails the attempt; the next one decodes the records again.
Status QuarantineDecoder::CheckRegistry() {
  const std::optional<std::string> outage = intake_.TakeOutage();
  return outage ? Unavailable("the schema registry: ", *outage) : Status::OK();
}

}  // namespace shopstream::ingest
