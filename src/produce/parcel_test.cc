#include "produce/parcel.h"

#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/json.h"

namespace shopstream::produce {
namespace {

using generate::EventBatch;
using generate::Fault;
using testing::ElementsAre;
using Bytes = std::vector<uint8_t>;

constexpr const char* kAvroSchema = R"({"type": "record", "name": "Sale", "fields": [
  {"name": "user", "type": "int"}, {"name": "item", "type": "string"}]})";

std::shared_ptr<arrow::Schema> Columns() {
  return arrow::schema(
      {arrow::field("user", arrow::int32(), false), arrow::field("item", arrow::utf8(), false)});
}

EventBatch Sales(const std::string& json) {
  const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(Columns()->fields()), json);
  EXPECT_TRUE(rows.ok()) << rows.status();
  EventBatch batch;
  batch.rows = arrow::RecordBatch::FromStructArray(*rows).ValueOrDie();
  return batch;
}

class ListedSource : public generate::EventSource {
 public:
  explicit ListedSource(std::deque<EventBatch> batches, int key_column = 0)
      : batches_(std::move(batches)), key_column_(key_column) {}
  Result<EventBatch> Next(int64_t /*max_rows*/) override {
    if (batches_.empty()) return EventBatch{};
    EventBatch next = std::move(batches_.front());
    batches_.pop_front();
    return next;
  }
  int key_column() const override { return key_column_; }

 private:
  std::deque<EventBatch> batches_;
  const int key_column_;
};

ParcelMaker Open(generate::EventSource* source) {
  auto maker = ParcelMaker::Open(source, *Columns(), kAvroSchema, 0x01020304);
  EXPECT_TRUE(maker.ok()) << maker.status();
  return *std::move(maker);
}

Bytes ValueOf(const kafka::Message& message) {
  return {message.value.begin(), message.value.end()};
}

TEST(ParcelMaker, FramesRecordsAndWritesKeys) {
  ListedSource source({Sales(R"([{"user": 12, "item": "ab"}, {"user": -7, "item": ""}])")});
  ParcelMaker maker = Open(&source);
  Parcel parcel;
  ASSERT_EQ(maker.Make(10, &parcel).ValueOrDie(), Made::kMessages);
  ASSERT_EQ(parcel.messages.size(), 2u);
  EXPECT_EQ(parcel.messages[0].key, "12");
  EXPECT_EQ(parcel.messages[1].key, "-7");
  EXPECT_EQ(ValueOf(parcel.messages[0]), (Bytes{0, 1, 2, 3, 4, 24, 4, 'a', 'b'}));
  EXPECT_EQ(ValueOf(parcel.messages[1]), (Bytes{0, 1, 2, 3, 4, 13, 0}));
  EXPECT_EQ(parcel.bytes, 16);
}

TEST(ParcelMaker, TextIsAKeyAsItStands) {
  ListedSource source({Sales(R"([{"user": 1, "item": "ab"}, {"user": 2, "item": "c"}])")}, 1);
  ParcelMaker maker = Open(&source);
  Parcel parcel;
  ASSERT_EQ(maker.Make(10, &parcel).ValueOrDie(), Made::kMessages);
  EXPECT_EQ(parcel.messages[0].key, "ab");
  EXPECT_EQ(parcel.messages[1].key, "c");
}

TEST(ParcelMaker, BreaksTheRecordsItIsToldTo) {
  EventBatch batch = Sales(R"([{"user": 1, "item": "a"}, {"user": 2, "item": "b"},
                               {"user": 3, "item": "c"}])");
  batch.wire_faults = {{0, Fault::kEmpty, 0}, {2, Fault::kTrailing, 2}};
  batch.malformed = 2;
  ListedSource source({batch});
  ParcelMaker maker = Open(&source);
  Parcel parcel;
  ASSERT_EQ(maker.Make(10, &parcel).ValueOrDie(), Made::kMessages);
  EXPECT_TRUE(parcel.messages[0].value.empty());
  EXPECT_EQ(parcel.messages[1].value.size(), 8u);
  EXPECT_EQ(parcel.messages[2].value.size(), 11u);
  EXPECT_EQ(parcel.messages[2].key, "3");
  EXPECT_EQ(parcel.bytes, 19);
  EXPECT_EQ(parcel.malformed, 2);
}

TEST(ParcelMaker, TellsTheEndFromAPause) {
  ListedSource source({Sales("[]"), Sales(R"([{"user": 1, "item": "a"}])")});
  ParcelMaker maker = Open(&source);
  Parcel parcel;
  EXPECT_EQ(maker.Make(10, &parcel).ValueOrDie(), Made::kNothingDue);
  EXPECT_EQ(maker.Make(10, &parcel).ValueOrDie(), Made::kMessages);
  EXPECT_EQ(maker.Make(10, &parcel).ValueOrDie(), Made::kEnd);
  EXPECT_TRUE(parcel.messages.empty());
}

TEST(ParcelMaker, AParcelCanBeFilledAgain) {
  EventBatch faulty = Sales(R"([{"user": 1, "item": "a"}])");
  faulty.wire_faults = {{0, Fault::kEmpty, 0}};
  ListedSource source({faulty, Sales(R"([{"user": 5, "item": "x"}])")});
  ParcelMaker maker = Open(&source);
  Parcel parcel;
  ASSERT_TRUE(maker.Make(10, &parcel).ok());
  ASSERT_TRUE(maker.Make(10, &parcel).ok());
  ASSERT_EQ(parcel.messages.size(), 1u);
  EXPECT_EQ(parcel.messages[0].key, "5");
  EXPECT_EQ(ValueOf(parcel.messages[0]), (Bytes{0, 1, 2, 3, 4, 10, 2, 'x'}));
}

TEST(ParcelMaker, RefusesASchemaThatDoesNotFit) {
  ListedSource source({});
  const auto maker = ParcelMaker::Open(
      &source, *Columns(),
      R"({"type": "record", "name": "Sale", "fields": [{"name": "other", "type": "int"}]})", 1);
  EXPECT_TRUE(maker.status().IsInvalid()) << maker.status();
}

}  // namespace
}  // namespace shopstream::produce
