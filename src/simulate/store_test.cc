#include "simulate/store.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error_kind.h"

namespace shopstream::simulate {
namespace {

using lake::PutOutcome;

class SimulatedStoreTest : public ::testing::Test {
 protected:
  // Runs the job as a separate program until it finishes.
  int Do(std::function<void(lake::ObjectStore*)> job) {
    const int program = scheduler_.StartProgram("p", [this, job] { job(store_.Open().get()); });
    scheduler_.Run([&] { return scheduler_.ended(program); }, scheduler_.time() + Millis{100'000});
    return program;
  }
  std::string Text(const std::string& path) {
    const auto content = *store_.OpenForChecks()->Get(path);
    return content == nullptr ? "absent" : std::string(std::string_view(*content));
  }
  static std::shared_ptr<arrow::Buffer> Bytes(const std::string& text) {
    return arrow::Buffer::FromString(text);
  }

  Chance chance_{3};
  Trace trace_;
  Scheduler scheduler_{&chance_, &trace_};
  SimulatedStore store_{&scheduler_};
};

TEST_F(SimulatedStoreTest, OfManyConditionalPutsOneWins) {
  int won = 0;
  for (int i = 0; i < 8; ++i) {
    scheduler_.StartProgram("p", [&] {
      const auto store = store_.Open();
      won += *store->PutIfAbsent("a", *Bytes("x")) == PutOutcome::kCreated;
    });
  }
  scheduler_.Run([] { return false; }, scheduler_.time() + Millis{10'000});
  EXPECT_EQ(1, won);
}

TEST_F(SimulatedStoreTest, AFailedCallDidNothingAndALostReplyDidAll) {
  store_.faults = {.fails_before = 1};
  Do([](lake::ObjectStore* store) { EXPECT_TRUE(IsUnavailable(store->Put("a", *Bytes("x")))); });
  EXPECT_EQ("absent", Text("a"));
  store_.faults = {.loses_reply = 1};
  Do([](lake::ObjectStore* store) { EXPECT_TRUE(IsUnavailable(store->Put("a", *Bytes("x")))); });
  EXPECT_EQ("x", Text("a"));
}

TEST_F(SimulatedStoreTest, ATornWriteLeavesHalfUnderAHiddenName) {
  store_.faults = {.tears = 1};
  Do([](lake::ObjectStore* store) { EXPECT_FALSE(store->Put("f/a", *Bytes("abcd")).ok()); });
  EXPECT_EQ("absent", Text("f/a"));
  EXPECT_EQ("ab", Text("f/.a.torn"));
}

TEST_F(SimulatedStoreTest, ALateWriteLandsAfterItsWriterIsGone) {
  store_.faults = {.lands_late = 1};
  Do([](lake::ObjectStore* store) { EXPECT_FALSE(store->Put("a", *Bytes("x")).ok()); });
  EXPECT_EQ("absent", Text("a"));
  scheduler_.Run([] { return false; }, scheduler_.time() + Millis{41'000});
  EXPECT_EQ("x", Text("a"));
}

TEST_F(SimulatedStoreTest, AfterACrashNothingIsDone) {
  store_.faults = {.crashes = 1};
  const int program = Do([&](lake::ObjectStore* store) {
    for (int i = 0; i < 50 && !scheduler_.dead(); ++i) {
      ARROW_UNUSED(store->Put("a" + std::to_string(i), *Bytes("xyz")));
    }
    EXPECT_TRUE(store->Put("later", *Bytes("xyz")).IsCancelled());
  });
  EXPECT_TRUE(scheduler_.crashed(program));
  EXPECT_EQ("absent", Text("later"));
}

TEST_F(SimulatedStoreTest, AWriterThatIsSuspendedWritesAfterwards) {
  const auto before = scheduler_.time();
  store_.SuspendAtWrite(0, Millis{5000});
  Do([](lake::ObjectStore* store) { EXPECT_TRUE(store->Put("a", *Bytes("x")).ok()); });
  EXPECT_EQ("x", Text("a"));
  EXPECT_GE(scheduler_.time() - before, Millis{5000});
}

}  // namespace
}  // namespace shopstream::simulate
