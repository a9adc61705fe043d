#include "console/quarantine_answer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/config.h"
#include "base/json.h"
#include "registry/client.h"

namespace shopstream::console {
namespace {

class QuarantineAnswerTest : public ::testing::Test {
 protected:
  QuarantineAnswerTest() {
    row_.topic = "t";
    row_.topic_id = "id";
    row_.partition = 1;
    row_.offset = 7;
    row_.cause = "corrupt";
    row_.detail = "at customer: 4711";
    row_.key = "4711";
    row_.value = "no frame";
    row_.value_bytes = 8;
    row_.headers = R"([{"key":"trace","value":"4711"}])";
    row_.quarantined_at_us = 1'764'495'600'123'456;
    replayed_["id"].Insert(1, 7);
  }

  nlohmann::ordered_json Record(const Masking& masking) {
    records::RecordDecoder decoder(registry_.get());
    return QuarantinedRecordJson(row_, replayed_, masking, &decoder);
  }

  tables::QuarantinedRow row_;
  observe::ReplayedByTopic replayed_;
  std::unique_ptr<registry::Client> registry_ = *registry::Client::Open(RegistryConfig());
};

TEST_F(QuarantineAnswerTest, ARecordHasItsBytesAndWhatBecameOfIt) {
  const auto record = Record(Masking({}));
  EXPECT_EQ(1, record["partition"]);
  EXPECT_EQ(true, record["replayed"]);
  EXPECT_EQ(1'764'495'600'123, record["quarantined_at_ms"]);
  EXPECT_TRUE(record["sent_ms"].is_null());
  EXPECT_EQ("4711", record["key"]);
  EXPECT_EQ("6e6f206672616d65", record["value_hex"]);
  EXPECT_EQ(8, record["value_bytes"]);
  EXPECT_EQ("trace", record["headers"][0]["key"]);
  EXPECT_FALSE(record.contains("value"));
  EXPECT_EQ(0U, record["error"].get<std::string>().find("no frame"));
  row_.offset = 8;
  EXPECT_EQ(false, Record(Masking({}))["replayed"]);
}

TEST_F(QuarantineAnswerTest, AMaskedFieldHidesKeyHeadersBytesAndTheDetailsThatQuote) {
  const auto record = Record(Masking({"customer"}));
  EXPECT_EQ(std::string::npos, DumpJson(record).find("4711")) << record;
  EXPECT_EQ(true, record["hidden"]);
  EXPECT_FALSE(record.contains("value_hex"));
  row_.cause = "bad_frame";
  row_.detail = "no frame";
  EXPECT_EQ("no frame", Record(Masking({"customer"}))["detail"]);
}

TEST_F(QuarantineAnswerTest, LongValuesAreCut) {
  row_.value = std::string(100'000, 'x');
  row_.value_bytes = 100'000;
  const auto record = Record(Masking({}));
  EXPECT_EQ(true, record["value_cut"]);
  EXPECT_EQ(2U * 65'536, record["value_hex"].get<std::string>().size());
  EXPECT_EQ(100'000, record["value_bytes"]);
  row_.value.reset();
  EXPECT_TRUE(Record(Masking({}))["value_hex"].is_null());
}

}  // namespace
}  // namespace shopstream::console
