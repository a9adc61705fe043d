#include "refine/bronze_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "lake/delta/log_entry.h"
#include "refine/bronze_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

class BronzeHistory : public ::testing::Test {
 protected:
  using Objects = std::map<std::string, std::shared_ptr<arrow::Buffer>>;

  void SetUp() override {
    bronze_.Append(testing::Rows("t", 0, 0, 2));
    backup_ = Copy();
    bronze_.Append(testing::Rows("t", 0, 2, 4));
    rejects_.pass = 9;
    rejects_.bronze_seen = *SeeBronze(bronze_.store(), testing::kBronze, *bronze_.snapshot());
    ASSERT_TRUE(rejects_.bronze_seen);
    EXPECT_EQ(2, rejects_.bronze_seen->version);
  }

  Objects Copy() {
    Objects objects;
    for (const auto& entry : *bronze_.store()->List(testing::kBronze, "")) {
      objects[entry.path] = *bronze_.store()->Get(entry.path);
    }
    return objects;
  }
  void Restore(const Objects& objects) {
    for (const auto& [path, content] : Copy()) EXPECT_TRUE(bronze_.store()->Delete(path).ok());
    for (const auto& [path, content] : objects) {
      EXPECT_TRUE(bronze_.store()->Put(path, *content).ok());
    }
  }
  Result<bool> Check() {
    const auto table = *lake::Table::Open(bronze_.store(), testing::kBronze);
    return CheckBronzeHistory(bronze_.store(), testing::kBronze, *table->snapshot(), rejects_);
  }

  testing::Bronze bronze_;
  Objects backup_;
  tables::RefineStanding rejects_;
};

TEST_F(BronzeHistory, TheTableThatGrewIsTheSame) {
  EXPECT_TRUE(*Check());
  bronze_.Append(testing::Rows("t", 0, 4, 6));
  EXPECT_TRUE(*Check());
}

TEST_F(BronzeHistory, ARestoredOneIsNoticedHoweverMuchItHasGrown) {
  Restore(backup_);
  EXPECT_THAT(Check().status().message(),
              HasSubstr("bronze-events has no version 2, which pass 9 read: it was restored"));
  lake::Changes other;
  other.operation = "WRITE";
  const auto table = *lake::Table::Open(bronze_.store(), testing::kBronze);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(
        table->Commit(lake::Unconditionally(other), BootClock::now() + Millis{10'000}).ok());
    EXPECT_THAT(Check().status().message(),
                HasSubstr("bronze-events has another version 2 than pass 9 read: it was restored"));
  }
}

TEST_F(BronzeHistory, WhatTheLogNoLongerHasIsUnknown) {
  bronze_.Append(testing::Rows("t", 0, 4, 6));
  const auto snapshot = bronze_.snapshot();
  ASSERT_TRUE(bronze_.store()->Delete(lake::LogEntryPath(testing::kBronze, 2)).ok());
  EXPECT_FALSE(*CheckBronzeHistory(bronze_.store(), testing::kBronze, *snapshot, rejects_));
}

TEST_F(BronzeHistory, APassOfAnEarlierProgramIsTrusted) {
  rejects_.bronze_seen.reset();
  Restore(backup_);
  EXPECT_TRUE(*Check());
}

}  // namespace
}  // namespace shopstream::refine
