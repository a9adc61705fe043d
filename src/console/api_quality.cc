#include "console/api_quality.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/join.h"
#include "base/json.h"
#include "base/shutdown.h"
#include "console/lake_query.h"
#include "console/lake_tables.h"
#include "console/masking.h"
#include "console/query_number.h"
#include "ingest/cause.h"
#include "ingest/quarantine_replay.h"
#include "model/calendar.h"
#include "observe/quarantine.h"
#include "refine/dates.h"
#include "refine/rule_book.h"
#include "tables/columns.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kMostDates = 400;
constexpr int64_t kMostRecords = 500;
constexpr Millis kLongestReplay{20'000};  // Of one call; another one continues.
constexpr char kDuplicate[] = "duplicate";

// What became of the purchases of a date.
struct DateBooks {
  int64_t bronze = 0, silver = 0, rejected = 0, duplicates = 0;
  std::map<std::string, int64_t> by_rule;

  int64_t decided() const { return silver + rejected + duplicates; }
};
using Books = std::map<refine::Date, DateBooks>;

// By the log alone: the tables are partitioned by date.
Status CountByDate(const lake::Snapshot& snapshot, int64_t DateBooks::* member, Books* books) {
  Status status;
  snapshot.VisitFiles([&](const DataFile& file) {
    const auto date = refine::DateOf(file);
    if (status.ok()) status = date.status();
    if (date.ok()) (*books)[*date].*member += std::max<int64_t>(file.rows, 0);
  });
  return status;
}

// A row that breaks two rules counts for both of them, and once as rejected.
void CountReasons(const arrow::RecordBatch& rows, Books* books) {
  const auto& dates = static_cast<const arrow::Date32Array&>(*rows.column(0));
  const auto& reasons = static_cast<const arrow::StringArray&>(*rows.column(1));
  const auto& counts = static_cast<const arrow::Int64Array&>(*rows.column(2));
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    DateBooks& date =
        (*books)[dates.IsNull(row) ? refine::Date() : refine::Date(dates.Value(row))];
    const std::string text = reasons.IsNull(row) ? "" : reasons.GetString(row);
    (text == kDuplicate ? date.duplicates : date.rejected) += counts.Value(row);
    for (const std::string& rule : SplitList(text)) date.by_rule[rule] += counts.Value(row);
  }
}

ordered_json DateJson(const refine::Date& date, const DateBooks& books) {
  return {{"date", date ? ordered_json(FormatDate(*date)) : ordered_json()},
          {"bronze_rows", books.bronze},
          {"silver_rows", books.silver},
          {"rejected_rows", books.rejected},
          {"duplicate_rows", books.duplicates},
          // Above 0: not refined yet, or missing. Below: Bronze no longer has them.
          {"difference", books.bronze - books.decided()},
          {"by_rule", books.by_rule}};
}

class QualityApi {
 public:
  explicit QualityApi(const World& world)
      : config_(world.config), tables_(world.config), masking_(world.config.console.mask) {}

  Result<ordered_json> Report(const ApiRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const int64_t days,
                          QueryNumber(request, "days", 30, 1, kMostDates));
    ARROW_ASSIGN_OR_RAISE(const auto bronze, tables_.Newest(config_.lake.bronze_table));
    ARROW_ASSIGN_OR_RAISE(const auto silver, tables_.Newest(config_.refine.silver_table));
    ARROW_ASSIGN_OR_RAISE(const auto rejects, tables_.Newest(config_.refine.rejects_table));
    if (bronze == nullptr || silver == nullptr || rejects == nullptr) {
      return ordered_json{
          {"exists", false},
          {"reason", bronze == nullptr ? "the lake has no Bronze yet" : "refine has not run yet"},
          {"remedy", bronze == nullptr ? "shopstream ingest" : "shopstream refine"}};
    }
    ARROW_ASSIGN_OR_RAISE(const auto store, tables_.Store());
    Books books;
    ARROW_RETURN_NOT_OK(CountByDate(*bronze, &DateBooks::bronze, &books));
    ARROW_RETURN_NOT_OK(CountByDate(*silver, &DateBooks::silver, &books));
    ARROW_ASSIGN_OR_RAISE(const auto reasons,
                          AskLake(store.get(), config_,
                                  "SELECT date, reasons, count(*) FROM silver_rejects GROUP BY ALL"));
    CountReasons(*reasons, &books);
    return ReportOf(books, days);
  }

  Result<ordered_json> List(const ApiRequest& request) {
    const std::string cause = request.Query("cause");
    const auto causes = ingest::CauseNames();
    if (!cause.empty() && std::ranges::count(causes, cause) == 0) {
      return Status::Invalid("cause=", cause, ": causes are ", Joined(causes, ", "));
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t limit, QueryNumber(request, "limit", 100, 1, kMostRecords));
    const std::string& path = config_.lake.quarantine_table;
    ARROW_ASSIGN_OR_RAISE(const auto quarantine, tables_.Newest(path));
    if (quarantine == nullptr) {
      return ordered_json{{"exists", false}, {"reason", "nothing was ever quarantined"}};
    }
    ARROW_ASSIGN_OR_RAISE(const auto store, tables_.Store());
    ARROW_ASSIGN_OR_RAISE(const auto listing, observe::ListQuarantine(store.get(), path, cause,
                                                                      static_cast<size_t>(limit)));
    ordered_json records = ordered_json::array();
    for (const auto& row : listing.newest) {
      ordered_json record = {{"partition", row.partition},
                             {"offset", row.offset},
                             {"topic", row.topic},
                             {"cause", row.cause},
                             {"detail", masking_.active() ? kHidden : row.detail},
                             {"bytes", row.value ? ordered_json(row.value->size()) : nullptr}};
      const auto sent_ms = row.sent_ms();
      record["sent_ms"] = sent_ms ? ordered_json(*sent_ms) : ordered_json();
      record["quarantined_ms"] = row.quarantined_at_us / 1000;
      records.push_back(std::move(record));
    }
    return ordered_json{{"exists", true},
                        {"by_cause", listing.by_cause},
                        {"matching", listing.matching},
                        {"records", std::move(records)}};
  }

  Result<ordered_json> Show(const ApiRequest& request) {
    const auto partition = ParseWhole<int32_t>(request.http.captures.at(0));
    const auto offset = ParseWhole<int64_t>(request.http.captures.at(1));
    if (!partition || !offset) return Status::Invalid("partition and offset are whole numbers");
    ARROW_ASSIGN_OR_RAISE(const auto store, tables_.Store());
    ARROW_ASSIGN_OR_RAISE(
        const auto rows, observe::FindQuarantined(store.get(), config_.lake.quarantine_table,
                                                  *partition, *offset));
    if (rows.empty()) {
      return Status::KeyError("partition ", *partition, " offset ", *offset,
                              " is not in quarantine");
    }
    ordered_json records = ordered_json::array();
    for (const auto& row : rows) records.push_back(RecordJson(row));
    return ordered_json{{"records", std::move(records)}};
  }

  Result<Receipt> Replay(const ApiRequest& request) {
    const std::unique_lock alone(replaying_, std::try_to_lock);
    if (!alone) return Unavailable("another replay is running: wait for it to end");
    ARROW_ASSIGN_OR_RAISE(const auto filter, ParseFilter(request.body));
    ingest::ReplaySummary summary;
    ingest::QuarantineReplay::Options options;
    options.stop = [end = BootClock::now() + kLongestReplay] {
      return ShutdownRequested() || BootClock::now() > end;
    };
    options.progress = [&summary](const ingest::ReplaySummary& now) { summary = now; };
    const auto done = ingest::RunQuarantineReplay(config_, filter, std::move(options));
    if (!done.ok() && !done.status().IsCancelled()) return done.status();
    if (done.ok()) summary = *done;
    Receipt receipt;
    receipt.what = "replayed " + std::to_string(summary.replayed) + " quarantined records" +
                   (filter.cause.empty() ? "" : " with cause " + filter.cause);
    receipt.subject = config_.lake.quarantine_table;
    receipt.answer = nlohmann::json{{"replayed", summary.replayed},
                                    {"already_there", summary.already_there},
                                    {"awaits_ingest", summary.awaited},
                                    {"still_unreadable", summary.unreadable},
                                    {"commits", summary.commits},
                                    {"finished", done.ok()}};
    receipt.after = receipt.answer;
    return receipt;
  }

 private:
  Result<ordered_json> ReportOf(const Books& books, int64_t days) const {
    ordered_json dates = ordered_json::array();
    DateBooks total;
    for (auto date = books.rbegin(); date != books.rend(); ++date) {
      if (std::ssize(dates) < days) dates.push_back(DateJson(date->first, date->second));
      total.bronze += date->second.bronze;
      total.silver += date->second.silver;
      total.rejected += date->second.rejected;
      total.duplicates += date->second.duplicates;
      for (const auto& [rule, rows] : date->second.by_rule) total.by_rule[rule] += rows;
    }
    const int64_t difference = total.bronze - total.decided();
    ordered_json report = {{"exists", true},
                           {"closes", difference == 0},
                           {"difference", difference},
                           {"total", DateJson({}, total)},
                           {"dates", std::move(dates)},
                           {"all_dates", books.size()}};
    AddRules(total.by_rule, &report);
    return report;
  }

  // Rules without rejected rows are listed too: their absence would look like a mistake.
  void AddRules(std::map<std::string, int64_t> by_rule, ordered_json* report) const {
    ordered_json rules = ordered_json::array();
    const auto book = refine::ReadRuleBook(refine::RuleFiles::Of(config_.refine));
    if (!book.ok()) (*report)["rules_unknown"] = book.status().message();
    if (book.ok()) {
      for (const auto& rule : (*book)->rules.rules) {
        rules.push_back({{"rule", rule.name},
                         {"owner", rule.owner},
                         {"description", rule.description},
                         {"action", refine::NameOf(rule.action)},
                         {"rejected_rows", by_rule[rule.name]}});
        by_rule.erase(rule.name);
      }
    }
    for (const auto& [name, rows] : by_rule) {
      rules.push_back({{"rule", name}, {"action", "built in"}, {"rejected_rows", rows}});
    }
    std::stable_sort(rules.begin(), rules.end(), [](const ordered_json& a, const ordered_json& b) {
      return a["rejected_rows"].get<int64_t>() > b["rejected_rows"].get<int64_t>();
    });
    (*report)["rules"] = std::move(rules);
  }

  ordered_json RecordJson(const observe::QuarantinedRow& row) const {
    ordered_json json = observe::ToJson(row);
    json["quarantined_ms"] = row.quarantined_at_us / 1000;
    json["key_dump"] = row.key ? ordered_json(observe::HexDump(*row.key)) : ordered_json();
    json["value_dump"] = row.value ? ordered_json(observe::HexDump(*row.value)) : ordered_json();
    if (!masking_.active()) return json;
    // They contain the fields.
    for (const char* name : {"key", "value", "headers", "detail", "key_dump", "value_dump"}) {
      json[name] = kHidden;
    }
    return json;
  }

  static Result<ingest::ReplayFilter> ParseFilter(const nlohmann::json& body) {
    ingest::ReplayFilter filter;
    if (const auto cause = body.find("cause"); cause != body.end() && !cause->is_null()) {
      if (!cause->is_string()) return Status::Invalid("\"cause\" is not a text");
      filter.cause = cause->get<std::string>();
    }
    const auto causes = ingest::CauseNames();
    if (!filter.cause.empty() && std::ranges::count(causes, filter.cause) == 0) {
      return Status::Invalid("there is no cause ", filter.cause, ": causes are ",
                             Joined(causes, ", "));
    }
    for (const auto& [name, to] : {std::pair("since_ms", &filter.since_ms),
                                   std::pair("until_ms", &filter.until_ms)}) {
      const auto time = body.find(name);
      if (time == body.end() || time->is_null()) continue;
      if (!time->is_number_integer()) return Status::Invalid("\"", name, "\" is not a time");
      *to = time->get<int64_t>();
    }
    return filter;
  }

  const Config& config_;
  LakeTables tables_;
  const Masking masking_;
  std::mutex replaying_;
};

}  // namespace

std::vector<ApiRoute> QualityRoutes(const World& world) {
  const auto api = std::make_shared<QualityApi>(world);
  return {{"GET", "/api/quality",
           "What became of the purchases of each date, and rows by rule; days",
           Read([api](const ApiRequest& request) { return api->Report(request); })},
          {"GET", "/api/quarantine", "The newest quarantined records; cause, limit",
           Read([api](const ApiRequest& request) { return api->List(request); })},
          {"GET", "/api/quarantine/*/*", "A quarantined record with its bytes",
           Read([api](const ApiRequest& request) { return api->Show(request); })},
          {"POST", "/api/quarantine/replay",
           "Adds the records that are readable now to Bronze: cause, since_ms, until_ms",
           Change([api](const ApiRequest& request) { return api->Replay(request); })}};
}

}  // namespace shopstream::console
