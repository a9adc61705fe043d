#include "refine/pass_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refine/bronze_testing.h"

namespace shopstream::refine {
namespace {

using testing::Bronze;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Rows;

// "t/0 0..10, t/1 0..5; replayed t 0:3; reaches 2"
std::string Described(const PassPlan& plan) {
  std::string text;
  for (const auto& [key, range] : plan.ranges) {
    text += (text.empty() ? "" : ", ") + key.topic_id + "/" + std::to_string(key.partition) + " " +
            std::to_string(range.begin) + ".." + std::to_string(range.end);
  }
  for (const auto& [topic_id, replayed] : plan.replayed) {
    text += "; replayed " + topic_id + " " + replayed.Format();
  }
  if (plan.reached_version) text += "; reaches " + std::to_string(*plan.reached_version);
  return text;
}

PassPlan Plan(const tables::RefineStanding& standing, Bronze* bronze, int64_t pass_rows) {
  return PlanPass(standing, *bronze->snapshot(), pass_rows).ValueOrDie();
}

TEST(PassPlanTest, EachPartitionGetsItsShareUntilNothingIsLeft) {
  Bronze bronze;
  tables::RefineStanding standing;
  EXPECT_TRUE(Plan(standing, &bronze, 10).empty());
  bronze.Append({}, {{{"t", 0}, 900}, {{"t", 1}, 100}, {{"u", 0}, 1}});

  const PassPlan first = Plan(standing, &bronze, 100);
  EXPECT_EQ(1, first.pass);
  EXPECT_EQ("t/0 0..89, t/1 0..9, u/0 0..1", Described(first));
  standing = StandingAfter(standing, first);
  EXPECT_FALSE(standing.bronze_version);

  const PassPlan second = Plan(standing, &bronze, 100'000);
  EXPECT_EQ(2, second.pass);
  EXPECT_EQ("t/0 89..900, t/1 9..100; reaches 1", Described(second));
  standing = StandingAfter(standing, second);
  EXPECT_EQ(1, standing.bronze_version);
  EXPECT_TRUE(Plan(standing, &bronze, 10).empty());
  EXPECT_EQ(1, Plan(standing, &bronze, 10).decided_version);
}

TEST(PassPlanTest, ReplayedRecordsBelowTheEndsArePartOfThePassAndAlwaysDecidedOnce) {
  Bronze bronze;
  bronze.Append({}, {{{"t", 0}, 100}});
  tables::RefineStanding standing;
  standing.ends[{"t", 0}] = 50;
  bronze.Replay({{"t", 0, 10}, {"t", 0, 11}, {"t", 0, 40}, {"t", 0, 60}, {"t", 0, 95}});

  // The last is above this pass.
  const PassPlan first = Plan(standing, &bronze, 30);
  EXPECT_EQ("t/0 50..77; replayed t 0:10+1,28", Described(first));
  EXPECT_EQ("0:10+1,28,19", first.decided_replays.at("t").Format());
  standing = StandingAfter(standing, first);
  const PassPlan second = Plan(standing, &bronze, 30);
  EXPECT_EQ("t/0 77..100; reaches 2", Described(second));
  EXPECT_EQ("0:10+1,28,19,34", second.decided_replays.at("t").Format());
}

TEST(PassPlanTest, ManyReplayedRecordsTakeSeveralPasses) {
  Bronze bronze;
  bronze.Append({}, {{{"t", 0}, 100}});
  tables::RefineStanding standing;
  standing.ends[{"t", 0}] = 90;
  bronze.Replay(Rows("t", 0, 20, 60));

  const PassPlan first = Plan(standing, &bronze, 30);
  EXPECT_EQ("; replayed t 0:20+29", Described(first));
  standing = StandingAfter(standing, first);
  EXPECT_EQ("t/0 90..100; replayed t 0:50+9; reaches 2", Described(Plan(standing, &bronze, 30)));
}

TEST(PassPlanTest, WhoFinishesAPassPlansTheSame) {
  Bronze bronze;
  bronze.Append({}, {{{"t", 0}, 100}, {{"t", 1}, 10}});
  tables::RefineStanding silver;
  silver.pass = 4;
  silver.ends = {{{"t", 0}, 50}, {{"t", 1}, 10}};
  bronze.Replay({{"t", 0, 10}, {"t", 0, 60}});
  const PassPlan plan = Plan(silver, &bronze, 20);

  const PassPlan same = PlanToFinish(StandingAfter(silver, plan), silver);
  EXPECT_EQ(5, same.pass);
  EXPECT_EQ(plan.ranges, same.ranges);
  EXPECT_EQ(Described(plan), Described(same));
  EXPECT_EQ(plan.decided_replays.at("t").Format(), same.decided_replays.at("t").Format());
}

TEST(PassPlanTest, ABronzeThatEndsEarlierIsRefused) {
  Bronze bronze;
  bronze.Append({}, {{{"t", 0}, 100}});
  tables::RefineStanding standing;
  standing.ends[{"t", 0}] = 101;
  const Status status = PlanPass(standing, *bronze.snapshot(), 10).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(),
              HasSubstr("ends at offset 100 of partition 0 of topic id t, but Silver is refined up "
                        "to 101"));
  standing.ends = {{{"u", 3}, 7}};
  EXPECT_THAT(PlanPass(standing, *bronze.snapshot(), 10).status().message(),
              HasSubstr("ends at offset 0 of partition 3 of topic id u"));
}

}  // namespace
}  // namespace shopstream::refine
