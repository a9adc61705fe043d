#include "observe/content_sample.h"

#include <gtest/gtest.h>

#include <string>

#include "kafka/record_hash.h"

namespace shopstream::observe {
namespace {

using Verdict = ContentSample::Verdict;

const std::string kText = "a value";

kafka::RecordView RecordAt(int64_t offset, int64_t timestamp_ms, const std::string& value = kText) {
  kafka::RecordView record;
  record.offset = offset;
  record.timestamp_ms = timestamp_ms;
  record.value = kafka::Bytes(reinterpret_cast<const uint8_t*>(value.data()), value.size());
  return record;
}

TEST(ContentSampleTest, ComparesTimestampsWhateverTheirOrder) {
  ContentSample sample;
  sample.AddTimestamp(9, 9'000'000);
  sample.AddTimestamp(7, 7'000'000);
  EXPECT_EQ(Verdict::kSame, sample.Compare(RecordAt(7, 7000)));
  EXPECT_EQ(Verdict::kOther, sample.Compare(RecordAt(9, 9001)));
  EXPECT_EQ(Verdict::kUnknown, sample.Compare(RecordAt(8, 8000)));
  sample.AddTimestamp(8, 8'000'000);
  EXPECT_EQ(Verdict::kSame, sample.Compare(RecordAt(8, 8000)));
}

TEST(ContentSampleTest, ARowWithATimeIsNotOfARecordWithoutOne) {
  ContentSample sample;
  sample.AddTimestamp(7, -1000);
  EXPECT_EQ(Verdict::kOther, sample.Compare(RecordAt(7, -1)));
  EXPECT_EQ(Verdict::kUnknown, sample.Compare(RecordAt(7, INT64_MAX))) << "no table can hold it";
}

TEST(ContentSampleTest, ComparesHashes) {
  ContentSample sample;
  sample.AddHash(7, kafka::ContentHash(RecordAt(7, 7000)));
  EXPECT_EQ(Verdict::kSame, sample.Compare(RecordAt(7, 7000)));
  const std::string other = "another value";
  EXPECT_EQ(Verdict::kOther, sample.Compare(RecordAt(7, 7000, other)));
  sample.AddHash(7, 1);
  EXPECT_EQ(Verdict::kOther, sample.Compare(RecordAt(7, 7000))) << "one of two rows differs";
}

TEST(ContentSampleTest, ComparesTheLastRecordThoughItIsNotSampled) {
  ContentSample sample(1000);
  int64_t offset = 0;
  while (sample.Samples(offset)) ++offset;
  sample.AddLast(
      {.offset = offset, .timestamp_ms = 7000, .hash = kafka::ContentHash(RecordAt(0, 7000))});
  EXPECT_EQ(Verdict::kSame, sample.Compare(RecordAt(offset, 7000)));
  EXPECT_EQ(Verdict::kOther, sample.Compare(RecordAt(offset, 7001)));
  sample.AddLast({.offset = offset, .leader_epoch = 3});
  kafka::RecordView appended_again = RecordAt(offset, 7000);
  appended_again.leader_epoch = 3;
  EXPECT_EQ(Verdict::kSame, sample.Compare(appended_again));
  appended_again.leader_epoch = 4;
  EXPECT_EQ(Verdict::kOther, sample.Compare(appended_again));
}

TEST(ContentSampleTest, SamplesAboutOneInN) {
  const ContentSample sample(100);
  int sampled = 0;
  for (int64_t offset = 0; offset < 1'000'000; ++offset) sampled += sample.Samples(offset) ? 1 : 0;
  EXPECT_GT(sampled, 8'000);
  EXPECT_LT(sampled, 12'000);
}

TEST(ContentSampleTest, SamplesAllOfAMillionRowsAndFewerOfMore) {
  const auto sampled = [](int64_t rows) {
    const ContentSample sample = ContentSample::OfRows(rows);
    int64_t count = 0;
    for (int64_t offset = 0; offset < 10'000; ++offset) count += sample.Samples(offset) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(sampled(0), 10'000);
  EXPECT_EQ(sampled(1'000'000), 10'000);
  EXPECT_NEAR(static_cast<double>(sampled(1'000'001)), 5'000, 500);
  EXPECT_NEAR(static_cast<double>(sampled(10'000'000)), 1'000, 200);
}

}  // namespace
}  // namespace shopstream::observe
