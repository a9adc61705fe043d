#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/http_message.h"
#include "base/status.h"
#include "console/lake_tables.h"
#include "console/masking.h"
#include "sql/catalog.h"

namespace shopstream::console {

// Queries that run now, so that they can be cancelled and are not too many. Thread-safe.
class RunningQueries {
 public:
  explicit RunningQueries(int64_t most) : most_(most) {}

  // One that runs, until this is destroyed.
  class Ticket {
   public:
    Ticket(RunningQueries* queries, std::string id, Millis longest)
        : queries_(queries), id_(std::move(id)), deadline_(BootClock::now() + longest) {}
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    bool is_cancelled() const { return cancelled_; }
    bool is_late() const { return BootClock::now() > deadline_; }
    bool stops() const { return is_cancelled() || is_late(); }

   private:
    friend class RunningQueries;
    RunningQueries* const queries_;
    const std::string id_;
    const BootClock::time_point deadline_;
    std::atomic<bool> cancelled_{false};
  };

  // Unavailable: too many run. Invalid: one of this id runs.
  Result<std::shared_ptr<Ticket>> Begin(const std::string& id, Millis longest);
  // False: none of this id runs.
  bool Cancel(const std::string& id);

 private:
  const int64_t most_;
  std::mutex mutex_;
  std::map<std::string, Ticket*> running_;  // By id.
};

// Of each query, and how many run at the same time.
struct SqlLimits {
  int64_t rows = 10'000;
  int64_t seconds = 30;
  int64_t memory_limit_mb = 256;
  int64_t queries = 2;

  static SqlLimits From(const Config& config);
};

struct SqlRequest {
  std::string id, sql;
  sql::ReadVersions versions = {};
  int64_t limit = 1000;  // Rows.
};

// Runs statements that only read, over the lake's tables, with masked columns masked. Thread-safe.
class SqlRuns {
 public:
  // All but the limits are borrowed; they outlive it.
  SqlRuns(const Config& config, const Masking& masking, LakeTables* tables,
          const SqlLimits& limits);

  // The rows with what was read. Cancelled queries and those that take too long are errors.
  Result<nlohmann::ordered_json> Run(const SqlRequest& request);
  bool Cancel(const std::string& id) { return running_.Cancel(id); }
  // All rows as CSV, streamed. If it ends early, its last line says so.
  HttpReply Download(const SqlRequest& request);
  // Tables with their columns, for completion.
  Result<nlohmann::ordered_json> Schema();

 private:
  struct Statement;  // One that was prepared, with all that it needs.
  class Csv;

  Result<std::unique_ptr<Statement>> Prepare(const SqlRequest& request, Millis longest);
  std::vector<int> MaskedColumns(const std::string& path, const arrow::Schema& schema) const;
  Status Explained(const Status& error, const RunningQueries::Ticket& ticket) const;

  const Config& config_;
  LakeTables* const tables_;
  const SqlLimits limits_;
  const Masking& masking_;
  RunningQueries running_;
};

}  // namespace shopstream::console
