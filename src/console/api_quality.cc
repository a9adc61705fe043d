#include "console/api_quality.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include "base/join.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/number.h"
#include "base/shutdown.h"
#include "base/timestamp.h"
#include "console/masking.h"
#include "console/quality_answer.h"
#include "console/quality_look.h"
#include "console/quarantine_answer.h"
#include "console/query_number.h"
#include "console/replay_job.h"
#include "ingest/cause.h"
#include "lake/delta/existing_table.h"
#include "observe/part_watch.h"
#include "observe/quarantine.h"
#include "observe/quarantine_page.h"
#include "observe/table_look.h"
#include "registry/client.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr Millis kLookEvery{2000}, kRemoteLookEvery{10'000};
constexpr Millis kLookAtMost{900};    // What a request waits for the first look.
constexpr Millis kIdleAfter{60'000};  // Without a request, nothing is looked at.
constexpr Millis kPageTime{700};
constexpr Millis kPlanTime{5000};  // A registry's denial of a schema takes 2 s to confirm.
constexpr Millis kReplayPatience{2500};

// The lake's store, opened at the first use.
class LakeStore {
 public:
  explicit LakeStore(const Config& config) : config_(config) {}

  Result<std::shared_ptr<lake::ObjectStore>> Get() {
    const std::lock_guard lock(mutex_);
    if (store_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(store_, lake::OpenObjectStore(config_));
    }
    return store_;
  }

 private:
  const Config& config_;
  std::mutex mutex_;
  std::shared_ptr<lake::ObjectStore> store_;  // Guarded by mutex_.
};

// Looks at quality in the background, while somebody asks for it.
class QualityWatch {
 public:
  explicit QualityWatch(const Config& config) : config_(config) {}

  struct Answer {
    std::shared_ptr<const QualityReport> report;  // Null: there is none yet.
    int64_t at_ms = 0;                            // When it was made.
    std::string unknown;                          // Why there is no newer one; empty: there is.
  };
  Answer Ask(const std::shared_ptr<lake::ObjectStore>& store);

 private:
  using Watch = observe::PartWatch<QualityReport>;

  void Start(const std::shared_ptr<lake::ObjectStore>& store);

  const Config& config_;
  const std::shared_ptr<std::atomic<int64_t>> asked_ms_ = std::make_shared<std::atomic<int64_t>>(0);
  std::mutex mutex_;
  std::unique_ptr<Watch> watch_;  // Guarded by mutex_, like all below.
  BootClock::time_point first_look_{};
  Answer last_;
};

void QualityWatch::Start(const std::shared_ptr<lake::ObjectStore>& store) {
  const auto look = std::make_shared<QualityLook>(config_, store);
  first_look_ = BootClock::now();
  const observe::Schedule schedule{.start = first_look_,
                                   .interval = store->IsRemote() ? kRemoteLookEvery : kLookEvery,
                                   .limit = kLookAtMost};
  const auto seen = std::make_shared<std::optional<QualityReport>>();
  watch_ = std::make_unique<Watch>(
      schedule, [look, seen, asked = asked_ms_](BootClock::time_point) -> Result<QualityReport> {
        const bool idle = WallClockMillis() - asked->load() > kIdleAfter.count();
        if (!idle || !seen->has_value()) {
          ARROW_ASSIGN_OR_RAISE(*seen, look->Look());
        }
        return **seen;
      });
}

QualityWatch::Answer QualityWatch::Ask(const std::shared_ptr<lake::ObjectStore>& store) {
  asked_ms_->store(WallClockMillis());
  const std::lock_guard lock(mutex_);
  const bool first = watch_ == nullptr;
  if (first) Start(store);
  const auto seen = first ? watch_->Await(first_look_) : watch_->latest();
  if (seen.known()) last_ = {seen.value, seen.at_ms, ""};
  last_.unknown = seen.unknown;
  return last_;
}

class QualityApi {
 public:
  explicit QualityApi(const World& world);

  Result<ordered_json> Quality(const ApiRequest& request);
  Result<ordered_json> Quarantine(const ApiRequest& request);
  Result<ordered_json> Record(const ApiRequest& request);
  Result<ordered_json> Plan(const ApiRequest& request);
  Result<Receipt> Replay(const ApiRequest& request);
  Result<Receipt> Cancel();
  ordered_json ReplayState() { return ToJson(job_.state()); }

 private:
  // Null: there is no such table.
  Result<std::shared_ptr<const lake::Snapshot>> Newest(const std::string& path);
  Result<observe::ReplayedByTopic> Replayed();
  ordered_json Causes() const;

  const World& world_;
  const Masking& masking_;
  LakeStore store_;
  QualityWatch watch_;
  ReplayJob job_;
};

QualityApi::QualityApi(const World& world)
    : world_(world),
      masking_(world.masking),
      store_(world.config),
      watch_(world.config),
      job_([&config = world.config](const ingest::ReplayFilter& filter,
                                    ingest::QuarantineReplay::Options options) {
        return ingest::RunQuarantineReplay(config, filter, std::move(options));
      }) {}

Result<std::shared_ptr<const lake::Snapshot>> QualityApi::Newest(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto store, store_.Get());
  const auto table = lake::Table::Open(store.get(), path);
  if (table.status().IsKeyError()) return nullptr;
  ARROW_RETURN_NOT_OK(table.status());
  return (*table)->snapshot();
}

Result<observe::ReplayedByTopic> QualityApi::Replayed() {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, Newest(world_.config.lake.bronze_table));
  if (bronze == nullptr) return observe::ReplayedByTopic{};
  ARROW_ASSIGN_OR_RAISE(const auto store, store_.Get());
  return observe::ReadAllReplayed(store.get(), *bronze);
}

// Of the last sample.
ordered_json QualityApi::Causes() const {
  const auto seen = world_.sampler.Latest().quarantine;
  ordered_json out = {{"at_ms", seen.at_ms}};
  if (!seen.known()) {
    out["rows"] = nullptr;
    out["rows_unknown"] = seen.unknown;
    out["causes"] = ordered_json::array();
    return out;
  }
  int64_t rows = 0;
  ordered_json causes = ordered_json::array();
  for (const auto& [cause, count] : seen.value->rows_by_cause) {
    rows += count;
    causes.push_back({{"cause", cause}, {"rows", count}});
  }
  out["rows"] = rows;
  out["causes"] = std::move(causes);
  return out;
}

Result<ordered_json> QualityApi::Quality(const ApiRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const int64_t days, QueryNumber(request, "days", 60, 1, 366));
  ARROW_ASSIGN_OR_RAISE(const auto store, store_.Get());
  const QualityWatch::Answer answer = watch_.Ask(store);
  ordered_json out = {{"state", "computing"}};
  if (answer.report != nullptr) {
    out = QualityAnswer(*answer.report, request.Query("before"), static_cast<size_t>(days));
    out["state"] = "known";
    out["at_ms"] = answer.at_ms;
  }
  if (!answer.unknown.empty()) out["unknown"] = answer.unknown;
  out["quarantine"] = Causes();
  return out;
}

Status CheckCause(const std::string& cause) {
  const std::vector<std::string> causes = ingest::CauseNames();
  if (cause.empty() || std::ranges::find(causes, cause) != causes.end()) return Status::OK();
  return Status::Invalid("unknown cause '", cause, "'", DidYouMean(cause, causes), " (causes are ",
                         Joined(causes, ", "), ")");
}

Result<ordered_json> QualityApi::Quarantine(const ApiRequest& request) {
  observe::QuarantinePageRequest page_request;
  page_request.cause = request.Query("cause");
  ARROW_RETURN_NOT_OK(CheckCause(page_request.cause));
  ARROW_ASSIGN_OR_RAISE(const int64_t limit, QueryNumber(request, "limit", 50, 1, 1000));
  page_request.limit = static_cast<size_t>(limit);
  page_request.deadline = BootClock::now() + kPageTime;
  if (const std::string before = request.Query("before"); !before.empty()) {
    ARROW_ASSIGN_OR_RAISE(page_request.before, observe::ParseQuarantinePlace(before));
  }
  const std::string& path = world_.config.lake.quarantine_table;
  ARROW_ASSIGN_OR_RAISE(const auto quarantine, Newest(path));
  ordered_json out = {{"exists", quarantine != nullptr}, {"all", Causes()}};
  out["rows"] = ordered_json::array();
  out["next"] = nullptr;
  if (quarantine == nullptr) return out;
  ARROW_ASSIGN_OR_RAISE(const auto store, store_.Get());
  ARROW_ASSIGN_OR_RAISE(const auto replayed, Replayed());
  ARROW_ASSIGN_OR_RAISE(const auto page,
                        observe::ReadQuarantinePage(store.get(), path, *quarantine, page_request));
  out["version"] = quarantine->version();
  for (const auto& row : page.rows) out["rows"].push_back(QuarantinedJson(row, replayed, masking_));
  if (page.next) out["next"] = Format(*page.next);
  out["ended"] = page.out_of_time ? "time" : page.next ? "limit" : "end";
  return out;
}

Result<int64_t> CapturedNumber(const ApiRequest& request, size_t index, const char* what,
                               int64_t most) {
  const std::string& text = request.http.captures.at(index);
  const auto number = ParseWhole<int64_t>(text);
  if (number && *number >= 0 && *number <= most) return *number;
  return Status::Invalid("'", text, "' is not ", what);
}

Result<ordered_json> QualityApi::Record(const ApiRequest& request) {
  ARROW_ASSIGN_OR_RAISE(
      const int64_t partition,
      CapturedNumber(request, 0, "a partition", std::numeric_limits<int32_t>::max()));
  ARROW_ASSIGN_OR_RAISE(const int64_t offset, CapturedNumber(request, 1, "an offset",
                                                             std::numeric_limits<int64_t>::max()));
  ARROW_ASSIGN_OR_RAISE(const auto store, store_.Get());
  const std::string& path = world_.config.lake.quarantine_table;
  ordered_json out = {{"partition", partition}, {"offset", offset}};
  ARROW_ASSIGN_OR_RAISE(const auto quarantine, Newest(path));
  std::vector<tables::QuarantinedRow> rows;
  if (quarantine != nullptr) {
    ARROW_ASSIGN_OR_RAISE(
        rows, observe::FindQuarantined(store.get(), path, static_cast<int32_t>(partition), offset));
  }
  out["exists"] = !rows.empty();
  if (rows.empty()) {
    out["reason"] = "partition " + std::to_string(partition) + " offset " + std::to_string(offset) +
                    " is not in quarantine";
    return out;
  }
  ARROW_ASSIGN_OR_RAISE(const auto replayed, Replayed());
  ARROW_ASSIGN_OR_RAISE(const auto registry, registry::Client::Open(world_.config.registry));
  records::RecordDecoder decoder(registry.get());
  // There are several if a topic was deleted and created again.
  out["records"] = ordered_json::array();
  for (const auto& row : rows) {
    out["records"].push_back(QuarantinedRecordJson(row, replayed, masking_, &decoder));
  }
  return out;
}

Result<std::optional<int64_t>> BodyTime(const nlohmann::json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  if (found->is_number_integer()) return found->get<int64_t>();
  return Status::Invalid(name, " is not a number of milliseconds since 1970");
}

Result<ingest::ReplayFilter> FilterOf(const ApiRequest& request) {
  ingest::ReplayFilter filter;
  const auto cause = request.body.find("cause");
  if (cause != request.body.end() && !cause->is_null()) {
    if (!cause->is_string()) return Status::Invalid("cause is not a text");
    filter.cause = cause->get<std::string>();
  }
  ARROW_RETURN_NOT_OK(CheckCause(filter.cause));
  ARROW_ASSIGN_OR_RAISE(filter.since_ms, BodyTime(request.body, "since_ms"));
  ARROW_ASSIGN_OR_RAISE(filter.until_ms, BodyTime(request.body, "until_ms"));
  return filter;
}

// Examines what it can in some seconds: a plan of more shows how far it came.
Result<ordered_json> QualityApi::Plan(const ApiRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const ingest::ReplayFilter filter, FilterOf(request));
  ingest::QuarantineReplay::Options options;
  options.dry_run = true;
  options.batch_rows = 1000;  // The progress is that of whole batches.
  options.patience = {.first = Millis{100}, .longest = Millis{1000}, .give_up_after = Millis{2000}};
  options.stop = [deadline = BootClock::now() + kPlanTime] {
    return BootClock::now() >= deadline || ShutdownRequested();
  };
  ingest::ReplaySummary so_far;
  options.progress = [&](const ingest::ReplaySummary& summary) { so_far = summary; };
  const auto plan = ingest::RunQuarantineReplay(world_.config, filter, std::move(options));
  if (!plan.ok() && !plan.status().IsCancelled()) return plan.status();
  ordered_json out = ToJson(plan.ok() ? *plan : so_far);
  out["complete"] = plan.ok();
  return out;
}

// For the log: of a replay that ran on after its answer.
Receipt EndOf(const ReplayJob::State& state, const std::string& table) {
  const nlohmann::json answer(ToJson(state));
  Receipt receipt;
  receipt.what = "the replay of quarantine ended: " + answer["state"].get<std::string>();
  receipt.subject = table;
  receipt.after = answer["summary"];
  receipt.error = state.error;
  return receipt;
}

Result<Receipt> QualityApi::Replay(const ApiRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const ingest::ReplayFilter filter, FilterOf(request));
  const auto on_end = [record = request.record_end,
                       table = world_.config.lake.quarantine_table](const ReplayJob::State& state) {
    if (record != nullptr) record(EndOf(state, table));
  };
  ARROW_ASSIGN_OR_RAISE(const ReplayJob::State state, job_.Start(filter, kReplayPatience, on_end));
  if (!state.running && !state.error.empty()) return Status::Invalid(state.error);
  Receipt receipt;
  receipt.what = state.running ? "began a replay of quarantine" : "replayed quarantine";
  if (!filter.cause.empty()) receipt.what += ", cause " + filter.cause;
  receipt.subject = world_.config.lake.quarantine_table;
  const nlohmann::json answer(ToJson(state));
  receipt.after = answer["summary"];
  receipt.answer = answer;
  return receipt;
}

Result<Receipt> QualityApi::Cancel() {
  ARROW_ASSIGN_OR_RAISE(const ReplayJob::State state, job_.Cancel());
  Receipt receipt;
  receipt.what = "cancelled the replay of quarantine";
  receipt.subject = world_.config.lake.quarantine_table;
  receipt.answer = nlohmann::json(ToJson(state));
  return receipt;
}

}  // namespace

std::vector<ApiRoute> QualityRoutes(const World& world) {
  const auto api = std::make_shared<QualityApi>(world);
  return {
      {"GET", "/api/quality", "What became of the rows of each day, by rule; ?before=DATE&days=N",
       Read([api](const ApiRequest& request) { return api->Quality(request); })},
      {"GET", "/api/quarantine",
       "Undecodable records, the last quarantined first; ?cause=&before=&limit=",
       Read([api](const ApiRequest& request) { return api->Quarantine(request); })},
      {"GET", "/api/quarantine/replay", "The last replay that this console began",
       Read([api](const ApiRequest&) -> Result<ordered_json> { return api->ReplayState(); })},
      {"GET", "/api/quarantine/*/*", "The undecodable record at a partition and offset",
       Read([api](const ApiRequest& request) { return api->Record(request); })},
      {"POST", "/api/quarantine/replay/plan",
       "What a replay would add; body: cause, since_ms, until_ms",
       Read([api](const ApiRequest& request) { return api->Plan(request); })},
      {"POST", "/api/quarantine/replay",
       "Add the records that are readable now; body as in the plan",
       Change([api](const ApiRequest& request) { return api->Replay(request); })},
      {"POST", "/api/quarantine/replay/cancel", "Stop the replay after its current commit",
       Change([api](const ApiRequest&) { return api->Cancel(); })},
  };
}

}  // namespace shopstream::console
