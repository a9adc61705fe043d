#include "refine/silver_ids.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/log_entry.h"
#include "refine/dates.h"
#include "refine/pass_testing.h"
#include "refine/rules.h"
#include "simulate/memory_pages.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kOct24;

constexpr char kPath[] = "silver";

// A Silver that refine and other programs change, and the index that follows it.
class SilverIdsTest : public ::testing::Test {
 protected:
  using Ids = std::vector<std::string>;

  void SetUp() override {
    Create();
    Reopen();
  }
  void Create() {
    silver_ = *lake::Table::OpenOrCreate(
        &store_, {.path = kPath,
                  .schema = arrow::schema({arrow::field("event_id", arrow::utf8()),
                                           arrow::field(kRefinePass, arrow::int64()),
                                           arrow::field(tables::kDate, arrow::date32())}),
                  .partition_columns = {tables::kDate},
                  .properties = {}});
  }
  // The program starts again.
  void Reopen() {
    index_.reset();
    index_ = *SeenIndex::Open(&pages_, {.table_id = "silver"});
    ids_ = std::make_unique<SilverIds>(&store_, kPath, index_.get());
  }

  // What a pass of these rows finds repeated, in the order of the rows.
  Ids Repeated(const Ids& ids, int32_t date = kOct24) {
    EXPECT_TRUE(silver_->Refresh().ok());
    arrow::StringBuilder none;
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_TRUE(none.Append("").ok());
    std::shared_ptr<arrow::StringArray> accepted;
    EXPECT_TRUE(none.Finish(&accepted).ok());
    const PassRows rows{.rows = Rows(ids, date), .partition_of_row = {}, .partitions = {}};
    const auto reasons = ids_->AddDuplicates(*silver_->snapshot(), rows, accepted);
    EXPECT_TRUE(reasons.ok()) << reasons.status();
    Ids repeated;
    for (size_t i = 0; reasons.ok() && i < ids.size(); ++i) {
      if ((*reasons)->GetView(static_cast<int64_t>(i)) == kDuplicate) repeated.push_back(ids[i]);
    }
    return repeated;
  }

  // A pass of this refine; `follows`: the index is told of it.
  void Pass(const Ids& ids, int32_t date = kOct24, bool follows = true) {
    const int64_t version = Append(ids, date, ++pass_);
    if (!follows) return;
    JudgedRows rows{.rows = Rows(ids, date),
                    .silver = {},
                    .rejects = {},
                    .partition_of_row = {},
                    .partitions = {}};
    for (size_t i = 0; i < ids.size(); ++i) rows.silver.push_back(static_cast<int32_t>(i));
    EXPECT_TRUE(ids_->Add(rows, pass_, version).ok());
  }
  int64_t Append(const Ids& ids, int32_t date, std::optional<int64_t> pass) {
    lake::Changes changes;
    changes.written_since = BootClock::now();
    if (!ids.empty()) changes.adds = {Write(ids, date, pass)};
    if (pass) changes.txns["shopstream-refine"] = *pass;
    return testing::Commit(silver_.get(), lake::Unconditionally(changes));
  }
  // Another program rewrites all files of a date so that only these rows are left.
  void Rewrite(int32_t date, const Ids& left, bool data_change) {
    lake::Changes changes;
    changes.written_since = BootClock::now();
    changes.data_change = data_change;
    for (const DataFile& file : silver_->snapshot()->Files()) {
      if (*DateOf(file) == date) changes.removes.push_back(file);
    }
    if (!left.empty()) changes.adds = {Write(left, date, pass_)};
    testing::Commit(silver_.get(), lake::Unconditionally(changes));
  }

  // Reads of Silver's data files by a look-up: none if the index knows the date.
  int64_t ReadsOf(const Ids& ids) {
    int64_t reads = 0;
    store_.On(simulate::Operation::kGet, ".parquet").Calls([&](const auto&) { ++reads; }).Always();
    store_.On(simulate::Operation::kOpenInput, ".parquet")
        .Calls([&](const auto&) { ++reads; })
        .Always();
    Repeated(ids);
    store_.Heal();
    return reads;
  }

  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  simulate::MemoryPages pages_;
  std::unique_ptr<lake::Table> silver_;
  std::unique_ptr<SeenIndex> index_;
  std::unique_ptr<SilverIds> ids_;
  int64_t pass_ = 0;

 private:
  static std::shared_ptr<arrow::RecordBatch> Rows(const Ids& ids, int32_t date) {
    std::vector<testing::Purchase> purchases;
    for (const std::string& id : ids) {
      purchases.push_back({.id = id, .offset = std::ssize(purchases), .date = date});
    }
    const auto rows = testing::RowsOf(purchases);
    const auto dates = *arrow::MakeArrayFromScalar(arrow::Date32Scalar(date), rows->num_rows());
    return *rows->AddColumn(rows->num_columns(), tables::kDate, dates);
  }
  DataFile Write(const Ids& ids, int32_t date, std::optional<int64_t> pass) {
    arrow::StringBuilder texts;
    arrow::Int64Builder passes;
    for (const std::string& id : ids) {
      EXPECT_TRUE(texts.Append(id).ok());
      EXPECT_TRUE((pass ? passes.Append(*pass) : passes.AppendNull()).ok());
    }
    const auto rows =
        arrow::RecordBatch::Make(arrow::schema({arrow::field("event_id", arrow::utf8()),
                                                arrow::field(kRefinePass, arrow::int64())}),
                                 std::ssize(ids), {*texts.Finish(), *passes.Finish()});
    return *lake::WriteDataFile(store_.inner(), kPath, PartitionOf(date), rows);
  }
};

TEST_F(SilverIdsTest, FollowsItsOwnPasses) {
  EXPECT_THAT(Repeated({"a", "b", "a"}), ElementsAre("a")) << "twice in one pass";
  Pass({"a", "b"});
  EXPECT_THAT(Repeated({"a", "c", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(Repeated({"a"}, kOct24 + 1), IsEmpty()) << "another date";
  Pass({"c"});
  EXPECT_EQ(2, index_->stamp("ids")->pass);
  EXPECT_EQ(0, ReadsOf({"a", "b", "c"})) << "it knows them without Silver";
}

TEST_F(SilverIdsTest, CatchesUpWithPassesThatItMissed) {
  Repeated({"a"});
  Pass({"a"});
  Pass({"b"}, kOct24, /*follows=*/false);
  Pass({}, kOct24, false);
  Rewrite(kOct24, {"a", "b"}, /*data_change=*/false);
  EXPECT_THAT(Repeated({"b", "c", "a"}), ElementsAre("b", "a"));
  EXPECT_EQ(3, index_->stamp("ids")->pass);
  EXPECT_EQ(silver_->snapshot()->version(), index_->stamp("ids")->version);
}

TEST_F(SilverIdsTest, ALostIndexIsBuiltFromSilver) {
  Pass({"a"}, kOct24, false);
  Pass({"b"}, kOct24 + 1, false);
  EXPECT_THAT(Repeated({"a", "b"}), ElementsAre("a"));
  EXPECT_THAT(Repeated({"a", "b"}, kOct24 + 1), ElementsAre("b"));
  Reopen();
  EXPECT_EQ(0, ReadsOf({"a"})) << "a restart keeps it";
}

TEST_F(SilverIdsTest, AnotherHistoryOfSilverIsNoticed) {
  Repeated({"a"});
  Pass({"a", "b"});
  for (const auto& entry : *store_.List(kPath, "")) ASSERT_TRUE(store_.Delete(entry.path).ok());
  Create();
  pass_ = 0;
  Pass({"b"}, kOct24, false);
  EXPECT_THAT(Repeated({"a", "b"}), ElementsAre("b"));
}

TEST_F(SilverIdsTest, WhatAnotherProgramDeletesIsNoLongerSeen) {
  Repeated({"a"});
  Repeated({"x"}, kOct24 + 1);
  Pass({"a", "b"});
  Pass({"x"}, kOct24 + 1);
  Rewrite(kOct24, {"b"}, /*data_change=*/true);
  EXPECT_THAT(Repeated({"a", "b"}), ElementsAre("b"));
  EXPECT_THAT(Repeated({"x"}, kOct24 + 1), ElementsAre("x"));
  Pass({"a"});
  EXPECT_THAT(Repeated({"a", "b"}), ElementsAre("a", "b"));
}

TEST_F(SilverIdsTest, ADeletionJustBeforeAPassIsNotMissed) {
  Repeated({"a"});
  Pass({"a", "b"});
  EXPECT_THAT(Repeated({"c"}), IsEmpty());
  Rewrite(kOct24, {"b"}, true);
  Pass({"c"});
  EXPECT_THAT(Repeated({"a", "b", "c"}), ElementsAre("b", "c"));
}

TEST_F(SilverIdsTest, ACommitWithoutAnIdIsFollowedLikeOthers) {
  Repeated({"a"});
  Pass({"a", "b"});
  Rewrite(kOct24, {"b"}, true);
  const std::string entry = lake::LogEntryPath(kPath, silver_->snapshot()->version());
  std::string text = (*store_.Get(entry))->ToString();
  text.replace(text.find("txnId"), 5, "other");
  ASSERT_TRUE(store_.Put(entry, *arrow::Buffer::FromString(text)).ok());
  silver_ = *lake::Table::Open(&store_, kPath);
  EXPECT_THAT(Repeated({"a", "b"}), ElementsAre("b"));
  EXPECT_EQ(0, ReadsOf({"a", "b"})) << "its date is not forgotten again";
}

TEST_F(SilverIdsTest, WhatAnotherProgramAddsIsSeen) {
  Repeated({"a"});
  Pass({"a"});
  Append({"z"}, kOct24, std::nullopt);
  EXPECT_THAT(Repeated({"z", "a", "b"}), ElementsAre("z", "a"));
}

}  // namespace
}  // namespace shopstream::refine
