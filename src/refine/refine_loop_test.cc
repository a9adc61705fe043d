#include "refine/refine_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/error_kind.h"
#include "refine/refiner_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class RefineLoopTest : public testing::RefinerTest {
 protected:
  Result<RefineEnd> Run(testing::Program* program, const RefineMode& mode = {}) {
    const LoopOptions options{
        .interval = Millis{1},
        .patience = {.first = Millis{1}, .longest = Millis{5}, .give_up_after = Millis{500}}};
    return RunSteps(
        program->refiner.get(), mode, options, [this] { return stop_(); }, [] {});
  }

  std::function<bool()> stop_ = [] { return false; };
};

TEST_F(RefineLoopTest, StorageThatDoesNotAnswerIsAskedAgain) {
  Ingest({{.id = "a"}});
  const auto program = *Start();
  store_->OnAny().FailsBefore().Times(4);
  const auto end = Run(program.get());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->interrupted);
  EXPECT_THAT(Silver(), SizeIs(1));
}

TEST_F(RefineLoopTest, PatienceEnds) {
  Ingest({{.id = "a"}});
  const auto program = *Start();
  store_->OnAny().FailsBefore().Always();
  const auto end = Run(program.get());
  EXPECT_TRUE(IsUnavailable(end.status())) << end.status();
  EXPECT_THAT(end.status().message(), HasSubstr("Gave up refining"));
}

TEST_F(RefineLoopTest, AFileOfALiveVersionThatIsMissingIsAnError) {
  Ingest({{.id = "a"}});
  const auto program = *Start();
  const DataFile file = bronze_->snapshot()->Files()[0];
  ASSERT_TRUE(store_->inner()->Delete(std::string(testing::kBronze) + "/" + file.path).ok());
  const auto end = Run(program.get());
  EXPECT_EQ(ErrorKind::kGone, KindOf(end.status())) << end.status();
}

TEST_F(RefineLoopTest, WatchingGoesOnUntilItIsStopped) {
  Ingest({{.id = "a"}});
  const auto program = *Start();
  int asked = 0;
  stop_ = [&] {
    if (++asked == 20) Ingest({{.id = "b", .offset = 1}});
    return program->stats.passes() == 2;
  };
  const auto end = Run(program.get(), {.watch = true});
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->interrupted);
  EXPECT_THAT(Silver(), SizeIs(2));
}

TEST_F(RefineLoopTest, AStopInterruptsAnErase) {
  Ingest({{.id = "a", .user = 7}});
  MustRefine();
  const tables::RefineTask erase{.kind = tables::TaskKind::kErase, .predicate = "user_id = 7"};
  bool searching = false;
  search_.stop = [&] { return searching = true; };
  stop_ = [&] { return searching; };
  const auto program = *Start({.task = erase});
  const auto end = Run(program.get(), {.task = erase});
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->interrupted);
  const auto bronze = *lake::Table::Open(store_->inner(), testing::kBronze);
  EXPECT_THAT(bronze->snapshot()->Files(), SizeIs(1)) << "nothing is erased yet";
}

TEST_F(RefineLoopTest, AHaltEndsARefineThatDoesNotWatch) {
  UseRules(R"(rules: [{name: sane, owner: o, description: d, action: stop,
                       range: {column: amount, most: 1}}])");
  Ingest({{.id = "a"}});
  const auto program = *Start();
  const auto end = Run(program.get());
  ASSERT_TRUE(end.ok()) << end.status();
  ASSERT_TRUE(end->halt);
  EXPECT_EQ("sane", end->halt->rule);
}

}  // namespace
}  // namespace shopstream::refine
