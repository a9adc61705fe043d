#include "backup/create.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "lake/testing.h"
#include "tables/refine_state.h"

namespace shopstream::backup {
namespace {

using lake::testing::FaultyStore;
using lake::testing::kPath;
using lake::testing::MemoryStore;
using simulate::Operation;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CreateTest : public lake::testing::LakeTest {
 protected:
  Result<Manifest> TryCreate(const CreateOptions& options = {.threads = 1}) {
    return backup::Create(store_.get(), &place_, config_.lake, config_.refine, options);
  }
  void CreateTable(const std::string& path) {
    lake::TableSpec spec = lake::testing::SmallSpec();
    spec.path = path;
    ASSERT_TRUE(lake::Table::OpenOrCreate(store_->inner(), spec).ok());
  }
  void CommitPass(const std::string& path, int64_t pass, std::vector<DataFile> adds,
                  std::vector<DataFile> removes) {
    const auto table = lake::Table::Open(store_->inner(), path).ValueOrDie();
    lake::Changes changes;
    changes.adds = std::move(adds);
    if (!changes.adds.empty()) changes.written_since = BootClock::now();
    changes.removes = std::move(removes);
    tables::RefineStanding standing;
    standing.pass = pass;
    changes.txns = tables::RefineTxns(standing);
    const auto done =
        table->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{20000});
    ASSERT_TRUE(done.ok()) << done.status();
  }
  static std::vector<std::string> PathsOf(const Manifest& manifest) {
    std::vector<std::string> paths;
    for (const BackedUpTable& table : manifest.tables) paths.push_back(table.path);
    return paths;
  }

  MemoryStore place_;
  Config config_;
};

TEST_F(CreateTest, ReadsThePartsAfterTheTablesArePinned) {
  Append(0);
  CreateOptions options;
  options.parts = [this] {
    Append(10);
    return Parts{{"registry.json", std::string("{}")}};
  };
  const Manifest manifest = TryCreate(options).ValueOrDie();
  EXPECT_EQ(1, manifest.tables[0].version);
  EXPECT_EQ(1, manifest.parts.count("registry.json"));
}

TEST_F(CreateTest, TakesASideTableThatIsCreatedMeanwhile) {
  store_->On(Operation::kGet, lake::LogEntryPath(kPath, 0)).Calls([this](const std::string&) {
    CreateTable(std::string(kPath) + "-orders");
  });
  EXPECT_THAT(PathsOf(TryCreate().ValueOrDie()),
              ElementsAre(kPath, std::string(kPath) + "-orders"));
}

// As Spark makes it: its log alone, without files.
std::string EntryWithFeatures(const std::string& entry) {
  lake::LogEntry parsed = lake::ParseLogEntry(entry, "0").ValueOrDie();
  parsed.protocol->min_writer_version = 7;
  parsed.protocol->writer_features = {"rowTracking"};
  return lake::FormatLogEntry(parsed);
}

TEST_F(CreateTest, LeavesOutTablesOfOthersThatItCannotKeep) {
  const std::string entry((*store_->inner()->Get(lake::LogEntryPath(kPath, 0)))->ToString());
  PutText(lake::LogEntryPath("of-spark", 0), EntryWithFeatures(entry));
  PutText(lake::LogEntryPath("unreadable", 0), "{");
  CreateTable("readable");
  const Manifest manifest = TryCreate().ValueOrDie();
  EXPECT_THAT(PathsOf(manifest), ElementsAre(kPath, "readable"));
  EXPECT_THAT(manifest.parts_missing.at("table of-spark"), HasSubstr("rowTracking"));
  EXPECT_THAT(manifest.parts_missing.at("table unreadable"), HasSubstr("unreadable"));
}

TEST_F(CreateTest, ATableOfThePipelineThatItCannotKeepIsNamed) {
  const std::string entry((*store_->inner()->Get(lake::LogEntryPath(kPath, 0)))->ToString());
  PutText(lake::LogEntryPath(config_.lake.quarantine_table, 0), EntryWithFeatures(entry));
  EXPECT_THAT(TryCreate().status().message(),
              AllOf(HasSubstr(config_.lake.quarantine_table), HasSubstr("rowTracking")));
  PutText(lake::LogEntryPath(config_.lake.quarantine_table, 0), "{");
  EXPECT_THAT(TryCreate().status().message(), HasSubstr("the table bronze-quarantine: "));
}

TEST_F(CreateTest, ADamagedTableOfAnotherProgramIsNamedAndTheOthersAreCopied) {
  Append(0);
  for (const char* path : {"theirs", "others"}) {
    CreateTable(path);
    const auto table = lake::Table::Open(store_->inner(), path).ValueOrDie();
    lake::Changes changes;
    changes.adds = {Fake(7)};  // A file that does not exist.
    changes.written_since = BootClock::now();
    ASSERT_TRUE(
        table->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{20000}).ok());
  }
  const Manifest manifest = TryCreate().ValueOrDie();
  EXPECT_THAT(PathsOf(manifest), ElementsAre(kPath));
  EXPECT_THAT(manifest.damaged, ElementsAre("others", "theirs"));
  EXPECT_THAT(manifest.parts_missing.at("table theirs"), HasSubstr("theirs/region=EU/7.parquet"));
  const auto again = ParseManifest(DumpJson(ToJson(manifest)), "it").ValueOrDie();
  EXPECT_EQ(manifest.damaged, again.damaged);
}

// The same version with the same file missing would be.
TEST_F(CreateTest, AFileThatIsGoneAgainAtANewerVersionIsNoDamage) {
  const DataFile first = Append(0);
  const DataFile second = Append(10);
  const std::string first_path = std::string(kPath) + "/" + first.path;
  const auto content = *store_->inner()->Get(first_path);
  Delete(first_path);
  store_->On(Operation::kOpenInput, first.path).Calls([this](const std::string&) { Append(20); });
  store_->On(Operation::kOpenInput, first.path).Calls([&](const std::string&) { Append(30); });
  store_->On(Operation::kOpenInput, first.path).Calls([&](const std::string& path) {
    ASSERT_TRUE(store_->inner()->Put(path, *content).ok());
  });
  EXPECT_EQ(4, TryCreate().ValueOrDie().tables[0].version);
}

// The pass that all tables have is an old one, and a vacuum has deleted what only it needs.
TEST_F(CreateTest, AfterAVacuumOfThePassItTakesTheNewestVersions) {
  const std::string& silver = config_.refine.silver_table;
  const std::string gold = config_.refine.gold_folder + "/revenue_hourly";
  for (const std::string& path : {silver, config_.refine.rejects_table, gold}) CreateTable(path);
  const DataFile old = WriteFile(0, 10);
  const DataFile merged = WriteFile(0, 10);
  for (const DataFile& file : {old, merged}) {
    const auto content = *store_->inner()->Get(std::string(kPath) + "/" + file.path);
    ASSERT_TRUE(store_->inner()->Put(silver + "/" + file.path, *content).ok());
  }
  CommitPass(config_.refine.rejects_table, 1, {}, {});
  CommitPass(silver, 1, {old}, {});
  CommitPass(gold, 1, {}, {});
  CommitPass(config_.refine.rejects_table, 2, {}, {});
  CommitPass(silver, 2, {merged}, {old});
  Delete(silver + "/" + old.path);
  const Manifest manifest = TryCreate().ValueOrDie();
  ASSERT_THAT(PathsOf(manifest), ElementsAre(gold, silver, config_.refine.rejects_table, kPath));
  EXPECT_EQ(2, manifest.tables[1].version);
}

}  // namespace
}  // namespace shopstream::backup
