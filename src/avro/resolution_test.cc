#include "avro/resolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "avro/compatibility.h"
#include "avro/decoder.h"
#include "avro/merge.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A table's union of a.X and b.X, which was once called c.X, each with these fields.
Schema TableOf(const std::string& a, const std::string& b) {
  return RecordOf(R"([{"type": "record", "name": "a.X", "fields": [)" + a + R"(]},
      {"type": "record", "name": "b.X", "aliases": ["c.X"], "fields": [)" +
                  b + "]}]");
}

std::vector<std::string> Broken(const Schema& reader, const Schema& writer) {
  std::vector<std::string> broken;
  for (const auto& found : CheckReadable(reader, writer)) {
    broken.push_back(std::string(Name(found.rule)) + " at " + found.path);
  }
  return broken;
}

// Decoder, check and merge always agree: the alias means b.X.
class AliasedBranchTest : public testing::Test {
 protected:
  // The row of the writer's value 7.
  static void ExpectRow(const Schema& reader, std::string_view row) {
    const auto columns = ValueOf(ToArrowSchema(reader));
    Columns rows(columns);
    ASSERT_EQ(DecodeResult::kRow,
              ValueOf(Decoder::Compile(writer(), reader)).Decode(Bytes("0e"), &rows));
    const auto batch = ValueOf(rows.Finish());
    EXPECT_TRUE(batch->Equals(*Rows(columns, row))) << batch->ToString();
  }

  static Schema writer() {
    return RecordOf(R"({"type": "record", "name": "c.X",
                        "fields": [{"name": "g", "type": "int"}]})");
  }
};

TEST_F(AliasedBranchTest, IsCheckedAndKeepsTheTableAsItIs) {
  const Schema table =
      TableOf(R"({"name": "f", "type": "int"})", R"({"name": "g", "type": "int"})");
  EXPECT_THAT(Broken(table, writer()), IsEmpty());
  EXPECT_EQ(table.text(), ValueOf(MergeSchemas(table, writer())).text());
  ExpectRow(table, R"([{"f": {"a_X": null, "b_X": {"g": 7}}}])");
}

TEST_F(AliasedBranchTest, IsTheOneThatGrows) {
  const Schema table =
      TableOf(R"({"name": "f", "type": "int", "default": 1})", R"({"name": "h", "type": "int"})");
  EXPECT_THAT(Broken(table, writer()),
              ElementsAre("READER_FIELD_MISSING_DEFAULT_VALUE at /fields/0/type/1/fields/0"));
  const Schema grown = ValueOf(MergeSchemas(table, writer()));
  EXPECT_THAT(Broken(grown, writer()), IsEmpty());
  EXPECT_EQ("f: struct<a_X: struct<f: int64>, b_X: struct<h: int64, g: int64>>",
            ValueOf(ToArrowSchema(grown))->ToString());
  ExpectRow(grown, R"([{"f": {"a_X": null, "b_X": {"h": null, "g": 7}}}])");
}

TEST_F(AliasedBranchTest, IsChosenBeforeAnEarlierBranchThatDoesNotFit) {
  const Schema table =
      TableOf(R"({"name": "g", "type": "string"})", R"({"name": "g", "type": "int"})");
  EXPECT_THAT(Broken(table, writer()), IsEmpty());
  EXPECT_EQ(table.text(), ValueOf(MergeSchemas(table, writer())).text());
  ExpectRow(table, R"([{"f": {"a_X": null, "b_X": {"g": 7}}}])");
}

// The branch of the reader's union as which the writer's type is read; -1: none.
int BranchOf(std::string_view writer, std::string_view reader_union) {
  const Schema written = ParseSchemaText(writer), read = ParseSchemaText(reader_union);
  ResolvedTree tree;
  const Resolution& pair = tree.Resolve(written.root(), read.root());
  return pair.broken ? -1 : static_cast<int>(pair.branch);
}

std::string Fixed(const std::string& name, int size, const std::string& alias = "z.Z") {
  return R"({"type": "fixed", "name": ")" + name + R"(", "size": )" + std::to_string(size) +
         R"(, "aliases": [")" + alias + "\"]}";
}

TEST(ResolutionTest, ABranchIsFoundByFullNameThenAliasThenShortNameThenPromotion) {
  const auto branch = [](const std::string& branches) {
    return BranchOf(Fixed("a.X", 2), "[" + branches + "]");
  };
  EXPECT_EQ(1, branch(Fixed("b.Y", 2, "a.X") + ", " + Fixed("a.X", 2)));
  EXPECT_EQ(1, branch(Fixed("b.X", 2) + ", " + Fixed("b.Y", 2, "a.X")));
  EXPECT_EQ(1, branch(R"("string", )" + Fixed("b.X", 2) + ", " + Fixed("c.X", 2)));
  EXPECT_EQ(-1, branch(R"("string", )" + Fixed("b.Y", 2)));
  EXPECT_EQ(1, BranchOf(R"("int")", R"(["long", "int"])"));
  EXPECT_EQ(1, BranchOf(R"("int")", R"(["string", "float", "long"])"));
}

TEST(ResolutionTest, AFixedOfAnotherSizeIsTheLastToBeMeant) {
  EXPECT_EQ(1, BranchOf(Fixed("a.X", 2), "[" + Fixed("a.X", 3) + ", " + Fixed("b.X", 2) + "]"));
  EXPECT_EQ(0, BranchOf(Fixed("a.X", 2), "[" + Fixed("a.X", 3) + R"(, "bytes"])"));
}

// "a<b" for each of the reader's fields that is read from one of the writer's.
std::string Pairs(std::string_view written_fields, std::string_view read_fields) {
  const Schema written = Record(written_fields), read = Record(read_fields);
  ResolvedTree tree;
  const Resolution& pair = tree.Resolve(written.root(), read.root());
  std::string text;
  for (size_t i = 0; i < pair.fields.size(); ++i) {
    const Field* from = pair.fields[i].written;
    if (from == nullptr) continue;
    text += read.root().fields[i].name + "<" + from->name + " ";
    EXPECT_EQ(i, pair.read_into[from - written.root().fields.data()]);
  }
  return text;
}

TEST(ResolutionTest, AFieldIsReadIntoOneFieldItsNamesakeFirst) {
  const char* const b = R"({"name": "b", "type": "int"})";
  EXPECT_EQ("b<b ", Pairs(b, R"({"name": "a", "aliases": ["b"], "type": "int", "default": 1},
                                {"name": "b", "type": "int"})"));
  EXPECT_EQ("a<b ", Pairs(b, R"({"name": "a", "aliases": ["x", "b"], "type": "int"},
                                {"name": "c", "aliases": ["b"], "type": "int", "default": 1})"));
}

// A decoder that used the alias first would have nothing left for the field of that name.
TEST(ResolutionTest, AnAliasOfAFieldThatIsThereIsNotUsed) {
  const Schema table = Record(R"({"name": "a", "aliases": ["b"], "type": ["null", "int"],
                                  "default": null}, {"name": "b", "type": "int"})");
  const Schema writer = Record(R"({"name": "b", "type": "int"})");
  EXPECT_THAT(Broken(table, writer), IsEmpty());
  const auto columns = ValueOf(ToArrowSchema(table));
  Columns rows(columns);
  EXPECT_EQ(DecodeResult::kRow,
            ValueOf(Decoder::Compile(writer, table)).Decode(Bytes("0e"), &rows));
  EXPECT_TRUE(ValueOf(rows.Finish())->Equals(*Rows(columns, R"([{"a": null, "b": 7}])")));
}

// Both of the writer's types are read as the table's, which must cover both.
TEST(ResolutionTest, ATypeThatIsReadFromSeveralHoldsThemAll) {
  const Schema table = RecordOf(R"([{"type": "record", "name": "a.X",
      "fields": [{"name": "f", "type": "int"}]}, "string"])");
  const Schema writer = RecordOf(R"([
      {"type": "record", "name": "b.X", "fields": [{"name": "g", "type": "int"}]},
      {"type": "record", "name": "c.X", "fields": [{"name": "f", "type": "int"},
                                                   {"name": "g", "type": "long"}]}])");
  EXPECT_EQ("f: struct<X: struct<f: int64, g: int64>, string: string>",
            ValueOf(ToArrowSchema(ValueOf(MergeSchemas(table, writer))))->ToString());
}

TEST(ResolutionTest, AnotherLogicalTypeIsReportedAndRefused) {
  const Schema millis = RecordOf(R"({"type": "long", "logicalType": "timestamp-millis"})");
  const Schema micros = RecordOf(R"({"type": "long", "logicalType": "timestamp-micros"})");
  const Schema date = RecordOf(R"({"type": "int", "logicalType": "date"})");
  for (const Schema& writer : {micros, date}) {
    EXPECT_THAT(Broken(millis, writer), ElementsAre("TYPE_MISMATCH at /fields/0/type"));
    EXPECT_FALSE(Decoder::Compile(writer, millis).ok());
    EXPECT_FALSE(MergeSchemas(millis, writer).ok());
    EXPECT_THAT(CheckCompatible(millis, writer), IsEmpty());  // The specification allows it.
  }
}

}  // namespace
}  // namespace shopstream::avro
