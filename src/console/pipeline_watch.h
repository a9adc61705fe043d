#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/config.h"
#include "base/stop.h"
#include "console/freshness.h"
#include "lake/delta/table_history.h"
#include "observe/health.h"
#include "observe/part_watch.h"
#include "observe/sampler.h"
#include "refine/revenue.h"

namespace shopstream::console {

struct WatchedComponent {
  observe::ComponentHealth health;
  int64_t at_ms = 0;     // When it was checked.
  int64_t since_ms = 0;  // When it was first seen in this state; 0: it did not answer.
};
using HealthReport = std::vector<WatchedComponent>;

struct TableCommit {
  std::string table;
  lake::VersionRecord record;
  std::map<std::string, int64_t> txns_before;  // Those known from earlier versions.
};

struct RecentCommits {
  std::vector<TableCommit> commits;  // Newest first.
  // Of Bronze, over the last minute; nothing: not seen for long enough.
  std::optional<double> bronze_per_minute;
  Freshness freshness;  // Of Bronze, over kFreshnessSpan.
};

// What the overview shows beyond the sampler's samples: the health of each component, the lake's
// last commits, and revenue. Like the sampler, each part has its own thread and time limit, so that
// one that hangs holds up no other. Thread-safe.
class PipelineWatch {
 public:
  static constexpr size_t kMostCommits = 20;
  static constexpr int kMostHours = 24;
  static constexpr Millis kFreshnessSpan{300'000};

  // `sampler` outlives it.
  PipelineWatch(const Config& config, observe::Sampler& sampler);
  ~PipelineWatch();

  // The components that have been checked at least once.
  HealthReport health() const;
  observe::Seen<RecentCommits> commits() const { return commits_->latest(); }
  observe::Seen<std::vector<refine::RevenueHour>> revenue() const { return revenue_->latest(); }

 private:
  // The newest versions of the lake's tables. The looks share it, because a look that hangs may
  // outlive the sampler.
  struct Versions {
    std::mutex mutex;
    std::map<std::string, int64_t> newest;  // By the table's path; guarded by mutex.

    std::map<std::string, int64_t> Get();
  };
  class CommitsLook;
  class RevenueLook;

  void Follow(observe::Sampler& sampler);

  const std::shared_ptr<Versions> versions_ = std::make_shared<Versions>();
  struct HealthWatch {
    std::string component;
    std::unique_ptr<observe::PartWatch<WatchedComponent>> watch;
  };
  std::vector<HealthWatch> health_;
  std::unique_ptr<observe::PartWatch<RecentCommits>> commits_;
  std::unique_ptr<observe::PartWatch<std::vector<refine::RevenueHour>>> revenue_;
  StopSource stop_;
  std::thread follower_;  // Last: it uses the others.
};

}  // namespace shopstream::console
