// Cuts with rows of a side table, which is committed before Bronze.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "ingest/cut_committer.h"
#include "ingest/start_positions.h"
#include "ingest/testing.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/record_types.h"

namespace shopstream::ingest {
namespace {

using simulate::Operation;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kSideTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";
constexpr char kPaid[] = "bronze-events-paid";
constexpr int32_t kPaidId = 31;

LayoutOptions EachType() {
  LayoutOptions options;
  options.side_tables = true;
  return options;
}

// A consumer with its own tables and schemas. Odd offsets are of type Paid, even ones are events.
struct SideConsumer {
  explicit SideConsumer(lake::ObjectStore* store)
      : sides(store, EachType()), schemas(testing::EventLayout(EachType()), [](int32_t id) {
          registry::LookUp answer;
          answer.outcome = registry::LookUpOutcome::kFound;
          answer.schema.schema = id == kPaidId ? R"({"type": "record", "name": "Paid", "fields": [
              {"name": "n", "type": "long"}]})"
                                               : testing::kEventSchema;
          return answer;
        }) {
    bronze = *lake::Table::OpenOrCreate(store, schemas.layout()->table);
    quarantine = *lake::Table::OpenOrCreate(store, tables::QuarantineSpec(tables::kQuarantinePath));
    EXPECT_TRUE(schemas.Resolve({testing::kSchemaId, kPaidId}, {}).resolved);
  }

  StartPosition FindStart() {
    TopicSpans topic{.id = kSideTopicId, .spans = {}};
    topic.spans.emplace(0, kafka::OffsetSpan{0, 100});
    return FindStartPositions(bronze.get(), quarantine.get(), &sides, topic)->at(0);
  }

  // What follows a start up to `end`; `garbage`: the last record cannot be decoded.
  Cut Read(const StartPosition& start, int64_t end, bool garbage = false) {
    CutBuilder builder(schemas.layout());
    for (int64_t offset = start.begin; offset < end; ++offset) {
      if (start.in_sides.contains(offset)) continue;
      std::string value = testing::Event(offset, "US", testing::kOct24);
      if (offset % 2 == 1) value = std::string("\0\0\0\0\x1f\x02", 6);
      if (garbage && offset == end - 1) value = "garbage";
      EXPECT_EQ(std::nullopt, testing::Add(records.Make(0, offset, value), schemas, &builder));
    }
    Cut cut = *builder.Finish();
    cut.sealed_at = BootClock::now();
    cut.topic = "t";
    cut.topic_id = kSideTopicId;
    cut.progress = {{.range = {0, start.begin, end},
                     .fence = start.fence,
                     .quarantine_fence = start.quarantine_fence,
                     .side_fences = start.side_fences}};
    return cut;
  }

  // `patience`: for each step.
  Result<CommittedCut> Commit(const Cut& cut, Millis patience = Millis{20'000}) {
    CutCommitter committer(
        bronze.get(), quarantine.get(), &sides,
        []() -> Result<std::string> { return kSideTopicId; },
        {.patience = {.first = Millis{1}, .longest = Millis{5}, .give_up_after = patience},
         .commit_deadline = patience / 2});
    return committer.Commit(cut, [] { return false; });
  }
  // What follows the lake's progress, as Read.
  CutOutcome Publish(int64_t end) { return Commit(Read(FindStart(), end))->outcome; }

  SideTables sides;
  SchemaCache schemas;
  testing::Records records;
  std::unique_ptr<lake::Table> bronze, quarantine;
};

class SideCommitTest : public ::testing::Test {
 protected:
  // How often each offset is in a table.
  std::map<int64_t, int> Offsets(const std::string& path) {
    std::map<int64_t, int> counts;
    const auto table = *lake::Table::Open(&store_, path);
    for (const DataFile& file : table->snapshot()->Files()) {
      const auto count = [&](const auto& row) {
        ++counts[row->offset];
        return true;
      };
      EXPECT_TRUE(
          tables::VisitCoordinates(&store_, path, file, table->snapshot()->schema(), count).ok());
    }
    return counts;
  }
  void ExpectExactlyOnce(int64_t end) {
    std::map<int64_t, int> odd, even;
    for (int64_t offset = 0; offset < end; ++offset) (offset % 2 == 1 ? odd : even)[offset] = 1;
    EXPECT_EQ(even, Offsets(tables::kBronzePath));
    EXPECT_EQ(odd, Offsets(kPaid));
    EXPECT_THAT(Offsets(tables::kQuarantinePath), IsEmpty());
  }
  // The consumer commits to the side table, and dies before it can commit to Bronze.
  void PublishWithoutBronze(SideConsumer* consumer, int64_t end) {
    const Cut cut = consumer->Read(consumer->FindStart(), end);
    store_.On(Operation::kPutIfAbsent, "bronze-events/_delta_log").FailsBefore().Always();
    EXPECT_THAT(consumer->Commit(cut, Millis{50}).status().message(),
                HasSubstr("commit to Bronze"));
    store_.Heal();
  }

  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  SideConsumer first_{&store_}, second_{&store_};
};

TEST_F(SideCommitTest, KilledBetweenTheCommitsNoRowIsInTheSideTableTwice) {
  ASSERT_EQ(CutOutcome::kCommitted, first_.Publish(4));
  PublishWithoutBronze(&first_, 10);

  // The next consumer ends its cut elsewhere; so does the one after that.
  const int64_t sent = testing::kOct24 + testing::kDay / 2;
  const StartPosition start = second_.FindStart();
  EXPECT_EQ(4, start.begin);
  EXPECT_THAT(start.in_sides, UnorderedElementsAre(Pair(5, sent), Pair(7, sent), Pair(9, sent)));
  EXPECT_EQ(CutOutcome::kCommitted, second_.Publish(6));
  EXPECT_THAT(first_.FindStart().in_sides, UnorderedElementsAre(Pair(7, sent), Pair(9, sent)));
  EXPECT_EQ(CutOutcome::kCommitted, first_.Publish(14));
  ExpectExactlyOnce(14);
}

// Bronze does not show it, because its progress is where the late consumer expects it.
TEST_F(SideCommitTest, AConsumerThatWasLeftBehindIsRefusedByTheSideTable) {
  ASSERT_EQ(CutOutcome::kCommitted, first_.Publish(2));
  const Cut late = second_.Read(second_.FindStart(), 8);
  PublishWithoutBronze(&first_, 6);
  EXPECT_EQ(CutOutcome::kFenced, second_.Commit(late)->outcome);
  EXPECT_EQ(CutOutcome::kCommitted, second_.Publish(8));
  ExpectExactlyOnce(8);
}

// It may quarantine a record that the side table has: the registry may have answered differently.
TEST_F(SideCommitTest, ACutThatQuarantinesIsRefusedIfASideTableHasMoved) {
  ASSERT_EQ(CutOutcome::kCommitted, first_.Publish(2));
  const Cut late = second_.Read(second_.FindStart(), 4, /*garbage=*/true);
  PublishWithoutBronze(&first_, 4);
  EXPECT_EQ(CutOutcome::kFenced, second_.Commit(late)->outcome);
  EXPECT_EQ(CutOutcome::kCommitted, second_.Publish(4));
  ExpectExactlyOnce(4);
}

TEST_F(SideCommitTest, ACutThatQuarantinesIsRefusedByASideTableAddedSinceItWasRead) {
  const Cut late = second_.Read(second_.FindStart(), 2, /*garbage=*/true);
  const auto added = first_.sides.Provide(
      *first_.schemas.sides().at("Paid"), first_.bronze.get(), [](const auto&) { return true; },
      BootClock::now() + Millis{5000});
  ASSERT_NE(nullptr, added.ValueOr(nullptr));
  PublishWithoutBronze(&first_, 4);
  EXPECT_EQ(CutOutcome::kFenced, second_.Commit(late)->outcome);
  EXPECT_EQ(CutOutcome::kCommitted, second_.Publish(4));
  ExpectExactlyOnce(4);
}

TEST_F(SideCommitTest, TheTypeIsAnnouncedBeforeItsRowsAreCommitted) {
  store_.On(Operation::kPutIfAbsent, std::string(kPaid) + "/_delta_log/00000000000000000001")
      .FailsBefore()
      .Always();
  const Cut cut = first_.Read(first_.FindStart(), 4);
  EXPECT_FALSE(first_.Commit(cut, Millis{50}).ok());
  store_.Heal();
  EXPECT_THAT(*tables::ReadRecordTypes(*(*second_.bronze->Refresh())),
              UnorderedElementsAre(Pair("Paid", kPaid)));
  EXPECT_EQ(CutOutcome::kCommitted, second_.Publish(4));
  ExpectExactlyOnce(4);
}

// Every storage call for one cut fails once: before taking effect, or after it.
TEST_F(SideCommitTest, EveryStepMayFailAndIsMadeAgain) {
  int64_t end = 0;
  for (const Operation operation : {Operation::kPut, Operation::kPutIfAbsent, Operation::kGet}) {
    for (const char* path : {"bronze-events/", kPaid}) {
      for (int call = 0; call < 3; ++call) {
        for (const bool late : {false, true}) {
          const Cut cut = first_.Read(first_.FindStart(), end += 4);
          simulate::Fault& fault = store_.On(operation, path).Skipping(call);
          late ? fault.LosesReply() : fault.FailsBefore();
          const auto committed = first_.Commit(cut);
          store_.Heal();
          ASSERT_TRUE(committed.ok()) << path << " call " << call << ": " << committed.status();
          if (committed->outcome == CutOutcome::kCommitted) continue;
          // Its own commit to the side table, whose reply was lost.
          EXPECT_EQ(CutOutcome::kFenced, committed->outcome);
          EXPECT_EQ(CutOutcome::kCommitted, first_.Publish(end));
        }
      }
    }
  }
  ExpectExactlyOnce(end);
}

}  // namespace
}  // namespace shopstream::ingest
