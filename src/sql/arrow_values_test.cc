#include "sql/arrow_values.h"

#include <arrow/builder.h>
#include <gmock/gmock.h>

#include "sql/testing.h"

namespace shopstream::sql {
namespace {

using testing::Column;
using ::testing::HasSubstr;
using testing::Rows;

class ArrowValuesTest : public testing::SqlTest {};

// Each type, with a null, in a slice, and through DuckDB as text, which our own code does not
// make: `seen` is what DuckDB's own cast to VARCHAR shows.
struct TypeCase {
  std::shared_ptr<arrow::DataType> type;
  std::string json;
  std::string seen;
};

TEST_F(ArrowValuesTest, EveryTypeOfATableIsSeenAsItIs) {
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const auto pair = arrow::struct_(
      {arrow::field("a", arrow::int32()), arrow::field("b", arrow::list(arrow::utf8()))});
  const std::vector<TypeCase> cases = {
      {arrow::boolean(), "[true, null, false, true]", "true;NULL;false;true"},
      {arrow::int8(), "[-128, null, 127, 0]", "-128;NULL;127;0"},
      {arrow::int16(), "[-32768, null, 32767, 0]", "-32768;NULL;32767;0"},
      {arrow::int32(), "[-2147483648, null, 2147483647, 0]", "-2147483648;NULL;2147483647;0"},
      {arrow::int64(), "[-9223372036854775808, null, 9223372036854775807, 0]",
       "-9223372036854775808;NULL;9223372036854775807;0"},
      {arrow::float32(), "[1.5, null, -0.25, 0]", "1.5;NULL;-0.25;0.0"},
      {arrow::float64(), "[0.1, null, 1e300, NaN]", "0.1;NULL;1e+300;nan"},
      {arrow::utf8(), R"(["", null, "short", "longer than twelve bytes: café"])",
       ";NULL;short;longer than twelve bytes: café"},
      {arrow::binary(), R"(["a", null, "", "b"])", "a;NULL;;b"},
      {arrow::date32(), "[0, null, -719162, 2932896]", "1970-01-01;NULL;0001-01-01;9999-12-31"},
      {utc, "[0, null, 1, -1]",
       "1970-01-01 00:00:00+00;NULL;1970-01-01 00:00:00.000001+00;1969-12-31 23:59:59.999999+00"},
      {arrow::decimal128(4, 2), R"(["-99.99", null, "0.01", "0.00"])", "-99.99;NULL;0.01;0.00"},
      {arrow::decimal128(9, 2), R"(["-9999999.99", null, "0.01", "0.00"])",
       "-9999999.99;NULL;0.01;0.00"},
      {arrow::decimal128(18, 2), R"(["-9999999999999999.99", null, "0.01", "0.00"])",
       "-9999999999999999.99;NULL;0.01;0.00"},
      {arrow::decimal128(38, 3), R"(["-12345678901234567890123456789012345.678", null, "0.001",
       "0.000"])",
       "-12345678901234567890123456789012345.678;NULL;0.001;0.000"},
      {arrow::list(arrow::int64()), "[[1, null, 3], null, [], [4]]", "[1, NULL, 3];NULL;[];[4]"},
      {arrow::map(arrow::utf8(), arrow::int32()),
       R"([[["a", 1], ["b", null]], null, [], [["c", 2]]])", "{a=1, b=NULL};NULL;{};{c=2}"},
      {pair, R"([{"a": 1, "b": ["x", null]}, null, {"a": null, "b": null}, {"a": 2, "b": []}])",
       "{'a': 1, 'b': [x, NULL]};NULL;{'a': NULL, 'b': NULL};{'a': 2, 'b': []}"},
      {arrow::list(pair), R"([[{"a": 1, "b": []}, null], null, [], [{"a": 2, "b": ["y"]}]])",
       "[{'a': 1, 'b': []}, NULL];NULL;[];[{'a': 2, 'b': [y]}]"},
      {arrow::null(), "[null, null, null, null]", "NULL;NULL;NULL;NULL"},
  };
  int number = 0;
  for (const TypeCase& one : cases) {
    SCOPED_TRACE(one.type->ToString());
    const std::string name = "t" + std::to_string(number++);
    Add(name, {{"n", arrow::int64(), "[0, 1, 2, 3]"}, {"x", one.type, one.json}});
    EXPECT_EQ(one.seen, Ask("SELECT CAST(x AS VARCHAR) FROM " + name + " ORDER BY n"));
  }
}

// DuckDB's vectors hold 2,048 rows; the items of their lists are more.
TEST_F(ArrowValuesTest, ManyListItems) {
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>());
  auto& texts = dynamic_cast<arrow::StringBuilder&>(*lists.value_builder());
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(lists.Append().ok());
    for (int k = 0; k < i % 7; ++k) {
      ASSERT_TRUE((k == 3 ? texts.AppendNull() : texts.Append("item " + std::to_string(i))).ok());
    }
  }
  const auto array = lists.Finish().ValueOrDie();
  testing::BatchRows rows(
      arrow::RecordBatch::Make(arrow::schema({arrow::field("l", array->type())}), 5000, {array}),
      4000);
  {
    ASSERT_TRUE(session_->Register("lists", &rows).ok());
    EXPECT_EQ(
        "5000,14995,12853",
        Ask("SELECT count(*), CAST(sum(len(l)) AS BIGINT), CAST(sum(list_count(l)) AS BIGINT) "
            "FROM lists"));
    EXPECT_EQ("item 4999", Ask("SELECT max(l[1]) FROM lists WHERE l[1] LIKE 'item 4%'"));
    session_.reset();
    engine_.reset();
  }
}

TEST_F(ArrowValuesTest, ATextThatIsNotUtf8IsAnErrorThatNamesItsColumn) {
  arrow::StringBuilder texts;
  ASSERT_TRUE(texts.AppendValues({"fine", "caf\xE9"}).ok());
  testing::BatchRows rows(arrow::RecordBatch::Make(
      arrow::schema({arrow::field("name", arrow::utf8())}), 2, {texts.Finish().ValueOrDie()}));
  ASSERT_TRUE(session_->Register("texts", &rows).ok());
  EXPECT_EQ("column name: a text is not UTF-8", Ask("SELECT name FROM texts"));
  EXPECT_EQ("2", Ask("SELECT count(*) FROM texts"));
  session_.reset();
  engine_.reset();
}

TEST_F(ArrowValuesTest, ATypeWithoutCounterpartIsRefused) {
  testing::BatchRows rows(Rows({{"t", arrow::time64(arrow::TimeUnit::MICRO), "[1]"}}));
  EXPECT_THAT(session_->Register("times", &rows).message(),
              HasSubstr("column t: SQL has no type for time64[us]"));
}

}  // namespace
}  // namespace shopstream::sql
