#include "console/pipeline_watch.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "console/refine_health.h"
#include "lake/store/object_store.h"

namespace shopstream::console {
namespace {

using observe::PartWatch;
using observe::Schedule;

constexpr Millis kHealthTimeout{3000};
constexpr Millis kHealthLimit{10'000};  // A check's steps have their own, shorter ones.
constexpr Millis kLakeLimit{10'000};
constexpr Millis kFollowPause{250};
constexpr Millis kLongestPause{2000};  // What fails is red within 5 s.
// Enough for the freshness over 5 minutes while ingest commits every second.
constexpr size_t kMostBronzeCommits = 300;
// Of each table, so that a pass, which commits to all of Silver and Gold, hides no other.
constexpr size_t kMostCommitsOfATable = 2;
constexpr Millis kRateSpan{60'000};
constexpr Millis kLeastRateSpan{10'000};

class HealthLook {
 public:
  explicit HealthLook(observe::HealthCheck check) : check_(std::move(check)) {}

  Result<WatchedComponent> Look() {
    WatchedComponent seen{check_.run(), WallClockMillis(), 0};
    history_.Add({seen.health}, seen.at_ms);
    seen.since_ms = history_.since_ms(seen.health.component);
    return seen;
  }

 private:
  const observe::HealthCheck check_;
  observe::HealthHistory history_;
};

std::vector<observe::HealthCheck> ChecksOf(const Config& config) {
  auto checks = observe::AllHealthChecks(config, kHealthTimeout);
  checks.push_back(RefineHealthCheck(config));
  return checks;
}

// How fast a version grows.
class VersionRate {
 public:
  void Add(BootClock::time_point now, int64_t version) {
    if (!seen_.empty() && version < seen_.back().second) seen_.clear();  // Another table.
    seen_.emplace_back(now, version);
    while (now - seen_.front().first > kRateSpan) seen_.pop_front();
  }
  std::optional<double> per_minute() const {
    if (seen_.empty()) return std::nullopt;
    const auto span = seen_.back().first - seen_.front().first;
    if (span < kLeastRateSpan) return std::nullopt;
    const double minutes = std::chrono::duration<double, std::ratio<60>>(span).count();
    return static_cast<double>(seen_.back().second - seen_.front().second) / minutes;
  }

 private:
  std::deque<std::pair<BootClock::time_point, int64_t>> seen_;
};

template <typename T, typename L>
std::unique_ptr<PartWatch<T>> WatchBy(const Schedule& schedule, std::shared_ptr<L> look) {
  return std::make_unique<PartWatch<T>>(
      schedule, [look = std::move(look)](BootClock::time_point) { return look->Look(); });
}

}  // namespace

std::map<std::string, int64_t> PipelineWatch::Versions::Get() {
  const std::lock_guard lock(mutex);
  return newest;
}

// Reads the log entries of the versions that are new.
class PipelineWatch::CommitsLook {
 public:
  CommitsLook(const Config& config, std::shared_ptr<Versions> versions)
      : config_(config), versions_(std::move(versions)) {}

  Result<RecentCommits> Look() {
    if (store_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(store_, lake::OpenObjectStore(config_));
    }
    const auto versions = versions_->Get();
    std::erase_if(known_, [&](const auto& table) { return !versions.contains(table.first); });
    for (const auto& [path, version] : versions) {
      ARROW_RETURN_NOT_OK(Refresh(path, version));
      if (path == config_.lake.bronze_table) rate_.Add(BootClock::now(), version);
    }
    return Newest();
  }

 private:
  Status Refresh(const std::string& path, int64_t version) {
    std::deque<lake::VersionRecord>& known = known_[path];  // Newest first.
    if (!known.empty() && known.front().version > version) known.clear();
    const int64_t last = known.empty() ? -1 : known.front().version;
    const size_t kept = path == config_.lake.bronze_table ? kMostBronzeCommits : kMostCommits;
    // One more, for what the oldest began with. The table may have newer ones, which come later.
    const int64_t missing = std::min<int64_t>(version - last, static_cast<int64_t>(kept) + 1);
    if (missing == 0) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto records,
                          lake::ReadHistory(store_.get(), path, missing, last, version + 1));
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
      if (record->version > last) known.push_front(*record);
    }
    while (known.size() > kept + 1) known.pop_back();
    return Status::OK();
  }

  RecentCommits Newest() const {
    RecentCommits recent;
    for (const auto& [path, records] : known_) {
      // A commit names the transactions that it moves only.
      std::map<std::string, int64_t> txns;
      size_t left = records.size();
      for (auto record = records.rbegin(); record != records.rend(); ++record, --left) {
        if (left <= kMostCommitsOfATable) recent.commits.push_back({path, *record, txns});
        for (const auto& [app, version] : record->txns) txns[app] = version;
      }
    }
    std::ranges::sort(recent.commits, std::greater{},
                      [](const TableCommit& commit) { return commit.record.timestamp_ms; });
    if (recent.commits.size() > kMostCommits) recent.commits.resize(kMostCommits);
    recent.bronze_per_minute = rate_.per_minute();
    const auto bronze = known_.find(config_.lake.bronze_table);
    if (bronze != known_.end()) {
      recent.freshness = EstimateFreshness({bronze->second.begin(), bronze->second.end()},
                                           WallClockMillis() - kFreshnessSpan.count());
    }
    return recent;
  }

  const Config config_;
  const std::shared_ptr<Versions> versions_;
  std::shared_ptr<lake::ObjectStore> store_;
  std::map<std::string, std::deque<lake::VersionRecord>> known_;
  VersionRate rate_;
};

// Reads Gold when its version has changed.
class PipelineWatch::RevenueLook {
 public:
  RevenueLook(const Config& config, std::shared_ptr<Versions> versions)
      : config_(config),
        path_(config.refine.gold_folder + "/" + refine::kRevenueTable),
        versions_(std::move(versions)) {}

  Result<std::vector<refine::RevenueHour>> Look() {
    const auto versions = versions_->Get();
    const auto version = versions.find(path_);
    if (version == versions.end()) {
      read_version_ = -1;
      return Status::KeyError("there is no table ", path_, " yet");
    }
    if (version->second == read_version_) return hours_;
    if (store_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(store_, lake::OpenObjectStore(config_));
    }
    ARROW_ASSIGN_OR_RAISE(hours_, refine::ReadRevenue(store_.get(), config_, kMostHours));
    read_version_ = version->second;
    return hours_;
  }

 private:
  const Config config_;
  const std::string path_;
  const std::shared_ptr<Versions> versions_;
  std::shared_ptr<lake::ObjectStore> store_;
  std::vector<refine::RevenueHour> hours_;
  int64_t read_version_ = -1;
};

PipelineWatch::PipelineWatch(const Config& config, observe::Sampler& sampler) {
  const auto schedule = [&](Millis limit) {
    const Millis pause = std::min(Millis{config.observe.interval_ms}, kLongestPause);
    return Schedule{BootClock::now(), pause, limit};
  };
  for (observe::HealthCheck& check : ChecksOf(config)) {
    const std::string name = check.name;
    health_.push_back(
        {name, WatchBy<WatchedComponent>(schedule(kHealthLimit),
                                         std::make_shared<HealthLook>(std::move(check)))});
  }
  commits_ = WatchBy<RecentCommits>(schedule(kLakeLimit),
                                    std::make_shared<CommitsLook>(config, versions_));
  revenue_ = WatchBy<std::vector<refine::RevenueHour>>(
      schedule(kLakeLimit), std::make_shared<RevenueLook>(config, versions_));
  follower_ = std::thread([this, &sampler] { Follow(sampler); });
}

PipelineWatch::~PipelineWatch() {
  stop_.Request();
  follower_.join();
  for (const HealthWatch& component : health_) component.watch->RequestStop();
  commits_->RequestStop();
  revenue_->RequestStop();
}

HealthReport PipelineWatch::health() const {
  HealthReport report;
  for (const HealthWatch& component : health_) {
    const auto seen = component.watch->latest();
    if (seen.known()) {
      report.push_back(*seen.value);
    } else if (seen.unknown != observe::kNoAnswerYet) {
      report.push_back(
          {{component.component, observe::HealthState::kDown, seen.unknown, ""}, seen.at_ms, 0});
    }
  }
  return report;
}

void PipelineWatch::Follow(observe::Sampler& sampler) {
  do {
    const auto tables = sampler.Latest().tables;
    const std::lock_guard lock(versions_->mutex);
    auto& newest = versions_->newest;
    std::erase_if(newest, [&](const auto& entry) { return !tables.contains(entry.first); });
    for (const auto& [path, table] : tables) {
      if (!table.known()) continue;  // It still has the version that was last seen.
      if (table.value->exists) newest[path] = table.value->version;
      if (!table.value->exists) newest.erase(path);
    }
  } while (!stop_.WaitFor(kFollowPause));
}

}  // namespace shopstream::console
