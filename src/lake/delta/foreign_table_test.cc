// Changes that other engines make to a table: harmless ones are followed, others are refused by
// name.

#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/log_cleanup.h"
#include "lake/delta/log_name.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table_state.h"
#include "lake/testing.h"
#include "lake/upkeep/verify_log.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::kPath;

class ForeignTableTest : public testing::LakeTest {
 protected:
  // As written by another engine: the table's own columns and one more.
  static json Metadata(const json& more_field = nullptr) {
    json fields = json::array();
    for (const auto& [name, type] :
         {std::pair("n", "long"), {"name", "string"}, {"region", "string"}}) {
      fields.push_back(
          {{"name", name}, {"type", type}, {"nullable", true}, {"metadata", json::object()}});
    }
    if (!more_field.is_null()) fields.push_back(more_field);
    const json schema = {{"type", "struct"}, {"fields", fields}};
    return {{"id", "x"},
            {"format", {{"provider", "parquet"}, {"options", json::object()}}},
            {"schemaString", schema.dump()},
            {"partitionColumns", {"region"}},
            {"configuration", json::object()}};
  }
  void OtherWrites(const json& metadata) {
    const int64_t version = Table::Open(store_->inner(), kPath).ValueOrDie()->snapshot()->version();
    PutText(LogEntryPath(kPath, version + 1), json({{"metaData", metadata}}).dump() + "\n");
  }
  // A checkpoint of the newest version, with these columns; the entries up to it are deleted.
  void OtherWritesCheckpoint(const arrow::FieldVector& columns,
                             const std::vector<std::string>& values) {
    arrow::ArrayVector arrays;
    for (size_t i = 0; i < columns.size(); ++i) {
      arrays.push_back(
          arrow::json::ArrayFromJSONString(columns[i]->type(), values[i]).ValueOrDie());
    }
    const auto rows = arrow::RecordBatch::Make(arrow::schema(columns), arrays[0]->length(), arrays);
    const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    const auto writer =
        parquet::arrow::FileWriter::Open(*rows->schema(), arrow::default_memory_pool(), sink)
            .ValueOrDie();
    ASSERT_TRUE(writer->WriteRecordBatch(*rows).ok());
    ASSERT_TRUE(writer->Close().ok());
    const int64_t version = table_->snapshot()->version();
    ASSERT_TRUE(store_->inner()
                    ->Put(LogFolder(kPath) + ZeroPadded(version, 20) + ".checkpoint.parquet",
                          *sink->Finish().ValueOrDie())
                    .ok());
    for (int64_t i = 0; i <= version; ++i) Delete(LogEntryPath(kPath, i));
  }
  Status OpenError() { return Table::Open(store_->inner(), kPath).status(); }
};

json Struct(json field) {
  return {{"type", "struct"}, {"fields", json::array({std::move(field)})}};
}

json Field(const std::string& name, json type, json metadata = json::object()) {
  return {{"name", name},
          {"type", std::move(type)},
          {"nullable", true},
          {"metadata", std::move(metadata)}};
}

TEST_F(ForeignTableTest, ARuleAtAnyDepthStopsTheWriter) {
  for (const char* rule : {"delta.invariants", "delta.generationExpression", "delta.identity.start",
                           "delta.columnMapping.id"}) {
    const json ruled = Struct(Field("ruled", "long", {{rule, "x"}}));
    const std::vector<std::pair<std::string, json>> types = {
        {"column n2.ruled", ruled},
        {"inner.ruled", Struct(Field("inner", ruled))},
        {"ruled", {{"type", "array"}, {"containsNull", true}, {"elementType", ruled}}},
        {"ruled",
         {{"type", "map"},
          {"keyType", "string"},
          {"valueContainsNull", true},
          {"valueType", ruled}}},
        {"ruled",
         {{"type", "map"},
          {"keyType", ruled},
          {"valueContainsNull", true},
          {"valueType", "string"}}}};
    for (const auto& [column, type] : types) {
      Create({});
      OtherWrites(Metadata(Field("n2", type)));
      Changes changes;
      changes.adds = {WriteFile(0, 1)};
      changes.written_since = BootClock::now();
      const Status status =
          table_->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000}).status();
      EXPECT_TRUE(status.IsNotImplemented()) << status;
      EXPECT_THAT(status.message(), HasSubstr(column + " has the rule " + rule));
    }
  }
}

TEST_F(ForeignTableTest, DataFilesOfAnotherFormatAreRefused) {
  json metadata = Metadata();
  metadata["format"]["provider"] = "orc";
  OtherWrites(metadata);
  EXPECT_TRUE(OpenError().IsNotImplemented());
  EXPECT_THAT(OpenError().message(), HasSubstr("orc"));
  EXPECT_THAT(table_->Refresh().status().message(), HasSubstr("orc"));
}

TEST_F(ForeignTableTest, AVoidColumnIsWelcome) {
  OtherWrites(Metadata(Field("nothing", "void")));
  const DataFile file = Append(0, 3);
  const auto snapshot = Table::Open(store_->inner(), kPath).ValueOrDie()->snapshot();
  EXPECT_EQ(2, snapshot->version());
  const auto rows =
      ReadDataFile(store_->inner(), kPath, file, snapshot->schema(), {"nothing", "n"}).ValueOrDie();
  EXPECT_EQ(3, rows->column(0)->null_count());
  EXPECT_EQ(0, rows->column(1)->null_count());
}

TEST_F(ForeignTableTest, AColumnOfItsOwnRenamedInCaseAloneStopsTheWriter) {
  json metadata = Metadata();
  std::string schema = metadata["schemaString"];
  schema.replace(schema.find(R"("name":"n")"), 10, R"("name":"N")");
  metadata["schemaString"] = schema;
  OtherWrites(metadata);
  Changes changes;
  changes.adds = {WriteFile(0, 1)};
  changes.written_since = BootClock::now();
  const Status status =
      table_->Commit(Unconditionally(changes), BootClock::now() + Millis{20'000}).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("no column n "));
}

arrow::FieldVector CheckpointFields() {
  using arrow::field;
  const auto text = arrow::utf8();
  return {field("protocol", arrow::struct_({field("minReaderVersion", arrow::int32()),
                                            field("minWriterVersion", arrow::int32())})),
          field("metaData",
                arrow::struct_({field("id", text),
                                field("format", arrow::struct_({field("provider", text)})),
                                field("schemaString", text),
                                field("partitionColumns", arrow::list(field("element", text)))}))};
}

TEST_F(ForeignTableTest, ACheckpointOfAnotherFormatIsRefused) {
  json metadata = Metadata();
  metadata.erase("configuration");
  metadata["format"].erase("options");
  for (const char* provider : {"parquet", "orc"}) {
    Create({});
    metadata["format"]["provider"] = provider;
    OtherWritesCheckpoint(CheckpointFields(),
                          {R"([{"minReaderVersion":1,"minWriterVersion":2}, null])",
                           json::array({nullptr, metadata}).dump()});
    if (provider == std::string("parquet")) {
      EXPECT_TRUE(OpenError().ok()) << OpenError();
    } else {
      EXPECT_TRUE(OpenError().IsNotImplemented()) << OpenError();
      EXPECT_THAT(OpenError().message(), HasSubstr("orc"));
    }
  }
}

TEST_F(ForeignTableTest, AFormatThatIsNotNamedIsParquet) {
  json metadata = Metadata();
  metadata.erase("format");
  OtherWrites(metadata);
  EXPECT_TRUE(OpenError().ok()) << OpenError();
  metadata["format"]["provider"] = "Parquet";
  OtherWrites(metadata);
  EXPECT_TRUE(OpenError().ok()) << OpenError();
}

// A single-part checkpoint has the classic name or is part 1 of 1; some writers leave both.
class SinglePartTest : public ForeignTableTest {
 protected:
  void SetUp() override {
    Create({{"delta.checkpointInterval", "3"}});
    for (int i = 0; i < 4; ++i) Append(i * 10);
    Reopen();
    ASSERT_TRUE(Exists(Classic()));
    before_ = Described();
  }
  static std::string Classic() { return Path(".checkpoint.parquet"); }
  static std::string OneOfOne() { return Path(".checkpoint.0000000001.0000000001.parquet"); }
  void Copy(const std::string& from, const std::string& to) {
    ASSERT_TRUE(store_->inner()->Put(to, **store_->inner()->Get(from)).ok());
  }
  void DeleteEntries() {
    for (int64_t i = 0; i <= 3; ++i) Delete(LogEntryPath(kPath, i));
  }

  std::string before_;

 private:
  static std::string Path(const std::string& end) {
    return LogFolder(kPath) + ZeroPadded(3, 20) + end;
  }
};

TEST_F(SinglePartTest, BothBesideEachOtherAreUsed) {
  Copy(Classic(), OneOfOne());
  DeleteEntries();
  EXPECT_EQ(before_, Described());
}

TEST_F(SinglePartTest, TheOtherIsUsedWhereOneIsDamaged) {
  Copy(Classic(), OneOfOne());
  DeleteEntries();
  PutText(OneOfOne(), "not Parquet");
  EXPECT_EQ(before_, Described());
  Copy(Classic(), OneOfOne());
  PutText(Classic(), "not Parquet");
  EXPECT_EQ(before_, Described());
}

TEST_F(SinglePartTest, CleanUpKeepsBothAndCountsThemAsOneCheckpoint) {
  Copy(Classic(), OneOfOne());
  const auto objects = store_->inner()->List(LogFolder(kPath) + "0").ValueOrDie();
  const LogCleanUpPlan plan = PlanLogCleanUp(objects, WallClockMillis() + 3'600'000);
  EXPECT_EQ(1U, plan.kept_checkpoint.size());
  EXPECT_EQ(3U, plan.expired.size());  // The entries of versions 0 to 2.
}

TEST_F(SinglePartTest, VerifyComparesItWithTheEntries) {
  Copy(Classic(), OneOfOne());
  std::vector<std::string> found;
  const auto check = CheckLog(
      store_->inner(), kPath, /*all_checkpoints=*/true, std::nullopt,
      [&](const std::string& path, const std::string& reason) {
        found.push_back(path + ": " + reason);
      },
      [](int64_t, int64_t) {}, [] { return false; });
  EXPECT_THAT(found, ::testing::IsEmpty());
  EXPECT_EQ(1, check.ValueOrDie().checkpoints);
  EXPECT_EQ(1, check->checkpoints_compared);
}

TEST_F(SinglePartTest, AHintOfACheckpointThatIsGoneIsFound) {
  Delete(Classic());
  std::vector<std::string> found;
  const auto check = CheckLog(
      store_->inner(), kPath, /*all_checkpoints=*/false, std::nullopt,
      [&](const std::string& path, const std::string&) { found.push_back(path); },
      [](int64_t, int64_t) {}, [] { return false; });
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_THAT(found, ::testing::ElementsAre(LogFolder(kPath) + "_last_checkpoint"));
}

}  // namespace
}  // namespace shopstream::lake
