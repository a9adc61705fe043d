#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/status.h"
#include "ingest/cut.h"
#include "ingest/intake.h"
#include "ingest/schema_cache.h"
#include "ingest/side_tables.h"
#include "kafka/record.h"
#include "lake/delta/table.h"
#include "tables/quarantined_row.h"

namespace shopstream::ingest {

// The record that a row of quarantine keeps, to be decoded.
QuarantinedRecord RecordOf(const tables::QuarantinedRow& row);

// Decodes quarantined records again, with the current registry, tables and settings. One thread.
class QuarantineDecoder {
 public:
  struct Options {
    int64_t open_partitions = 500;  // In one cut, each with a file.
    std::function<bool()> stop = [] { return false; };
  };

  // Borrowed; they outlive it. `layout` is used if the table stores no reader schema. `sides` may
  // be null: there are none; otherwise those that Bronze announces are open.
  QuarantineDecoder(std::shared_ptr<const BronzeLayout> layout, SideTables* sides,
                    SchemaCache* schemas, Options options);

  // Uses the table at this snapshot and the registry's current answers. The first `taken` records
  // are in the cut, each with its verdict: at least one, no more than the open partitions allow.
  // Unavailable: the registry gives no answer. Cancelled: `stop` returned true.
  Result<Cut> Decode(const lake::Snapshot& bronze, const std::vector<QuarantinedRecord*>& records,
                     size_t* taken);

 private:
  Status Take(const kafka::RecordView& record);
  Status DecideParked();
  Status CheckRegistry();

  const Options options_;
  Intake intake_;
};

}  // namespace shopstream::ingest
