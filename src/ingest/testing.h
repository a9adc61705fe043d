#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "avro/schema.h"
#include "ingest/bronze_layout.h"
#include "ingest/cut_builder.h"
#include "ingest/schema_cache.h"
#include "ingest/start_positions.h"
#include "kafka/record.h"
#include "kafka/record_source.h"
#include "registry/schema_source.h"

// For tests: records of a small event, described in a test's terms.
namespace shopstream::ingest::testing {

inline constexpr int32_t kSchemaId = 1;
inline constexpr int64_t kDay = 86'400'000;           // Milliseconds.
inline constexpr int64_t kOct24 = 1'761'264'000'000;  // 2025-10-24T00:00:00Z
inline constexpr char kEventSchema[] = R"({"type": "record", "name": "Event", "fields": [
    {"name": "id", "type": "long"},
    {"name": "region", "type": "string"},
    {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}}]})";

// Writers of other versions: the event with one more field at its end.
inline constexpr int32_t kWithLeft = 2;          // "left", a string.
inline constexpr int32_t kWithRight = 3;         // "right", a long.
inline constexpr int32_t kWithLeftAsNumber = 4;  // "left" again, but a long.
inline constexpr int32_t kWithIdAsText = 5;      // A type that the event's column cannot hold.
inline std::string EventWith(const std::string& field, const std::string& type) {
  std::string schema = kEventSchema;
  return schema.replace(schema.rfind("]}"), 2,
                        R"(, {"name": ")" + field + R"(", "type": ")" + type + "\"}]}");
}
inline constexpr int32_t kWithNullableRegion = 6;
inline std::map<int32_t, std::string> SchemasById() {
  std::string id_as_text = kEventSchema;
  id_as_text.replace(id_as_text.find("long"), 4, "string");
  std::string nullable = kEventSchema;
  const std::string region = R"("region", "type": )";
  nullable.replace(nullable.find(region), region.size() + 8, region + R"(["null", "string"])");
  return {{kSchemaId, kEventSchema},
          {kWithNullableRegion, nullable},
          {kWithLeft, EventWith("left", "string")},
          {kWithRight, EventWith("right", "long")},
          {kWithLeftAsNumber, EventWith("left", "long")},
          {kWithIdAsText, id_as_text}};
}

inline avro::Schema EventSchema() { return *avro::Schema::Parse(kEventSchema); }
inline std::shared_ptr<const BronzeLayout> EventLayout(const LayoutOptions& options = {}) {
  return std::make_shared<const BronzeLayout>(*BronzeLayout::Make(EventSchema(), options));
}

inline void AppendLong(int64_t value, std::string* out) {
  uint64_t rest = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; rest > 0x7f; rest >>= 7) out->push_back(static_cast<char>(rest | 0x80));
  out->push_back(static_cast<char>(rest));
}

// A record's value with its frame.
inline std::string Event(int64_t id, const std::string& region, int64_t timestamp_ms,
                         int32_t schema_id = kSchemaId) {
  std::string value = {0, static_cast<char>(schema_id >> 24), static_cast<char>(schema_id >> 16),
                       static_cast<char>(schema_id >> 8), static_cast<char>(schema_id)};
  AppendLong(id, &value);
  AppendLong(static_cast<int64_t>(region.size()), &value);
  value += region;
  AppendLong(timestamp_ms, &value);
  return value;
}

// Written with a schema whose region is nullable; here it is null.
inline std::string EventOfNoRegion(int64_t id, int64_t timestamp_ms = kOct24) {
  std::string value = {0, 0, 0, 0, static_cast<char>(kWithNullableRegion)};
  AppendLong(id, &value);
  AppendLong(0, &value);
  AppendLong(timestamp_ms, &value);
  return value;
}

inline std::string EventWithLeft(int64_t id, const std::string& left,
                                 const std::string& region = "US") {
  std::string value = Event(id, region, kOct24, kWithLeft);
  AppendLong(static_cast<int64_t>(left.size()), &value);
  return value + left;
}

inline std::string EventWithNumber(int64_t id, int64_t number, int32_t schema_id = kWithRight) {
  std::string value = Event(id, "US", kOct24, schema_id);
  AppendLong(number, &value);
  return value;
}

// The start of a partition of which the table has only the progress.
inline StartPosition StartAfter(int32_t partition, std::optional<int64_t> txn,
                                kafka::OffsetSpan span, bool has_rows = false) {
  tables::PartitionState state;
  state.next = txn;
  return DecideStart(partition, state, span, has_rows);
}

// Records as a poll returns them, in memory that the test owns.
class Records {
 public:
  // Kafka's timestamp is that of an event sent on 2025-10-24 at noon.
  kafka::RecordView Make(int32_t partition, int64_t offset, std::optional<std::string> value) {
    kafka::RecordView record;
    record.partition = partition;
    record.offset = offset;
    record.timestamp_ms = kOct24 + kDay / 2;
    record.key = ToBytes(values_.emplace_back("42"));
    if (value) record.value = ToBytes(values_.emplace_back(*std::move(value)));
    return record;
  }

 private:
  static kafka::Bytes ToBytes(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  }
  std::deque<std::string> values_;
};

// A source that delivers nothing and records its calls.
class NotingSource : public kafka::RecordSource {
 public:
  Status Subscribe() override { return Status::OK(); }
  Result<kafka::PollResult> Poll(Millis) override { return kafka::PollResult{}; }
  Status Assign(const std::vector<kafka::PartitionOffset>& start) override {
    return Note(start, &assigned);
  }
  Status Unassign(const std::vector<int32_t>&) override { return Status::OK(); }
  Status Restart(const std::vector<kafka::PartitionOffset>& start) override {
    return Note(start, &restarted);
  }
  Status Validate(const kafka::PartitionOffset& at) override {
    validated.push_back(at.partition);
    return validation;
  }
  Status Pause(const std::vector<int32_t>& partitions) override {
    for (int32_t partition : partitions) paused.insert(partition);
    return Status::OK();
  }
  Status Resume(const std::vector<int32_t>& partitions) override {
    for (int32_t partition : partitions) paused.erase(partition);
    return Status::OK();
  }
  void CommitForDisplay(const std::vector<kafka::PartitionOffset>&) override {}
  int64_t CachedEnd(int32_t) const override { return cached_end; }
  void Close() override {}

  std::vector<std::pair<int32_t, int64_t>> assigned, restarted;  // Partition, offset.
  std::vector<int32_t> validated;
  std::set<int32_t> paused;
  Status validation;
  int64_t cached_end = -1;

 private:
  static Status Note(const std::vector<kafka::PartitionOffset>& start,
                     std::vector<std::pair<int32_t, int64_t>>* noted) {
    for (const auto& item : start) noted->emplace_back(item.partition, item.offset);
    return Status::OK();
  }
};

// Knows the ids of SchemasById (all resolved except those of other versions); denies others.
inline SchemaCache EventSchemas(const LayoutOptions& options = {}) {
  SchemaCache schemas(EventLayout(options), [](int32_t id) {
    registry::LookUp answer;
    const auto known = SchemasById();
    const auto found = known.find(id);
    answer.outcome =
        found == known.end() ? registry::LookUpOutcome::kUnknown : registry::LookUpOutcome::kFound;
    if (found != known.end()) answer.schema.schema = found->second;
    return answer;
  });
  EXPECT_TRUE(schemas.Resolve({kSchemaId}, BootClock::time_point{}).resolved);
  return schemas;
}

// Takes one record as a source does; if its schema id is not known yet, only returns the id.
inline std::optional<int32_t> Add(const kafka::RecordView& record, const SchemaCache& schemas,
                                  CutBuilder* builder) {
  const std::optional<Frame> frame = builder->Open(record);
  if (!frame) return std::nullopt;
  const KnownSchema* schema = schemas.Find(frame->schema_id, {});
  if (schema == nullptr) return frame->schema_id;
  EXPECT_TRUE(builder->Add(record, *frame, *schema).ok());
  return std::nullopt;
}

// A registry that has the schemas listed by a test, and denies all others.
struct ListedRegistry {
  std::map<int32_t, std::string> schemas = {};
  bool out = false;                 // It does not answer.
  std::vector<int32_t> asked = {};  // Each question.

  registry::LookUp Answer(int32_t id) {
    asked.push_back(id);
    registry::LookUp answer;
    if (out) {
      answer.detail = "connection refused";
      return answer;
    }
    const auto found = schemas.find(id);
    answer.outcome = found == schemas.end() ? registry::LookUpOutcome::kUnknown
                                            : registry::LookUpOutcome::kFound;
    if (found != schemas.end()) answer.schema.schema = found->second;
    return answer;
  }
};

}  // namespace shopstream::ingest::testing
