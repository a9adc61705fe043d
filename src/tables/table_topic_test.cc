#include "tables/table_topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/testing.h"
#include "tables/progress.h"

namespace shopstream::tables {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TableTopicTest : public lake::testing::LakeTest {
 protected:
  // A commit of a file with rows of `topic`; empty: the file has no statistics.
  void Fill(const std::string& topic, const std::string& topic_id) {
    lake::Changes changes;
    DataFile file = WriteFile(0, 10);
    file.statistics = topic.empty() ? ""
                                    : R"({"numRecords":10,"minValues":{"kafka_topic":")" + topic +
                                          R"("},"maxValues":{"kafka_topic":")" + topic + R"("}})";
    changes.adds = {file};
    changes.written_since = BootClock::now();
    changes.txns = {{ProgressAppId(topic_id, 0), 10}};
    const auto result =
        table_->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{20000});
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(lake::CommitOutcome::kCommitted, result->outcome) << result->detail;
  }
  Status Check(const std::string& topic, const std::string& topic_id) {
    return CheckFilledFrom(*table_->snapshot(), "bronze-events", topic, topic_id);
  }
};

TEST_F(TableTopicTest, AnEmptyTableIsEverybodys) { EXPECT_TRUE(Check("orders", "a").ok()); }

TEST_F(TableTopicTest, ATableOfAnotherTopicIsRefusedWithBothNames) {
  Fill("orders", "a");
  const Status refused = Check("returns", "b");
  EXPECT_TRUE(refused.IsInvalid());
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("records of topic orders, not of returns"),
                                       HasSubstr("lake.bronze_table")));
  EXPECT_FALSE(Check("returns", "").ok());  // Whether or not Kafka has the topic.
}

TEST_F(TableTopicTest, ATopicThatWasCreatedAgainKeepsItsTable) {
  Fill("orders", "a");
  EXPECT_TRUE(Check("orders", "a2").ok());
}

TEST_F(TableTopicTest, ATableThatTopicsShareBelongsToEach) {
  Fill("orders", "a");
  Fill("returns", "b");
  EXPECT_TRUE(Check("orders", "a").ok());
  EXPECT_TRUE(Check("returns", "b2").ok());
  EXPECT_FALSE(Check("payments", "c").ok());
}

TEST_F(TableTopicTest, WhatIsNotKnownIsNoReasonToRefuse) {
  Fill("orders", "a");
  Fill("", "x");
  EXPECT_TRUE(Check("returns", "b").ok());
}

TEST_F(TableTopicTest, ATopicWithProgressButWithoutRowsIsKnown) {
  Fill("orders", "a");
  EXPECT_TRUE(Check("returns", "a").ok());  // Renamed by a tool that keeps ids: its progress rules.
}

}  // namespace
}  // namespace shopstream::tables
