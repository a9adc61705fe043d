#include "ingest/ends_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "simulate/kafka.h"
#include "simulate/scheduler.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class EndsWatchTest : public ::testing::Test {
 protected:
  EndsWatchTest() {
    for (int i = 0; i < 10; ++i) Produce();
  }
  void Produce() { kafka_.Produce(0, "k", "v", 0, false); }
  // Runs the test as a program.
  void Run(const std::function<void(EndsWatch*)>& test) {
    const int program = scheduler_.StartProgram("p", [&] {
      EndsWatch watch(topics_.get(), "t");
      test(&watch);
    });
    EXPECT_TRUE(scheduler_.Run([&] { return scheduler_.ended(program); },
                               scheduler_.time() + Millis{600'000}));
  }

  simulate::Chance chance_{1};
  simulate::Trace trace_;
  simulate::Scheduler scheduler_{&chance_, &trace_};
  simulate::SimulatedKafka kafka_{&scheduler_, "t", 2};
  const std::unique_ptr<kafka::TopicMetadata> topics_ = kafka_.OpenMetadata();
};

TEST_F(EndsWatchTest, TheTimeIsThatOfTheQuestionNotOfTheAnswer) {
  Run([&](EndsWatch* watch) {
    const int64_t before = WallClockMillis();
    watch->Ask(kafka_.id(), {{0, 10}, {1, 0}});
    Sleep(Millis{1000});
    const auto through = watch->CompleteThrough(kafka_.id(), {{0, 10}, {1, 0}});
    ASSERT_EQ(2u, through.size());
    for (const auto& [partition, ms] : through) {
      EXPECT_GE(ms, before);
      EXPECT_LE(ms, before + 10);
    }
    EXPECT_THAT(watch->CompleteThrough(kafka_.id(), {{0, 9}}), IsEmpty());
  });
}

TEST_F(EndsWatchTest, ALogThatIsShorterThanWhatWasReadShowsNothing) {
  Run([&](EndsWatch* watch) {
    watch->Ask(kafka_.id(), {{0, 11}});
    Sleep(Millis{1000});
    EXPECT_THAT(watch->CompleteThrough(kafka_.id(), {{0, 12}}), IsEmpty());
    Produce();
    watch->Ask(kafka_.id(), {{0, 11}});
    Sleep(Millis{1000});
    EXPECT_EQ(1u, watch->CompleteThrough(kafka_.id(), {{0, 12}}).size());
  });
}

TEST_F(EndsWatchTest, ASilentLeaderConcernsItsPartitionAlone) {
  kafka_.LoseLeader(1);
  Run([&](EndsWatch* watch) {
    watch->Ask(kafka_.id(), {{0, 10}, {1, 0}});
    Sleep(Millis{60'000});
    EXPECT_THAT(watch->CompleteThrough(kafka_.id(), {{0, 10}, {1, 0}}),
                ElementsAre(Pair(0, ::testing::_)));
  });
}

TEST_F(EndsWatchTest, AnotherTopicsEndsCountForNothing) {
  Run([&](EndsWatch* watch) {
    const std::string before = kafka_.id();
    watch->Ask(before, {{0, 10}});
    Sleep(Millis{1000});
    EXPECT_EQ(1u, watch->CompleteThrough(before, {{0, 10}}).size());
    kafka_.DeleteTopic();
    kafka_.CreateTopic(1);
    watch->Ask(before, {{0, 10}});
    Sleep(Millis{1000});
    EXPECT_THAT(watch->CompleteThrough(kafka_.id(), {{0, 10}}), IsEmpty());
    watch->Ask(kafka_.id(), {{0, 0}});
    Sleep(Millis{1000});
    EXPECT_THAT(watch->CompleteThrough(before, {{0, 10}}), IsEmpty());
    EXPECT_EQ(1u, watch->CompleteThrough(kafka_.id(), {{0, 0}}).size());
  });
}

}  // namespace
}  // namespace shopstream::ingest
