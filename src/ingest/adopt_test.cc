#include "ingest/adopt.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "ingest/partition_progress.h"
#include "ingest/quarantine_testing.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {
namespace {

using tables::StopReason;
using testing::Event;
using ::testing::HasSubstr;
using testing::kOct24;

constexpr char kEarlierId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";  // testing::kTopicId
constexpr char kMirrorId[] = "AAAXY_6eQ4-J_Cb_JlBqbw";

// A mirror of one partition, in memory.
class ListedMirror : public kafka::TopicMetadata, public MirrorLog {
 public:
  Result<std::optional<kafka::TopicState>> DescribeTopic(const std::string& name, bool) override {
    kafka::TopicState topic;
    topic.name = name;
    topic.id = kMirrorId;
    topic.partitions.resize(partitions);
    return topic;
  }
  std::vector<Result<kafka::OffsetSpan>> OffsetSpans(const std::string&,
                                                     const std::vector<int32_t>&) override {
    return {kafka::OffsetSpan{log_start, end()}};
  }
  Result<int64_t> FirstAt(int32_t, int64_t timestamp_ms) override {
    const auto found = std::ranges::find_if(
        records, [&](const auto& record) { return record.timestamp_ms >= timestamp_ms; });
    return found == records.end() ? -1 : found->offset;
  }
  Status Read(const OffsetRange& range, const OnRecords& on_records) override {
    ++reads;
    if (on_read) std::exchange(on_read, nullptr)();
    kafka::RecordBatch batch;
    for (const kafka::RecordView& record : records) {
      if (record.offset < range.begin || record.offset >= range.end) continue;
      batch.records.push_back(record);
      if (batch.records.size() < 7) continue;
      ARROW_ASSIGN_OR_RAISE(const bool more, on_records(batch));
      if (!more) return Status::OK();
      batch.records.clear();
    }
    return on_records(batch).status();
  }

  // At every second offset.
  void Add(const std::string& value) {
    records.push_back(made.Make(0, end() + 1, value));
    records.back().leader_epoch = 3;
  }
  int64_t end() const { return records.empty() ? log_start : records.back().offset + 1; }

  size_t partitions = 1;
  int64_t log_start = 50;
  int reads = 0;
  std::vector<kafka::RecordView> records;
  testing::Records made;
  std::function<void()> on_read;
};

class AdoptTest : public testing::QuarantineLakeTest {
 protected:
  static std::string Value(int64_t number) {
    return number % 5 == 3 ? "garbage " + std::to_string(number) : Event(number, "US", kOct24);
  }
  // The lake reads these of the earlier topic.
  void IngestValues(int64_t begin, int64_t end) {
    std::vector<std::string> values;
    for (int64_t number = begin; number < end; ++number) values.push_back(Value(number));
    Ingest(values);
  }
  void Copy(int64_t begin, int64_t end) {
    for (int64_t number = begin; number < end; ++number) mirror_.Add(Value(number));
  }

  Result<AdoptReport> Adopt(const AdoptOptions& options = {}) {
    const auto never = [] { return false; };
    ARROW_ASSIGN_OR_RAISE(const OpenLake lake,
                          OpenOrCreateLake(&store_, &registry_, "t", LayoutOptions{}, never));
    return AdoptMirror(lake, {.topics = &mirror_, .records = &mirror_, .registry = &registry_}, "t",
                       options);
  }
  StartPosition Start() {
    return FindStartPositions(
               bronze_.get(), quarantine_.get(), nullptr,
               {kMirrorId, {{0, kafka::OffsetSpan{mirror_.log_start, mirror_.end()}}}})
        ->at(0);
  }
  static void CommitProgress(lake::Table* table, int32_t partition, int64_t next) {
    lake::Changes changes;
    changes.txns = {{tables::ProgressAppId(kEarlierId, partition), next}};
    EXPECT_EQ(
        lake::CommitOutcome::kCommitted,
        table->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{10'000})
            ->outcome);
  }
  tables::PartitionState Earlier() {
    return tables::ReadPartitionState((*bronze_->Refresh())->Txns(), kEarlierId, 0);
  }

  ListedMirror mirror_;
};

TEST_F(AdoptTest, ReadingContinuesAfterTheLastCopyAndTheEarlierTopicIsStopped) {
  IngestValues(0, 20);
  Copy(0, 25);
  const AdoptReport report = *Adopt();
  EXPECT_EQ(kEarlierId, report.earlier_topic_id);
  EXPECT_FALSE(report.already);
  ASSERT_EQ(1, report.partitions.size());
  EXPECT_EQ(20, report.partitions[0].compared);

  const StartPosition start = Start();
  const int64_t last = mirror_.records[19].offset;
  EXPECT_EQ(StartPosition::Verdict::kRead, start.verdict);
  EXPECT_EQ(mirror_.records[20].offset, start.begin) << "the first record that is new";
  EXPECT_EQ(last, start.position.last->offset);
  EXPECT_EQ(3, start.position.last->leader_epoch);
  EXPECT_TRUE(start.quarantined.empty());
  EXPECT_EQ(StopReason::kAdopted, Earlier().stop.reason);
  EXPECT_EQ(20, Earlier().next) << "the earlier progress stays readable";
}

TEST_F(AdoptTest, TheSecondTimeNothingIsChanged) {
  IngestValues(0, 20);
  Copy(0, 25);
  ASSERT_TRUE(Adopt().ok());
  const int64_t version = (*bronze_->Refresh())->version();
  Copy(30, 40);
  EXPECT_TRUE(Adopt()->already);
  EXPECT_EQ(version, (*bronze_->Refresh())->version());
}

TEST_F(AdoptTest, TwiceAtTheSameTimeItIsDoneOnce) {
  IngestValues(0, 20);
  Copy(0, 25);
  mirror_.on_read = [this] { EXPECT_FALSE(Adopt()->already); };
  EXPECT_TRUE(Adopt()->already);
}

TEST_F(AdoptTest, AnIngestThatStillReadsTheEarlierTopicIsWaitedFor) {
  IngestValues(0, 20);
  Copy(0, 25);
  mirror_.on_read = [this] { IngestValues(20, 23); };
  EXPECT_EQ(23, Adopt()->partitions[0].adoption.earlier_end);
  EXPECT_EQ(mirror_.records[23].offset, Start().begin);
}

TEST_F(AdoptTest, AnIngestThatNeverStopsIsNotWaitedForForever) {
  IngestValues(0, 20);
  Copy(0, 200);
  std::function<void()> ingest = [&] {
    IngestValues(next_offset_, next_offset_ + 3);
    mirror_.on_read = ingest;
  };
  mirror_.on_read = ingest;
  const Status status = Adopt().status();
  EXPECT_THAT(status.message(), HasSubstr("the earlier topic is still read"));
  EXPECT_THAT(status.message(), HasSubstr("nothing was changed, after 5 searches"));
  EXPECT_EQ(5, mirror_.reads);
  EXPECT_EQ(StopReason::kNone, Earlier().stop.reason);
}

// Between its commit to quarantine and that to Bronze.
TEST_F(AdoptTest, AnIngestThatHasCommittedToQuarantineIsWaitedFor) {
  IngestValues(0, 20);
  Copy(0, 200);
  mirror_.on_read = [this] { CommitProgress(quarantine_.get(), 0, 23); };
  ASSERT_TRUE(Adopt().ok());
  EXPECT_EQ(2, mirror_.reads) << "what it committed is compared, too";
}

TEST_F(AdoptTest, ASearchThatTakesLongerThanACommitMayIsCommitted) {
  IngestValues(0, 20);
  Copy(0, 25);
  const AdoptOptions options;
  mirror_.on_read = [&] { clock_.now += 2 * options.patience; };
  const auto report = Adopt(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->already);
  EXPECT_EQ(1, mirror_.reads);
}

TEST_F(AdoptTest, APartitionThatTheMirrorLacksIsRefusedAndNamed) {
  IngestValues(0, 20);
  Copy(0, 25);
  mirror_.on_read = [this] { CommitProgress(bronze_.get(), 1, 5); };
  for (const char* progress : {"committed during the search", "known before"}) {
    EXPECT_THAT(Adopt().status().message(),
                HasSubstr("partition 1: the lake has read it, and the mirror lacks it"))
        << progress;
  }
  EXPECT_EQ(StopReason::kNone, Earlier().stop.reason);
}

TEST_F(AdoptTest, CopiesAmongNewRecordsAreNotReadAgain) {
  IngestValues(0, 20);
  Copy(0, 17);
  Copy(100, 102);
  Copy(17, 20);
  Copy(102, 104);
  ASSERT_TRUE(Adopt().ok());
  const StartPosition start = Start();
  EXPECT_EQ(mirror_.records[17].offset, start.begin);
  ASSERT_EQ(3, start.quarantined.size());
  PartitionProgress progress(start);
  int64_t skipped = 0;
  for (const kafka::RecordView& record : mirror_.records) {
    if (progress.Committed(record) == PartitionProgress::Skip::kSame) ++skipped;
    EXPECT_NE(PartitionProgress::Skip::kOther, progress.Committed(record));
  }
  EXPECT_EQ(3, skipped);
}

TEST_F(AdoptTest, OnlyTheLastRowsOfManyAreCompared) {
  IngestValues(0, 300);
  Copy(0, 310);
  AdoptOptions options;
  options.first_offsets = 60;
  const AdoptReport report = *Adopt(options);
  EXPECT_EQ(60, report.partitions[0].compared);
  EXPECT_EQ(mirror_.records[300].offset, Start().begin);
}

TEST_F(AdoptTest, MoreRowsAreComparedIfTheLastDoNotSuffice) {
  IngestValues(0, 300);
  Copy(0, 200);  // The last hundred are missing, and with them what the last sixty rows show.
  AdoptOptions options;
  options.first_offsets = 60;
  EXPECT_THAT(Adopt(options).status().message(), HasSubstr("the lake's last 100 rows"));
  options.mirror_ended = true;
  EXPECT_EQ(100, Adopt(options)->partitions[0].ahead);
  EXPECT_EQ(mirror_.end(), Start().begin);
}

TEST_F(AdoptTest, AMirrorThatEndedBeforeTheRowsContinuesAtItsEnd) {
  IngestValues(0, 300);
  Copy(0, 100);
  for (kafka::RecordView& record : mirror_.records) --record.timestamp_ms;
  AdoptOptions options;
  options.first_offsets = options.most_offsets = 60;
  const std::string refused = Adopt(options).status().message();
  EXPECT_THAT(refused, HasSubstr("every record in the mirror is older"));
  EXPECT_THAT(refused, HasSubstr("--mirror-ended"));
  options.mirror_ended = true;
  const auto report = Adopt(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(mirror_.end(), report->partitions[0].adoption.below);
  EXPECT_EQ(mirror_.end(), Start().begin);
}

TEST_F(AdoptTest, ALakeWithoutAnotherTopicHasNothingToAdopt) {
  EXPECT_THAT(Adopt().status().message(), HasSubstr("there is nothing to adopt"));
}

TEST_F(AdoptTest, AMirrorThatIsReadAlreadyIsRefused) {
  IngestValues(0, 20);
  lake::Changes changes;
  changes.txns = {{tables::ProgressAppId(kMirrorId, 0), 60}};
  ASSERT_TRUE(
      bronze_->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{10'000})
          .ok());
  EXPECT_THAT(Adopt().status().message(), HasSubstr("can no longer be adopted"));
}

TEST_F(AdoptTest, OtherRecordsAreRefusedAndNamed) {
  IngestValues(0, 20);
  Copy(500, 600);
  const std::string message = Adopt().status().message();
  EXPECT_THAT(message, HasSubstr("partition 0: 20 rows of the lake (offsets 0 to 19"));
  EXPECT_THAT(message, HasSubstr("nothing was changed"));
  EXPECT_EQ(StopReason::kNone, Earlier().stop.reason);
}

TEST_F(AdoptTest, KilledAtAnyCallItIsDoneOnceByTheNext) {
  IngestValues(0, 20);
  Copy(0, 25);
  const int64_t version = (*bronze_->Refresh())->version();
  int failed = 0;
  for (int call = 0; call < 30; ++call) {
    for (const bool reply_lost : {false, true}) {
      simulate::Fault& fault = store_.OnAny().Skipping(call);
      reply_lost ? fault.LosesReply() : fault.FailsBefore();
      fault.Always();
      AdoptOptions options;
      options.patience = Millis{20};
      if (!Adopt(options).ok()) ++failed;
      store_.Heal();
    }
  }
  EXPECT_GT(failed, 30);
  ASSERT_TRUE(Adopt().ok());
  EXPECT_EQ(version + 1, (*bronze_->Refresh())->version());
  EXPECT_EQ(mirror_.records[20].offset, Start().begin);
}

}  // namespace
}  // namespace shopstream::ingest
