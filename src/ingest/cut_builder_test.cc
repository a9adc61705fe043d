#include "ingest/cut_builder.h"

#include <arrow/array/array_primitive.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/json.h"
#include "ingest/testing.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kDay;
using Tuples = std::vector<PartitionTuple>;
using testing::kOct24;

class CutBuilderTest : public ::testing::Test {
 protected:
  // The schema id that it asks for, if any.
  std::optional<int32_t> Add(std::optional<std::string> value, int32_t partition = 0) {
    return testing::Add(records_.Make(partition, next_offset_++, std::move(value)), schemas_,
                        &builder_);
  }
  // Asks for the schema first, as the loop does.
  void Take(std::string value) {
    if (std::optional<int32_t> id = Add(value)) {
      --next_offset_;
      EXPECT_TRUE(schemas_.Resolve({*id}, {}).resolved);
      EXPECT_EQ(Add(std::move(value)), std::nullopt);
    }
  }
  static std::string Array(const char* values,
                           const std::shared_ptr<arrow::DataType>& type = arrow::int64()) {
    return (*arrow::json::ArrayFromJSONString(type, values))->ToString();
  }
  // The outcome for one bad value.
  QuarantinedRecord Refused(std::optional<std::string> value) {
    EXPECT_EQ(Add(std::move(value)), std::nullopt);
    Cut cut = *builder_.Finish();
    EXPECT_EQ(cut.bronze.rows->num_rows(), 0);
    EXPECT_EQ(cut.quarantined.size(), 1u);
    return cut.quarantined.empty() ? QuarantinedRecord{} : cut.quarantined[0];
  }

  std::shared_ptr<const BronzeLayout> layout_ = testing::EventLayout();
  SchemaCache schemas_ = testing::EventSchemas();
  testing::Records records_;
  CutBuilder builder_{layout_};
  int64_t next_offset_ = 100;
};

TEST_F(CutBuilderTest, RowsOfAllPartitionsRegionsAndDatesShareOneCut) {
  Add(testing::Event(1, "US", kOct24), 0);
  Add(testing::Event(2, "EU", kOct24), 1);
  Add(testing::Event(3, "US", kOct24 - 1), 2);
  Add(testing::Event(4, "US", kOct24 + kDay - 1), 0);
  EXPECT_EQ(builder_.rows(), 4);
  EXPECT_EQ(builder_.fullest_value_rows(), 3);
  Cut cut = *builder_.Finish();
  const int32_t day = static_cast<int32_t>(kOct24 / kDay);
  EXPECT_THAT(cut.bronze.lake_partitions,
              ElementsAre(LakePartition{0, day}, LakePartition{1, day}, LakePartition{0, day - 1}));
  EXPECT_THAT(cut.bronze.lake_partition, ElementsAre(0, 1, 2, 0));
  EXPECT_THAT(cut.bronze.kafka_partition, ElementsAre(0, 1, 2, 0));
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(100, 101, 102, 103));
  const auto& ids = static_cast<const arrow::Int64Array&>(*cut.bronze.rows->column(0));
  EXPECT_EQ(ids.Value(3), 4);
  EXPECT_EQ(builder_.rows(), 0);
  EXPECT_EQ(builder_.fullest_value_rows(), 0);
}

TEST_F(CutBuilderTest, EachDateOfARegionIsAPartitionThatIsOpenUntilTheCut) {
  EXPECT_EQ(builder_.open_partitions(), 0);
  for (int day = 0; day < 20; ++day) {
    EXPECT_EQ(builder_.open_partitions(), day);
    Add(testing::Event(1, "US", kOct24 - day * kDay));
    Add(testing::Event(2, "US", kOct24 - day * kDay));
    Add("garbage");
  }
  Add(testing::Event(3, "EU", kOct24));
  EXPECT_EQ(builder_.open_partitions(), 21);
  const int64_t open = builder_.open_partitions();
  EXPECT_EQ(std::ssize((*builder_.Finish()).bronze.lake_partitions), open);
  EXPECT_EQ(builder_.open_partitions(), 0);
}

TEST_F(CutBuilderTest, AParkedRecordCountsAsThePartitionThatItMayOpen) {
  builder_.Park(records_.Make(0, 1, testing::Event(1, "US", kOct24)), testing::kSchemaId);
  builder_.Park(records_.Make(0, 2, testing::Event(1, "US", kOct24)), testing::kSchemaId);
  EXPECT_EQ(builder_.open_partitions(), 2);
  ASSERT_TRUE(builder_.DecideParked(schemas_, {}).ok());
  EXPECT_EQ(builder_.open_partitions(), 1);
}

TEST_F(CutBuilderTest, EveryKindOfGarbageHasItsCause) {
  EXPECT_EQ(Refused(std::nullopt).cause, Cause::kEmpty);
  EXPECT_EQ(Refused("").cause, Cause::kEmpty);
  EXPECT_EQ(Refused("abc").cause, Cause::kBadFrame);
  EXPECT_EQ(Refused("\x01" + testing::Event(1, "US", kOct24)).cause, Cause::kBadFrame);
  const std::string good = testing::Event(1, "US", kOct24);
  for (size_t size = 5; size < good.size(); ++size) {
    EXPECT_EQ(Refused(good.substr(0, size)).cause, Cause::kCorrupt) << size;
  }
  EXPECT_EQ(Refused(good + "x").cause, Cause::kCorrupt);
  EXPECT_EQ(Refused(testing::Event(1, "\xff\xfe", kOct24)).cause, Cause::kCorrupt);
  EXPECT_EQ(Refused(testing::Event(1, "MARS", kOct24)).cause, Cause::kUnknownPartitionValue);
  EXPECT_EQ(Refused(testing::Event(1, "US", 253'402'300'799'000)).cause, Cause::kBadTimestamp);
  EXPECT_EQ(Refused(testing::Event(1, "US", 946'684'799'999)).cause, Cause::kBadTimestamp);
  EXPECT_EQ(Refused(std::string(kMaxRecordBytes + 1, '\0')).cause, Cause::kTooLarge);
}

TEST_F(CutBuilderTest, TheBoundsOfTheEventTimeAreGood) {
  // Kafka's timestamp is noon of the 24th; up to one day later is allowed.
  Add(testing::Event(1, "US", kOct24 + kDay / 2 + kDay));
  Add(testing::Event(2, "US", 946'684'800'000));
  EXPECT_EQ(builder_.rows(), 2);
  builder_.Clear();
  EXPECT_EQ(Refused(testing::Event(3, "US", kOct24 + kDay / 2 + kDay + 1)).cause,
            Cause::kBadTimestamp);
}

TEST_F(CutBuilderTest, ATimestampOutsideTheCalendarIsQuarantinedWithItsNumber) {
  for (const int64_t sent : {kYear1Millis - 1, kLastMillis + 1, std::numeric_limits<int64_t>::min(),
                             std::numeric_limits<int64_t>::max()}) {
    for (const std::string& value : {testing::Event(1, "US", kOct24), std::string("garbage")}) {
      kafka::RecordView record = records_.Make(0, next_offset_++, value);
      record.timestamp_ms = sent;
      ASSERT_EQ(testing::Add(record, schemas_, &builder_), std::nullopt);
      const Cut cut = *builder_.Finish();
      ASSERT_EQ(cut.quarantined.size(), 1u);
      EXPECT_THAT(cut.quarantined[0].detail, HasSubstr(std::to_string(sent)));
    }
  }
  kafka::RecordView record =
      records_.Make(0, next_offset_++, testing::Event(1, "US", kLastMillis + 1));
  record.timestamp_ms = kLastMillis;
  ASSERT_EQ(testing::Add(record, schemas_, &builder_), std::nullopt);
  EXPECT_EQ((*builder_.Finish()).quarantined.at(0).cause, Cause::kBadTimestamp);
}

TEST_F(CutBuilderTest, ARecordWithoutAKafkaTimestampIsARowAtAnyTimeSince2000) {
  for (const int64_t time : {int64_t{946'684'800'000}, kOct24 + 1000 * kDay, kLastMillis}) {
    kafka::RecordView record = records_.Make(0, next_offset_++, testing::Event(1, "US", time));
    record.timestamp_ms = kNoTimestamp;
    ASSERT_EQ(testing::Add(record, schemas_, &builder_), std::nullopt);
  }
  const Cut cut = *builder_.Finish();
  EXPECT_EQ(cut.bronze.rows->num_rows(), 3);
  EXPECT_THAT(cut.quarantined, ::testing::IsEmpty());
  EXPECT_THAT(cut.bronze.kafka_timestamp_ms, ElementsAre(-1, -1, -1));
}

TEST_F(CutBuilderTest, AQuarantinedRecordKeepsEverything) {
  const std::string value = testing::Event(1, "MARS", kOct24);
  QuarantinedRecord record = Refused(value);
  EXPECT_EQ(record.offset, 100);
  EXPECT_EQ(record.schema_id, testing::kSchemaId);
  EXPECT_EQ(record.key, "42");
  EXPECT_EQ(record.value, value);
  EXPECT_THAT(record.detail, HasSubstr("MARS"));
}

TEST_F(CutBuilderTest, GarbageBetweenRowsLeavesNoTrace) {
  Add(testing::Event(1, "US", kOct24));
  Add(testing::Event(2, "MARS", kOct24));
  Add(testing::Event(3, "US", 0));
  Add(testing::Event(4, "EU", kOct24));
  Cut cut = *builder_.Finish();
  ASSERT_EQ(cut.bronze.rows->num_rows(), 2);
  ASSERT_TRUE(cut.bronze.rows->ValidateFull().ok());
  const auto& ids = static_cast<const arrow::Int64Array&>(*cut.bronze.rows->column(0));
  EXPECT_EQ(ids.Value(1), 4);
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(100, 103));
  EXPECT_EQ(cut.quarantined.size(), 2u);
}

TEST_F(CutBuilderTest, AnIdNotKnownYetIsAskedForAndNothingTaken) {
  EXPECT_EQ(Add(testing::Event(1, "US", kOct24, 77)), 77);
  EXPECT_EQ(builder_.rows() + builder_.quarantined(), 0);
}

TEST_F(CutBuilderTest, AParkedRecordIsDecidedWhenItsIdIs) {
  const std::string value = testing::Event(1, "US", kOct24, 77);
  builder_.Park(records_.Make(2, 500, value), 77);
  EXPECT_TRUE(builder_.has_parked());
  EXPECT_THAT(builder_.ParkedIds(), ElementsAre(77));
  ASSERT_TRUE(builder_.DecideParked(schemas_, {}).ok());
  EXPECT_TRUE(builder_.has_parked()) << "denied by nobody yet";
  const BootClock::time_point later{SchemaCache::kConfirmUnknownAfter};
  EXPECT_FALSE(schemas_.Resolve({77}, {}).resolved);
  EXPECT_TRUE(schemas_.Resolve({77}, later).resolved);
  ASSERT_TRUE(builder_.DecideParked(schemas_, later).ok());
  EXPECT_FALSE(builder_.has_parked());
  EXPECT_EQ(builder_.parked_bytes(), 0);
  Cut cut = *builder_.Finish();
  ASSERT_EQ(cut.quarantined.size(), 1u);
  EXPECT_EQ(cut.quarantined[0].cause, Cause::kUnknownSchema);
  EXPECT_EQ(cut.quarantined[0].value, value);
  EXPECT_EQ(cut.quarantined[0].offset, 500);
}

TEST_F(CutBuilderTest, AParkedRecordWhoseIdTurnsUpIsARow) {
  builder_.Park(records_.Make(2, 500, testing::Event(9, "EU", kOct24)), testing::kSchemaId);
  builder_.Park(records_.Make(2, 501, testing::Event(9, "MARS", kOct24)), testing::kSchemaId);
  ASSERT_TRUE(builder_.DecideParked(schemas_, {}).ok());
  Cut cut = *builder_.Finish();
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(500));
  ASSERT_EQ(cut.quarantined.size(), 1u);
  EXPECT_EQ(cut.quarantined[0].cause, Cause::kUnknownPartitionValue);
  EXPECT_EQ(cut.quarantined[0].key, "42");
}

// One cut with a writer's old and new versions in turn, as a table reads it.
TEST_F(CutBuilderTest, VersionsInterleavedFillOneCutWithNullsWhereTheFieldWasNotWritten) {
  for (int64_t id = 0; id < 6; id += 3) {
    Take(testing::Event(id, "US", kOct24));
    Take(testing::EventWithLeft(id + 1, "l" + std::to_string(id)));
    Take(testing::EventWithNumber(id + 2, 10 * id));
  }
  EXPECT_EQ(builder_.rows(), 6);
  EXPECT_GT(builder_.bytes(), 0);
  const Cut cut = *builder_.Finish();
  ASSERT_TRUE(cut.bronze.rows->ValidateFull().ok());
  EXPECT_EQ(cut.bronze.rows->schema()->field_names(),
            std::vector<std::string>({"id", "region", "timestamp", "left", "right"}));
  EXPECT_EQ(cut.bronze.rows->GetColumnByName("id")->ToString(), Array("[0,1,2,3,4,5]"));
  EXPECT_EQ(cut.bronze.rows->GetColumnByName("left")->ToString(),
            Array(R"([null,"l0",null,null,"l3",null])", arrow::utf8()));
  EXPECT_EQ(cut.bronze.rows->GetColumnByName("right")->ToString(),
            Array("[null,null,0,null,null,30]"));
  EXPECT_THAT(cut.bronze.schema_id, ElementsAre(1, 2, 3, 1, 2, 3));
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(100, 101, 102, 103, 104, 105));
}

TEST_F(CutBuilderTest, AFieldOfAnotherTypeIsQuarantinedWithPlaceAndRule) {
  Take(testing::EventWithLeft(1, "text"));
  Take(testing::EventWithNumber(2, 7, testing::kWithLeftAsNumber));
  Take(testing::Event(3, "US", kOct24, testing::kWithIdAsText));
  const Cut cut = *builder_.Finish();
  EXPECT_EQ(cut.bronze.rows->num_rows(), 1);
  ASSERT_EQ(cut.quarantined.size(), 2u);
  EXPECT_EQ(cut.quarantined[0].cause, Cause::kIncompatibleSchema);
  EXPECT_THAT(cut.quarantined[0].detail, HasSubstr("TYPE_MISMATCH at /fields/3/type"));
  EXPECT_THAT(cut.quarantined[1].detail, HasSubstr("TYPE_MISMATCH at /fields/0/type"));
}

TEST(OpenPartitionValuesTest, AnyValueIsTakenUpToTheBoundThatTheTablesOwnCountTowards) {
  LayoutOptions options;
  options.partition_values = {};
  options.max_partition_values = 3;
  CutBuilder builder(testing::EventLayout(options));
  SchemaCache schemas = testing::EventSchemas(options);
  testing::Records records;
  builder.Admit({{"old"}});
  int64_t offset = 0;
  const auto add = [&](const std::string& value, int64_t time = kOct24) {
    EXPECT_EQ(
        testing::Add(records.Make(0, offset++, testing::Event(1, value, time)), schemas, &builder),
        std::nullopt);
  };
  add("never", 0);  // Not a row, so not a value of the table.
  for (const char* value : {"a", "b", "c", "a", "old"}) add(value);
  add(std::string(1025, 'x'));
  const Cut cut = *builder.Finish();
  EXPECT_EQ(cut.bronze.partition_values, (Tuples{{"old"}, {"a"}, {"b"}}));
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(1, 2, 4, 5));
  ASSERT_EQ(cut.quarantined.size(), 3u);
  EXPECT_EQ(cut.quarantined[0].cause, Cause::kBadTimestamp);
  EXPECT_EQ(cut.quarantined[1].cause, Cause::kUnknownPartitionValue);
  EXPECT_THAT(cut.quarantined[1].detail, HasSubstr("ingest.max_partition_values"));
  EXPECT_THAT(cut.quarantined[2].detail, HasSubstr("1025 bytes"));
}

TEST(OpenPartitionValuesTest, NullAndEmptyAreTheNullPartitionWhichTheBoundDoesNotCount) {
  LayoutOptions options;
  options.partition_values = {};
  options.max_partition_values = 2;
  CutBuilder builder(testing::EventLayout(options));
  SchemaCache schemas = testing::EventSchemas(options);
  ASSERT_TRUE(schemas.Resolve({testing::kWithNullableRegion}, {}).resolved);
  ASSERT_TRUE(schemas.Resolve({testing::kSchemaId}, {}).resolved);
  testing::Records records;
  int64_t offset = 0;
  for (const std::string& value :
       {testing::EventOfNoRegion(1), testing::Event(2, "a", kOct24), testing::Event(3, "", kOct24),
        testing::Event(4, "b", kOct24), testing::Event(5, "c", kOct24)}) {
    ASSERT_EQ(testing::Add(records.Make(0, offset++, value), schemas, &builder), std::nullopt);
  }
  EXPECT_EQ(builder.open_partitions(), 3);
  EXPECT_EQ(builder.fullest_value_rows(), 2);
  const Cut cut = *builder.Finish();
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(cut.bronze.partition_values, (Tuples{{""}, {"a"}, {"b"}}));
  EXPECT_THAT(cut.bronze.lake_partition, ElementsAre(0, 1, 0, 2));
  ASSERT_EQ(cut.quarantined.size(), 1u);
  EXPECT_THAT(cut.quarantined[0].detail, HasSubstr("the table already has 2"));
}

TEST_F(CutBuilderTest, NullAndEmptyAreNoneOfTheKnownValues) {
  ASSERT_TRUE(schemas_.Resolve({testing::kWithNullableRegion}, {}).resolved);
  ASSERT_TRUE(schemas_.Resolve({testing::kSchemaId}, {}).resolved);
  EXPECT_THAT(Refused(testing::EventOfNoRegion(1)).detail, HasSubstr("is null"));
  EXPECT_EQ(Refused(testing::Event(1, "", kOct24)).cause, Cause::kUnknownPartitionValue);
}

TEST(OpenPartitionValuesTest, TextsThatAFolderSpellsArePartitionsAndTheNameOfNullIsNone) {
  LayoutOptions options;
  options.partition_values = {};
  CutBuilder builder(testing::EventLayout(options));
  SchemaCache schemas = testing::EventSchemas(options);
  testing::Records records;
  builder.Admit({{"__HIVE_DEFAULT_PARTITION__"}});
  const std::string longest(64, '%');  // "region=" and three bytes each: 199.
  int64_t offset = 0;
  for (const std::string& value :
       {longest, longest + '%', std::string("__HIVE_DEFAULT_PARTITION__"), std::string(".."),
        std::string("\x01\x7f", 2)}) {
    ASSERT_EQ(testing::Add(records.Make(0, offset++, testing::Event(1, value, kOct24)), schemas,
                           &builder),
              std::nullopt);
  }
  const Cut cut = *builder.Finish();
  EXPECT_THAT(cut.bronze.kafka_offset, ElementsAre(0, 3, 4));
  EXPECT_EQ(cut.bronze.partition_values,
            (Tuples{{"__HIVE_DEFAULT_PARTITION__"}, {longest}, {".."}, {"\x01\x7f"}}));
  ASSERT_EQ(cut.quarantined.size(), 2u);
  EXPECT_THAT(cut.quarantined[0].detail, HasSubstr("65 bytes, too many"));
  EXPECT_EQ(cut.quarantined[1].cause, Cause::kUnknownPartitionValue);
  EXPECT_THAT(cut.quarantined[1].detail, HasSubstr("Delta readers read it as null"));
}

}  // namespace
}  // namespace shopstream::ingest
