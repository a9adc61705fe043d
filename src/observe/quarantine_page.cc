#include "observe/quarantine_page.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "base/json.h"
#include "base/number.h"
#include "lake/parquet/file_predicate.h"
#include "lake/parquet/statistics_bound.h"
#include "tables/columns.h"
#include "tables/progress.h"
#include "tables/record_types.h"

namespace shopstream::observe {
namespace {

using tables::QuarantinedRow;
using tables::QuarantinedRows;

constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();

// A file, with bounds of its rows' quarantined_at.
struct BoundedFile {
  DataFile file;
  int64_t least = kFirst, most = kLast;
};

int64_t BoundOf(const nlohmann::json& statistics, bool is_max) {
  const int64_t none = is_max ? kLast : kFirst;
  const auto bounds = statistics.find(is_max ? "maxValues" : "minValues");
  if (bounds == statistics.end() || !bounds->is_object()) return none;
  const auto bound = bounds->find(tables::kQuarantinedAt);
  if (bound == bounds->end()) return none;
  const auto value = lake::ParseBoundJson(DumpJson(*bound), tables::Instant(), is_max);
  return value == nullptr ? none : static_cast<const arrow::TimestampScalar&>(*value).value;
}

// Those that may have rows of the page, newest first.
std::vector<BoundedFile> FilesOf(const lake::Snapshot& quarantine,
                                 const QuarantinePageRequest& request) {
  lake::FilePredicate wanted;
  if (!request.cause.empty()) {
    const auto cause = std::make_shared<arrow::StringScalar>(request.cause);
    wanted = lake::ColumnRange{.column = tables::kCause, .least = cause, .most = cause};
  }
  const int64_t last = request.before ? request.before->quarantined_at_us : kLast;
  std::vector<BoundedFile> files;
  quarantine.VisitFiles([&](const DataFile& file) {
    if (!wanted.MayMatch(file)) return;
    BoundedFile bounded{.file = file};
    const nlohmann::json statistics = ParseJson(file.statistics);
    if (statistics.is_object()) {
      bounded.least = BoundOf(statistics, false);
      bounded.most = BoundOf(statistics, true);
    }
    if (bounded.least <= last) files.push_back(std::move(bounded));
  });
  std::ranges::sort(files, [](const BoundedFile& a, const BoundedFile& b) {
    return std::tie(a.most, a.file.path) > std::tie(b.most, b.file.path);
  });
  return files;
}

// The newest rows so far, newest first.
class Newest {
 public:
  explicit Newest(const QuarantinePageRequest& request) : request_(request) {}

  void Offer(const QuarantinedRows& rows) {
    for (int64_t row = 0; row < rows.size(); ++row) {
      if (!request_.cause.empty() && rows.CauseAt(row) != request_.cause) continue;
      QuarantinePlace place{rows.QuarantinedAtAt(row),
                            std::string(rows.coordinates().TopicIdAt(row).value_or("")),
                            rows.coordinates().PartitionAt(row).value_or(-1),
                            rows.coordinates().OffsetAt(row).value_or(-1)};
      if (request_.before && place >= *request_.before) continue;
      if (full() && place <= rows_.begin()->first) continue;
      rows_.insert_or_assign(std::move(place), rows.ReadSummary(row));
      // One more than the page, which shows whether there is a next one.
      if (rows_.size() > request_.limit + 1) rows_.erase(rows_.begin());
    }
  }

  bool full() const { return rows_.size() > request_.limit; }
  int64_t least() const { return rows_.begin()->first.quarantined_at_us; }
  std::map<QuarantinePlace, QuarantinedRow>& rows() { return rows_; }

 private:
  const QuarantinePageRequest& request_;
  std::map<QuarantinePlace, QuarantinedRow> rows_;  // Oldest first.
};

}  // namespace

std::string Format(const QuarantinePlace& place) {
  return std::to_string(place.quarantined_at_us) + "." + std::to_string(place.partition) + "." +
         std::to_string(place.offset) + "." + place.topic_id;
}

Result<QuarantinePlace> ParseQuarantinePlace(std::string_view text) {
  const std::string_view whole = text;
  const auto number = [&text]() -> std::optional<int64_t> {
    const size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto parsed = ParseWhole<int64_t>(text.substr(0, dot));
    text.remove_prefix(dot + 1);
    return parsed;
  };
  const auto at = number(), partition = number(), offset = number();
  if (!at || !partition || !offset || *partition != static_cast<int32_t>(*partition)) {
    return Status::Invalid("'", whole, "' is not a place in quarantine");
  }
  return QuarantinePlace{*at, std::string(text), static_cast<int32_t>(*partition), *offset};
}

Result<QuarantinePage> ReadQuarantinePage(lake::ObjectStore* store, const std::string& table_path,
                                          const lake::Snapshot& quarantine,
                                          const QuarantinePageRequest& request) {
  const std::vector<BoundedFile> files = FilesOf(quarantine, request);
  QuarantinePage page;
  Newest newest(request);
  const auto offer = [&](const QuarantinedRows& rows) {
    newest.Offer(rows);
    return Status::OK();
  };
  // Where the page begins; an unread file whose rows are all older leaves the others certain.
  const int64_t begin = request.before ? request.before->quarantined_at_us : kLast;
  int64_t unread_most = kFirst;
  for (const BoundedFile& file : files) {
    if (newest.full() && newest.least() > file.most) break;
    if (page.files_read > 0 && file.most + 1 < begin && file.most != kLast &&
        BootClock::now() >= request.deadline) {
      page.out_of_time = true;
      unread_most = file.most;
      break;
    }
    ARROW_RETURN_NOT_OK(
        tables::VisitQuarantined(store, table_path, file.file, quarantine.schema(), offer));
    ++page.files_read;
  }
  for (auto row = newest.rows().rbegin(); row != newest.rows().rend(); ++row) {
    if (page.out_of_time && row->first.quarantined_at_us <= unread_most) break;
    if (page.rows.size() == request.limit) {
      page.out_of_time = false;
      page.next = std::prev(row)->first;
      return page;
    }
    page.rows.push_back(std::move(row->second));
  }
  if (page.out_of_time) page.next = QuarantinePlace{unread_most + 1, "", -1, -1};
  return page;
}

Result<ReplayedByTopic> ReadAllReplayed(lake::ObjectStore* store, const lake::Snapshot& bronze) {
  ReplayedByTopic all;
  const auto add = [&](const lake::Snapshot& table) -> Status {
    for (const auto& [key, next] : tables::ReadProgress(bronze.Txns())) {
      ARROW_ASSIGN_OR_RAISE(const auto replayed, tables::ReadReplayed(table, key.topic_id));
      all[key.topic_id].Merge(replayed);
    }
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(add(bronze));
  ARROW_ASSIGN_OR_RAISE(const auto types, tables::ReadRecordTypes(bronze));
  for (const auto& [type, path] : types) {
    ARROW_ASSIGN_OR_RAISE(const auto side, tables::OpenSideTable(store, path, type));
    ARROW_RETURN_NOT_OK(add(*side->snapshot()));
  }
  return all;
}

}  // namespace shopstream::observe
