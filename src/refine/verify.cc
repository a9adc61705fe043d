#include "refine/verify.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/error_kind.h"
#include "base/join.h"
#include "lake/delta/table.h"
#include "refine/all_rows.h"
#include "refine/columns.h"
#include "refine/date_groups.h"
#include "refine/decided_rows.h"
#include "refine/fingerprint_uses.h"
#include "refine/gold_merge.h"
#include "refine/gold_sources.h"
#include "refine/gold_table.h"
#include "refine/judge.h"
#include "refine/lookup_tables.h"
#include "refine/verify_sql.h"
#include "sql/lake_rows.h"
#include "tables/complete_pass.h"
#include "tables/refine_state.h"
#include "tables/refine_task.h"

namespace shopstream::refine {
namespace {

using SnapshotPtr = std::shared_ptr<const lake::Snapshot>;

std::vector<std::string> SplitNames(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream parts(text);
  for (std::string name; std::getline(parts, name, kBetweenNames);) names.push_back(name);
  return names;
}

const arrow::StringArray& TextsOf(const arrow::RecordBatch& rows, int column) {
  return static_cast<const arrow::StringArray&>(*rows.column(column));
}

// A Gold table that is compared.
struct ComparedGold {
  const GoldFile* file = nullptr;
  std::string path, name;  // `name`: in SQL.
  SnapshotPtr snapshot;
  std::shared_ptr<arrow::Schema> schema = nullptr;
  std::unique_ptr<sql::LakeRows> rows = nullptr;
};

class Verifier {
 public:
  Verifier(lake::ObjectStore* store, const RefinePaths& paths, std::shared_ptr<const RuleBook> book,
           const VerifyOptions& options)
      : store_(store),
        paths_(paths),
        book_(std::move(book)),
        options_(options),
        fingerprint_(ShortHash(book_->fingerprint)),
        lookups_(book_->lookups) {}

  Status OpenTables(const std::vector<GoldFile>& gold);
  Status OpenEngine();
  Result<VerifyReport> Compare(const std::function<bool()>& stop,
                               const std::function<void(const VerifyProgress&)>& on_progress);

 private:
  Status OpenGold(const std::vector<GoldFile>& files, const tables::CompletePass& complete);
  Status ReadHorizons();
  Status CheckSql();
  Result<std::vector<std::vector<Date>>> Groups() const;
  bool IsLeftAlone(Date date, const std::vector<std::string>& tables) const;
  std::vector<Date> Kept(const std::vector<Date>& dates,
                         const std::vector<std::string>& tables) const;

  Status CompareRows(const std::vector<Date>& dates);
  Status CompareGold(const std::vector<Date>& dates, ComparedGold* gold);
  Status AddDifferences(const sql::SqlText& sql);
  Status AddDifference(const arrow::RecordBatch& rows, int64_t row);
  Status AddEarlierRules();
  Result<int64_t> Count(const std::string& from);
  std::string PathOf(const std::string& table) const;
  void Narrow(const std::vector<Date>& dates);

  lake::ObjectStore* const store_;
  const RefinePaths& paths_;
  const std::shared_ptr<const RuleBook> book_;
  const VerifyOptions& options_;
  const std::string fingerprint_;

  VerifyReport report_;
  GoldSources sources_;
  SnapshotPtr bronze_;
  RefineColumns columns_;
  JudgeText text_;
  std::vector<FingerprintUse> uses_;
  std::map<size_t, EarlierRules> earlier_;  // By number of the use, plus one.
  std::vector<ComparedGold> gold_;

  // Destroyed after the engine.
  LookupTables lookups_;
  std::unique_ptr<DecidedRows> decided_;
  std::unique_ptr<sql::LakeRows> all_bronze_, silver_, rejects_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
};

// Refine's tables first, so that Bronze has everything that they have.
Status Verifier::OpenTables(const std::vector<GoldFile>& files) {
  ARROW_RETURN_NOT_OK(ReadNewest(store_, paths_.bronze, "shopstream ingest").status());
  ARROW_ASSIGN_OR_RAISE(const auto newest_rejects,
                        ReadNewest(store_, paths_.rejects, "shopstream refine"));
  ARROW_ASSIGN_OR_RAISE(const auto task, tables::ReadRefineTask(*newest_rejects));
  tables::RefinedPaths refined{.silver = paths_.silver, .rejects = paths_.rejects, .gold = {}};
  for (const GoldFile& file : files) {
    const std::string path = paths_.gold_folder + "/" + file.name;
    const auto table = lake::Table::Open(store_, path);
    if (table.status().IsKeyError()) {
      report_.left_out[path] = "it is not built yet";
    } else if (table.ok() && !IsBuilt(*(*table)->snapshot(), file)) {
      report_.left_out[path] = "other SQL made it; the next refine rebuilds it";
    } else {
      ARROW_RETURN_NOT_OK(table.status());
      refined.gold.push_back(path);
    }
  }
  const auto newest = [this](const std::string& path) {
    return ReadNewest(store_, path, "shopstream refine");
  };
  ARROW_ASSIGN_OR_RAISE(const auto complete, tables::ReadCompletePass(store_, refined, newest));
  ARROW_ASSIGN_OR_RAISE(bronze_, ReadNewest(store_, paths_.bronze, "shopstream ingest"));
  ARROW_ASSIGN_OR_RAISE(columns_, RefineColumns::Of(paths_.bronze, *bronze_));
  if (task && task->kind == tables::TaskKind::kErase && task->pass > complete.pass) {
    return Unavailable(
        "rows are being erased, first from Bronze: verify again once `shopstream refine status` "
        "shows no open task");
  }
  report_.pass = complete.pass;
  sources_ = WithColumns({store_, paths_.silver, paths_.rejects, complete.tables.at(paths_.silver),
                          complete.tables.at(paths_.rejects)},
                         columns_);
  ARROW_ASSIGN_OR_RAISE(uses_, ReadFingerprintUses(*sources_.rejects));
  ARROW_RETURN_NOT_OK(OpenGold(files, complete));
  return ReadHorizons();
}

Status Verifier::OpenGold(const std::vector<GoldFile>& files,
                          const tables::CompletePass& complete) {
  for (const GoldFile& file : files) {
    const std::string path = paths_.gold_folder + "/" + file.name;
    const auto found = complete.tables.find(path);
    if (found == complete.tables.end()) continue;
    if (tables::RefinePass(*found->second) != complete.pass || !IsBuilt(*found->second, file)) {
      report_.left_out[path] = "it does not hold the pass; the next refine rebuilds it";
      continue;
    }
    gold_.push_back(
        {.file = &file, .path = path, .name = "gold_" + file.name, .snapshot = found->second});
  }
  return Status::OK();
}

Status Verifier::ReadHorizons() {
  std::map<std::string, SnapshotPtr> tables = {{paths_.bronze, bronze_},
                                               {paths_.silver, sources_.silver},
                                               {paths_.rejects, sources_.rejects}};
  for (const ComparedGold& gold : gold_) tables[gold.path] = gold.snapshot;
  for (const auto& [path, snapshot] : tables) {
    report_.versions[path] = snapshot->version();
    ARROW_ASSIGN_OR_RAISE(const auto horizon, tables::ReadHorizon(*snapshot));
    if (horizon) report_.horizons[path] = *horizon;
  }
  return Status::OK();
}

// Their own errors name file and line.
Status Verifier::CheckSql() {
  ARROW_ASSIGN_OR_RAISE(const auto judge, Judge::Open(book_, columns_, options_.engine));
  text_ = judge->text();
  for (ComparedGold& gold : gold_) {
    ARROW_ASSIGN_OR_RAISE(const auto merge, GoldMerge::Open(*gold.file, columns_, options_.engine));
    gold.schema = merge->schema();
  }
  return Status::OK();
}

Status Verifier::OpenEngine() {
  ARROW_RETURN_NOT_OK(CheckSql());
  ARROW_ASSIGN_OR_RAISE(const auto standing, tables::ReadRefineStanding(*sources_.silver));
  ARROW_ASSIGN_OR_RAISE(decided_, DecidedRows::Open(store_, paths_.bronze, bronze_, standing));
  all_bronze_ = std::make_unique<sql::LakeRows>(store_, paths_.bronze, bronze_);
  silver_ = std::make_unique<sql::LakeRows>(store_, paths_.silver, sources_.silver);
  rejects_ = std::make_unique<sql::LakeRows>(store_, paths_.rejects, sources_.rejects);
  ARROW_ASSIGN_OR_RAISE(engine_, sql::Engine::Open(options_.engine));
  ARROW_ASSIGN_OR_RAISE(session_, engine_->Connect());
  ARROW_RETURN_NOT_OK(lookups_.Register(session_.get()));
  ARROW_RETURN_NOT_OK(session_->Register("bronze_events", decided_.get()));
  ARROW_RETURN_NOT_OK(session_->Register("all_bronze", all_bronze_.get()));
  ARROW_RETURN_NOT_OK(session_->Register("silver_events", silver_.get()));
  ARROW_RETURN_NOT_OK(session_->Register("silver_rejects", rejects_.get()));
  for (ComparedGold& gold : gold_) {
    gold.rows = std::make_unique<sql::LakeRows>(store_, gold.path, gold.snapshot);
    ARROW_RETURN_NOT_OK(session_->Register(gold.name, gold.rows.get()));
  }
  return Status::OK();
}

bool Verifier::IsLeftAlone(Date date, const std::vector<std::string>& tables) const {
  return date && std::ranges::any_of(tables, [&](const std::string& table) {
           const auto horizon = report_.horizons.find(table);
           return horizon != report_.horizons.end() && *date < horizon->second;
         });
}

std::vector<Date> Verifier::Kept(const std::vector<Date>& dates,
                                 const std::vector<std::string>& tables) const {
  std::vector<Date> kept;
  std::ranges::copy_if(dates, std::back_inserter(kept),
                       [&](Date date) { return !IsLeftAlone(date, tables); });
  return kept;
}

Result<std::vector<std::vector<Date>>> Verifier::Groups() const {
  std::vector<SnapshotPtr> tables = {bronze_, sources_.silver, sources_.rejects};
  for (const ComparedGold& gold : gold_) tables.push_back(gold.snapshot);
  const auto wants = [this](Date date) {
    const auto& range = options_.dates;
    return !range || (date && *date >= range->first && *date <= range->last);
  };
  return GroupDates(tables, wants, options_.group_rows);
}

Result<VerifyReport> Verifier::Compare(
    const std::function<bool()>& stop,
    const std::function<void(const VerifyProgress&)>& on_progress) {
  if (report_.pass == 0) return std::move(report_);
  ARROW_ASSIGN_OR_RAISE(const auto groups, Groups());
  VerifyProgress progress;
  for (const auto& dates : groups) progress.all_dates += std::ssize(dates);
  on_progress(progress);
  for (const auto& dates : groups) {
    report_.finished = !stop();
    if (report_.finished) ARROW_RETURN_NOT_OK(CompareRows(dates));
    for (ComparedGold& gold : gold_) {
      report_.finished = report_.finished && !stop();
      if (report_.finished) ARROW_RETURN_NOT_OK(CompareGold(dates, &gold));
    }
    if (!report_.finished) break;
    progress.dates += std::ssize(dates);
    on_progress(progress);
  }
  report_.dates = progress.dates;
  for (auto& [number, rules] : earlier_) report_.earlier_rules.push_back(std::move(rules));
  return std::move(report_);
}

Status Verifier::CompareRows(const std::vector<Date>& all_dates) {
  const auto dates = Kept(all_dates, {paths_.bronze, paths_.silver, paths_.rejects});
  if (dates.empty()) return Status::OK();
  Narrow(dates);
  for (const std::string& statement : CreateVerdicts(text_, uses_)) {
    ARROW_RETURN_NOT_OK(session_->Run(statement));
  }
  ARROW_RETURN_NOT_OK(session_->Run(CreateDiffering(text_)));
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, Count("verdicts WHERE expected IS NOT NULL"));
  report_.rows += rows;
  ARROW_RETURN_NOT_OK(AddDifferences(RowDifferences(uses_, fingerprint_)));
  ARROW_RETURN_NOT_OK(AddEarlierRules());
  ARROW_RETURN_NOT_OK(session_->Run("DROP TABLE verdicts"));
  ARROW_RETURN_NOT_OK(session_->Run("DROP TABLE differing"));
  ARROW_ASSIGN_OR_RAISE(
      const int64_t others,
      Count("all_bronze WHERE kafka_topic_id IS NULL OR kafka_partition IS NULL "
            "OR kafka_offset IS NULL OR kafka_partition < 0 OR kafka_offset < 0"));
  report_.rows_without_coordinates += others;
  return Status::OK();
}

Status Verifier::CompareGold(const std::vector<Date>& all_dates, ComparedGold* gold) {
  const auto dates = Kept(all_dates, {paths_.silver, paths_.rejects, gold->path});
  if (dates.empty()) return Status::OK();
  Narrow(dates);
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, Count(gold->name));
  report_.gold_rows += rows;
  return AddDifferences(GoldDifferences(*gold->file, *gold->schema, gold->name));
}

void Verifier::Narrow(const std::vector<Date>& dates) {
  const auto condition = OfDates(dates);
  decided_->Narrow(condition);
  for (sql::LakeRows* rows : {all_bronze_.get(), silver_.get(), rejects_.get()}) {
    rows->Narrow(condition);
  }
  for (const ComparedGold& gold : gold_) gold.rows->Narrow(condition);
}

Result<int64_t> Verifier::Count(const std::string& from) {
  ARROW_ASSIGN_OR_RAISE(auto queries, session_->Prepare({"SELECT count(*) FROM " + from, "", 1}));
  ARROW_ASSIGN_OR_RAISE(const auto rows, AllRows(&queries.front()));
  return static_cast<const arrow::Int64Array&>(*rows->column(0)).Value(0);
}

Status Verifier::AddDifferences(const sql::SqlText& sql) {
  ARROW_ASSIGN_OR_RAISE(auto queries, session_->Prepare(sql));
  ARROW_ASSIGN_OR_RAISE(const auto stream, queries.front().Stream());
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, stream->Next());
    if (rows == nullptr) return Status::OK();
    report_.difference_count += rows->num_rows();
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      ARROW_RETURN_NOT_OK(AddDifference(*rows, row));
    }
  }
}

Status Verifier::AddDifference(const arrow::RecordBatch& rows, int64_t row) {
  const bool is_listed = std::ssize(report_.differences) < options_.most_differences;
  if (!is_listed && !options_.on_difference) return Status::OK();
  constexpr int kFirstOfKey = 5;
  VerifyDifference difference{.table = PathOf(TextsOf(rows, 1).GetString(row)),
                              .kind = TextsOf(rows, 0).GetString(row),
                              .key = {},
                              .columns = SplitNames(TextsOf(rows, 2).GetString(row)),
                              .expected = TextsOf(rows, 3).GetString(row),
                              .found = TextsOf(rows, 4).GetString(row)};
  for (int column = kFirstOfKey; column < rows.num_columns(); ++column) {
    const auto& texts = TextsOf(rows, column);
    difference.key.emplace_back(
        rows.column_name(column),
        texts.IsNull(row) ? std::nullopt : std::optional(texts.GetString(row)));
  }
  if (options_.on_difference) ARROW_RETURN_NOT_OK(options_.on_difference(difference));
  if (is_listed) report_.differences.push_back(std::move(difference));
  return Status::OK();
}

std::string Verifier::PathOf(const std::string& table) const {
  if (table == "bronze") return paths_.bronze;
  if (table == "silver") return paths_.silver;
  if (table == "rejects") return paths_.rejects;
  return paths_.gold_folder + "/" + table;
}

Status Verifier::AddEarlierRules() {
  ARROW_ASSIGN_OR_RAISE(auto queries, session_->Prepare(RowsOfOtherRules(uses_, fingerprint_)));
  ARROW_ASSIGN_OR_RAISE(const auto found, AllRows(&queries.front()));
  const auto& uses = static_cast<const arrow::Int32Array&>(*found->column(0));
  const auto& rows = static_cast<const arrow::Int64Array&>(*found->column(1));
  const auto& first = static_cast<const arrow::Date32Array&>(*found->column(2));
  const auto& last = static_cast<const arrow::Date32Array&>(*found->column(3));
  for (int64_t row = 0; row < found->num_rows(); ++row) {
    const auto number = static_cast<size_t>(uses.Value(row) + 1);
    EarlierRules& rules = earlier_[number];
    if (number > 0) {
      rules.fingerprint = uses_[number - 1].fingerprint;
      rules.first_pass = uses_[number - 1].first_pass;
    }
    rules.rows += rows.Value(row);
    if (first.IsNull(row)) continue;
    rules.first_date = std::min(rules.first_date.value_or(first.Value(row)), first.Value(row));
    rules.last_date = std::max(rules.last_date.value_or(last.Value(row)), last.Value(row));
  }
  return Status::OK();
}

}  // namespace

Result<VerifyReport> VerifyRefined(lake::ObjectStore* store, const RefinePaths& paths,
                                   std::shared_ptr<const RuleBook> book,
                                   const std::vector<GoldFile>& gold, const VerifyOptions& options,
                                   const std::function<bool()>& stop,
                                   const std::function<void(const VerifyProgress&)>& on_progress) {
  Verifier verifier(store, paths, std::move(book), options);
  ARROW_RETURN_NOT_OK(verifier.OpenTables(gold));
  ARROW_RETURN_NOT_OK(verifier.OpenEngine());
  return verifier.Compare(stop, on_progress);
}

}  // namespace shopstream::refine
