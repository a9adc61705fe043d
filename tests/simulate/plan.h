#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "simulate/store.h"

namespace shopstream::simulate {

// One kind of action in a history. `who` is an ingest, 0 or 1, or a partition, depending on it.
enum class Deed {
  kProduce,            // `amount` records to partition `who`.
  kProduceOpen,        // The same in a transaction.
  kCommitTransaction,  // Of partition `who`.
  kAbortTransaction,
  kCrash,            // Ingest `who`; it is restarted later.
  kStop,             // Ingest `who`, cleanly; likewise.
  kSuspend,          // Ingest `who` for `amount` milliseconds.
  kSuspendWriter,    // The same at its next write to the store.
  kLosePartitions,   // Of ingest `who`.
  kExpire,           // The oldest `amount` records of partition `who`.
  kExpireUnread,     // Produces `amount` records to partition `who`, and all of it expires.
  kElect,            // Another replica leads partition `who`.
  kLoseLeader,       // Partition `who` has no leader for `amount` milliseconds.
  kTruncate,         // The newest `amount` records of partition `who`.
  kTruncateAndGrow,  // The same, and more records immediately take their place.
  kRestore,          // Partition `who`, to a backup; then `amount` records are produced.
  kCorrupt,          // An offset of partition `who`, for `amount` milliseconds.
  kAcceptLoss,       // An operator continues all partitions that cannot be read.
  kRecreateTopic,
  kRegistryOut,  // For `amount` milliseconds.
  kStoreOut,     // Likewise.
  kRepliesLost,  // Likewise, of the store: calls take effect, but no reply arrives.
  kRegister,     // Registers a schema whose records were written before the registry knew it.
  kReplay,       // `amount` quarantine replays are started at the same time.
  kCompact,      // Of all tables, by `amount` separate programs.
  kVacuum,       // Likewise.
  kWallClock,    // Of ingest `who`, by `amount` milliseconds.
  kSleep,        // Every machine for `amount` minutes.
};

struct Action {
  Millis at{0};  // Since the history began.
  Deed deed = Deed::kProduce;
  int who = 0;
  int64_t amount = 0;
};

// A whole history in advance: its actions, and how unreliable the world is. The rest follows from
// the seed.
struct Plan {
  static constexpr int kIngests = 2;
  static constexpr int kPartitions = 3;
  static constexpr int64_t kLeastRecords = 200;

  uint64_t seed = 0;
  std::vector<Action> actions;  // In order of time.
  StoreFaults store;
  double metadata_fails = 0;
  double registry_denies = 0;
  int64_t batch_size = 10;  // Of an ingest, and its minimum time between cuts.
  Millis commit_interval{800};
  bool side_tables = false;  // The topic has several record types, each with its own table.
  bool lake_exists = true;  // False: the first ingests create the tables, perhaps at the same time.
};

Plan MakePlan(uint64_t seed);
std::string Describe(const Action& action);

}  // namespace shopstream::simulate
