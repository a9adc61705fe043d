#include "sql/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace shopstream::sql {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class CompletionTest : public ::testing::Test {
 protected:
  std::vector<std::string> After(const std::string& text) {
    return Complete(text, {"bronze_events", "gold_a"},
                    [this](const std::string& table) {
                      asked_.push_back(table);
                      return columns_.at(table);
                    })
        .words;
  }

  const std::map<std::string, std::vector<std::string>> columns_ = {
      {"bronze_events", {"event_id", "amount"}}, {"gold_a", {"orders", "Amount_usd"}}};
  std::vector<std::string> asked_;
};

TEST_F(CompletionTest, TablesAndWordsOfSql) {
  EXPECT_THAT(After("SELECT * FROM br"), ElementsAre("bronze_events"));
  EXPECT_THAT(After("select * fr"), ElementsAre("from"));
  EXPECT_THAT(After("SEL"), ElementsAre("SELECT"));
  EXPECT_THAT(After("x GO"), ElementsAre("gold_a"));
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_THAT(After(""), ElementsAre("bronze_events", "gold_a"));
  EXPECT_EQ(2U, Complete("FROM br", {}, {}).typed);
}

TEST_F(CompletionTest, ColumnsOfTheTablesThatTheTextNames) {
  EXPECT_THAT(After("FROM Bronze_Events WHERE ev"), ElementsAre("event_id"));
  EXPECT_THAT(asked_, ElementsAre("bronze_events"));
  EXPECT_THAT(After("FROM bronze_events, gold_a WHERE am"), ElementsAre("Amount_usd", "amount"));
  EXPECT_THAT(After("FROM gold_a WHERE ev"), Not(Contains("event_id")));
}

TEST_F(CompletionTest, AfterATableItsColumnsAlone) {
  EXPECT_THAT(After("SELECT gold_a."), ElementsAre("Amount_usd", "orders"));
  EXPECT_THAT(After("SELECT gold_a.or"), ElementsAre("orders"));
  EXPECT_THAT(After("SELECT x.or"), IsEmpty());
}

}  // namespace
}  // namespace shopstream::sql
