#include "console/api_lineage.h"

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/json.h"
#include "base/shutdown.h"
#include "console/column_mask.h"
#include "console/lake_tables.h"
#include "console/masking.h"
#include "console/query_number.h"
#include "lake/delta/table_history.h"
#include "lineage/file_offsets.h"
#include "lineage/lineage.h"
#include "refine/columns.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

// A search by event id reads a column of the whole table.
constexpr Millis kLongestSearch{20'000};
constexpr int kMostTraces = 3;  // At the same time.
constexpr size_t kMostFileRanges = 1000;
constexpr int64_t kMostOffset = std::numeric_limits<int64_t>::max() - 1;

// As the sampler saw it last.
lineage::KafkaSpan SpanOf(const observe::Sample& sample, int32_t partition) {
  if (!sample.topics.known()) return {.unknown = sample.topics.unknown};
  const observe::TopicSample* topic = sample.topics.value->own();
  if (topic == nullptr) return {.unknown = "there is no topic " + sample.topic};
  lineage::KafkaSpan span{.topic_id = topic->id};
  for (const auto& known : topic->partitions) {
    if (known.state.id != partition) continue;
    span.log_start = known.log_start;
    span.end = known.end;
    span.unknown = known.unknown;
    return span;
  }
  span.unknown = "the topic has no partition " + std::to_string(partition);
  return span;
}

class LineageApi {
 public:
  explicit LineageApi(const World& world)
      : world_(world), tables_(world.tables), masking_(world.masking) {}

  Result<ordered_json> Get(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const auto bronze, tables_.Newest(world_.config.lake.bronze_table));
    if (bronze == nullptr) {
      return ordered_json{{"exists", false},
                          {"reason", "the lake has no table " + world_.config.lake.bronze_table},
                          {"remedy", "shopstream ingest"}};
    }
    const Turn turn(&traces_);
    if (turn.number() > kMostTraces) {
      return Unavailable("other records are being traced; try again");
    }
    auto answer = Trace(request, ColumnMask(masking_, *bronze->schema()));
    if (!answer.status().IsCancelled()) return answer;
    if (ShutdownRequested()) return Unavailable("the console is stopping");
    return Unavailable("it was not found within ", kLongestSearch.count() / 1000,
                       " s; `shopstream lineage` searches to the end");
  }

 private:
  using Records = Result<std::vector<lineage::RecordLineage>>;

  // Counts a trace while it exists.
  class Turn {
   public:
    explicit Turn(std::atomic<int>* running) : running_(running), number_(++*running) {}
    ~Turn() { --*running_; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    int number() const { return number_; }

   private:
    std::atomic<int>* const running_;
    const int number_;
  };

  Result<ordered_json> Trace(const ApiRequest& request, const ColumnMask& mask) {
    const std::string file = request.Query("file"), id = request.Query(refine::kEventId);
    ARROW_ASSIGN_OR_RAISE(const auto store, tables_.Store());
    if (!file.empty()) {
      ARROW_ASSIGN_OR_RAISE(const std::string path, RealPath(mask, store.get(), file));
      const auto traced = lineage::TraceFile(store.get(), path, kMostFileRanges, Options().stop);
      if (!traced.ok()) {
        return traced.status().WithMessage(mask.HideIn(traced.status().message()));
      }
      ordered_json shown = ToJson(*traced);
      HideColumns(mask, &shown);
      return ordered_json{{"file", std::move(shown)}};
    }
    ARROW_ASSIGN_OR_RAISE(const auto records,
                          id.empty() ? TracePlace(store.get(), request) : TraceId(store.get(), id));
    ordered_json all = ordered_json::array();
    for (const auto& record : records) all.push_back(Masked(mask, ToJson(record)));
    return ordered_json{{"topic", world_.config.kafka.topic}, {"records", std::move(all)}};
  }

  // The file that is shown with this path. Whether a file with a masked value exists would reveal
  // the value.
  Result<std::string> RealPath(const ColumnMask& mask, lake::ObjectStore* store,
                               const std::string& shown) {
    if (!masking_.active()) return shown;
    if (mask.HideIn(shown) != shown) {
      return Refused(
          "the path has a value that is hidden by console.mask: give it as the console "
          "shows it, with * instead of the value");
    }
    if (shown.find("=*/") == std::string::npos) return shown;
    std::vector<std::string> found;
    ARROW_ASSIGN_OR_RAISE(const auto paths, lake::FindTables(store));
    for (const std::string& table : paths) {
      if (!shown.starts_with(table + "/")) continue;
      ARROW_ASSIGN_OR_RAISE(const auto snapshot, tables_.Existing(table));
      snapshot->VisitFiles([&](const DataFile& file) {
        const std::string path = table + "/" + file.path;
        if (mask.HideIn(path) == shown) found.push_back(path);
      });
    }
    if (found.size() == 1) return found.front();
    return Status::KeyError(found.empty() ? "no live file" : "more than one live file",
                            " has the path ", shown);
  }

  lineage::LineageOptions Options() const {
    const auto deadline = BootClock::now() + kLongestSearch;
    return {.kafka = [sample = world_.sampler.Latest()](
                         int32_t partition) { return SpanOf(sample, partition); },
            .stop = [deadline] { return BootClock::now() > deadline || ShutdownRequested(); }};
  }

  Records TracePlace(lake::ObjectStore* store, const ApiRequest& request) const {
    ARROW_ASSIGN_OR_RAISE(
        const int64_t partition,
        QueryNumber(request, "partition", -1, 0, std::numeric_limits<int32_t>::max()));
    ARROW_ASSIGN_OR_RAISE(const int64_t offset, QueryNumber(request, "offset", -1, 0, kMostOffset));
    if (partition < 0 || offset < 0) {
      return Status::Invalid("give partition and offset, or ", refine::kEventId, ", or file");
    }
    return lineage::TraceRecord(store, world_.config, static_cast<int32_t>(partition), offset,
                                Options());
  }

  Records TraceId(lake::ObjectStore* store, const std::string& id) const {
    // Whether it finds anything would reveal the value.
    if (masking_.masks(refine::kEventId)) {
      return Refused(refine::kEventId, " is hidden by console.mask: give partition and offset");
    }
    return lineage::TraceEvent(store, world_.config, id, Options());
  }

  ordered_json Masked(const ColumnMask& mask, ordered_json record) const {
    if (!masking_.active()) return record;
    // Key, value and headers contain the fields; a cell's column may be one.
    if (record["quarantine"].is_object()) {
      for (const char* name : {"key", "value", "headers", "detail"}) {
        record["quarantine"]["row"][name] = kHidden;
      }
    }
    for (auto& cell : record["gold"]) {
      for (auto& column : cell["columns"]) {
        if (mask.hides(column["name"].get<std::string>())) {
          column["value"] = column["share"] = kHidden;
        }
      }
    }
    masking_.Apply(&record);
    HideColumns(mask, &record);
    return record;
  }

  // Of rows and of a cell's key, and in the paths of files.
  static void HideColumns(const ColumnMask& mask, ordered_json* value) {
    if (!value->is_structured()) return;
    for (auto& [name, member] : value->items()) {
      const bool has_path = name == "file" || name == "unknown" || name == "gold_unknown";
      if (has_path && member.is_string()) member = mask.HideIn(member.get<std::string>());
      if ((name == "row" || name == "key") && member.is_object()) {
        for (auto& [column, cell] : member.items()) {
          if (mask.hides(column)) cell = kHidden;
        }
      }
      HideColumns(mask, &member);
    }
  }

  const World& world_;
  LakeTables& tables_;
  const Masking& masking_;
  std::atomic<int> traces_{0};  // That run now.
};

}  // namespace

std::vector<ApiRoute> LineageRoutes(const World& world) {
  const auto api = std::make_shared<LineageApi>(world);
  return {{"GET", "/api/lineage",
           "The path of a record, by partition and offset or by its event id, into the lake and to "
           "its cells "
           "in Gold, or of a file back to its offsets",
           Read([api](const ApiRequest& request) { return api->Get(request); })}};
}

}  // namespace shopstream::console
