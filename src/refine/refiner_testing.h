#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "refine/gold_files.h"
#include "refine/pass_testing.h"
#include "refine/refiner.h"
#include "refine/seen_index.h"
#include "refine/testing.h"
#include "simulate/memory_pages.h"

namespace shopstream::refine::testing {

inline constexpr char kSilver[] = "silver-events";
inline constexpr char kRejects[] = "silver-rejects";
inline const RefinePaths kPaths{
    .bronze = kBronze, .rejects = kRejects, .silver = kSilver, .gold_folder = "gold"};

inline constexpr char kRules[] = R"(
rules:
  - {name: positive_amount, owner: o, description: d, action: reject,
     range: {column: amount, above: 0}}
)";

// A refine that was started; it dies with this object.
struct Program {
  RefineTables tables;
  std::unique_ptr<SeenIndex> index;
  std::unique_ptr<SilverIds> ids;
  std::unique_ptr<GoldTables> gold;
  RefineStats stats;
  std::unique_ptr<Refiner> refiner;
};

class RefinerTest : public ::testing::Test {
 protected:
  void SetUp() override { StartOver(); }

  void StartOver() {
    store_ = std::make_unique<simulate::FaultyStore>(std::make_unique<simulate::MemoryStore>());
    pages_ = std::make_unique<simulate::MemoryPages>();
    bronze_ = *lake::Table::OpenOrCreate(store_->inner(), BronzeSpec());
  }

  // The rules of all programs from now on.
  void UseRules(const std::string& rules) {
    const auto book = Book(rules);
    book->fingerprint =
        FingerprintOf(book->rules, book->lookups, book->silver.text, book->late_after_seconds);
    book_ = book;
    ++rules_stamp_;
  }
  PassJudge* Judge() {
    if (judge_ == nullptr) {
      const RuleSource source{
          .stamp = [this] { return std::to_string(rules_stamp_); },
          .read = [this]() -> Result<std::shared_ptr<const RuleBook>> { return book_; }};
      const auto columns = *RefineColumns::Of(kPaths.bronze, *bronze_->snapshot());
      judge_ = *PassJudge::Open(source, columns, PassJudge::NewJudge({}));
    }
    return judge_.get();
  }

  Result<std::unique_ptr<Program>> Start(RefinerOptions options = {},
                                         simulate::MemoryPages* pages = nullptr) {
    auto program = std::make_unique<Program>();
    ARROW_ASSIGN_OR_RAISE(program->tables, OpenRefineTables(store_.get(), kPaths));
    ARROW_ASSIGN_OR_RAISE(program->index, SeenIndex::Open(pages == nullptr ? pages_.get() : pages,
                                                          {.table_id = "silver"}));
    program->ids = std::make_unique<SilverIds>(store_.get(), kSilver, program->index.get());
    program->gold = std::make_unique<GoldTables>(
        store_.get(), program->index.get(), GoldTables::Options{.folder = "gold", .engine = {}});
    ARROW_ASSIGN_OR_RAISE(const RefineColumns columns,
                          RefineColumns::Of(kPaths.bronze, *bronze_->snapshot()));
    ARROW_RETURN_NOT_OK(program->gold->TakeFiles(
        {.stamp = [this] { return std::to_string(gold_stamp_); },
         .read = [this]() -> Result<std::vector<GoldFile>> { return gold_files_; }},
        columns));
    options.commit_deadline = Millis{200};
    program->refiner = std::make_unique<Refiner>(RefinerParts{.store = store_.get(),
                                                              .tables = &program->tables,
                                                              .judge = Judge(),
                                                              .ids = program->ids.get(),
                                                              .gold = program->gold.get(),
                                                              .stats = &program->stats,
                                                              .erase_quarantine = erase_quarantine_,
                                                              .search = search_},
                                                 options);
    return program;
  }

  // Steps until nothing is left to do. The error of the first step that fails.
  Status Finish(Program* program) {
    for (int step = 0; step < 50; ++step) {
      ARROW_ASSIGN_OR_RAISE(const StepOutcome outcome, program->refiner->Step());
      if (outcome == StepOutcome::kIdle) return Status::OK();
      if (outcome == StepOutcome::kStandby) return Status::Cancelled("stands by");
      if (outcome == StepOutcome::kHalted) return Status::Cancelled("halted");
    }
    return Status::Invalid("it never ends");
  }
  Status Refine(RefinerOptions options = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto program, Start(options));
    return Finish(program.get());
  }
  void MustRefine(RefinerOptions options = {}) {
    const Status refined = Refine(options);
    ASSERT_TRUE(refined.ok()) << refined;
  }

  void Ingest(const std::vector<Purchase>& rows) { refine::testing::Ingest(bronze_.get(), rows); }
  std::vector<std::string> Silver(const std::vector<std::string>& columns = {"event_id",
                                                                             "kafka_offset"}) {
    return ReadLines(store_->inner(), kSilver, columns);
  }
  std::vector<std::string> Rejects(const std::vector<std::string>& columns = {"kafka_offset",
                                                                              "reasons"}) {
    return ReadLines(store_->inner(), kRejects, columns);
  }
  tables::RefineStanding Standing(const std::string& path) {
    const auto table = *lake::Table::Open(store_->inner(), path);
    return *tables::ReadRefineStanding(*table->snapshot());
  }

  // Calls of the store during one run.
  int CallsOf(const std::function<void()>& run) {
    int calls = 0;
    store_->OnAny().Calls([&](const std::string&) { ++calls; }).Always();
    run();
    store_->Heal();
    return calls;
  }
  // Runs after `prepare`, and is killed before and after the store does a call, once for each of
  // them or of every so many; then checks.
  void KillAtEvery(int calls_between, const std::function<void()>& prepare,
                   const std::function<Status()>& run, const std::function<void()>& check) {
    prepare();
    const int calls = CallsOf([&] { EXPECT_TRUE(run().ok()); });
    for (const bool reply_is_lost : {false, true}) {
      for (int call = 0; call < calls; call += calls_between) {
        SCOPED_TRACE("call " + std::to_string(call) + (reply_is_lost ? ", done" : ", not done"));
        prepare();
        auto& last = store_->OnAny().Skipping(call);
        reply_is_lost ? last.LosesReply() : last.FailsBefore();
        store_->OnAny().Skipping(call).FailsBefore().Always();
        EXPECT_FALSE(run().ok());
        store_->Heal();
        check();
        if (HasFailure()) return;
      }
    }
  }

  // Runs after `prepare`, while another refine does all that it can at one call of the store, once
  // for every so many calls; then checks. `others`: what it is started with.
  void InterruptAtEvery(int calls_between, const std::function<void()>& prepare,
                        const std::function<Status()>& run, const std::function<void()>& check,
                        const RefinerOptions& others = {}) {
    prepare();
    const int calls = CallsOf([&] { EXPECT_TRUE(run().ok()); });
    for (int call = 0; call < calls; call += calls_between) {
      SCOPED_TRACE("call " + std::to_string(call));
      prepare();
      simulate::MemoryPages elsewhere;
      const auto other = *Start(others, &elsewhere);
      bool done = false;
      store_->OnAny().Skipping(call).Calls([&](const std::string&) {
        if (std::exchange(done, true)) return;
        const Status second = Finish(other.get());
        // It stands by for a task of the first one.
        EXPECT_TRUE(second.ok() || (others.task && second.IsCancelled())) << second;
      });
      const Status first = run();
      // Its commit may run out of time while a task of the other one is done.
      EXPECT_TRUE(first.ok() || first.IsCancelled() || (others.task && IsUnavailable(first)))
          << first;
      store_->Heal();
      check();
      if (HasFailure()) return;
    }
  }

  std::unique_ptr<simulate::FaultyStore> store_;
  std::unique_ptr<simulate::MemoryPages> pages_;
  std::unique_ptr<lake::Table> bronze_;
  std::shared_ptr<const RuleBook> book_ = Book(kRules);
  int rules_stamp_ = 0;
  std::unique_ptr<PassJudge> judge_;
  std::vector<GoldFile> gold_files_;
  int gold_stamp_ = 0;
  tables::EraseQuarantine erase_quarantine_;
  lake::RemovalOptions search_;
};

}  // namespace shopstream::refine::testing
