#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "ingest/cut_builder.h"
#include "ingest/schema_cache.h"
#include "ingest/side_tables.h"
#include "kafka/record.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// Collects records into the filling cut, each with its verdict: a row of Bronze, or a quarantined
// record. A verdict depends on the record, the registry and the table alone, so every source of
// records reaches the same one. One thread; asking the registry is its only I/O.
//
// The registry may lag behind a writer, so its denial of a schema id counts only once it is
// confirmed. Until then the record is parked: the source continues, but the cut cannot be finished.
class Intake {
 public:
  enum class Taken {
    kTaken,   // It is in the filling cut.
    kParked,  // The same, without a verdict yet; see DecideParked.
    kWait,    // Not taken: the registry gives no answer, or too much is parked. Offer it again.
  };

  // `schemas` is borrowed; nobody else uses it. `layout` serves a table that stores no reader
  // schema. `sides` is borrowed, and may be null: there are none.
  Intake(std::shared_ptr<const BronzeLayout> layout, SchemaCache* schemas, SideTables* sides);

  // Drops all records and starts over with what this version of Bronze, and the newest known ones
  // of the open side tables, store about their rows.
  Status StartFrom(const lake::Snapshot& bronze);
  // Merges what other writers have added to the tables up to these versions. False: the records of
  // the filling cut cannot be merged with it.
  Result<bool> Adopt(const lake::Snapshot& bronze);
  // Drops all records. Until the next StartFrom or Adopt, it is not known which partition values
  // the table has.
  void Drop();

  // Records of one partition must come in offset order. An error: there is no room for the row;
  // this is not a verdict on the record.
  Result<Taken> Take(const kafka::RecordView& record, BootClock::time_point now);
  // Asks for the schema ids of the parked records once an answer is due, and decides the records
  // whose id is now known.
  Status DecideParked(BootClock::time_point now);
  // Why the registry gave no answer, if a request failed since the last call.
  std::optional<std::string> TakeOutage();

  const CutBuilder& filling() const { return builder_; }
  // The filling cut, in which nothing may be parked. The caller sets progress, epoch and times.
  Result<Cut> Finish();

 private:
  // True: all ids are now known. Otherwise the registry is down, or a denial is not confirmed yet.
  bool Ask(const std::vector<int32_t>& ids);
  Result<bool> AdoptSide(const lake::Table& side);

  const std::shared_ptr<const BronzeLayout> layout_;
  SchemaCache* const schemas_;
  SideTables* const sides_;
  CutBuilder builder_;
  int64_t adopted_version_ = -1;  // Bronze version whose schema is merged into ours.
  std::map<std::string, int64_t> adopted_sides_;  // Likewise of the side tables, by path.
  // Set when the registry gave no answer: it is not asked again before this time.
  std::optional<BootClock::time_point> out_until_;
  std::optional<std::string> outage_;
  BootClock::time_point ask_for_parked_at_ = BootClock::time_point::max();
};

}  // namespace shopstream::ingest
