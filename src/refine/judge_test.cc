#include "refine/judge.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "refine/testing.h"
#include "sql/value_text.h"

namespace shopstream::refine {
namespace {

using testing::Book;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Purchases;

Result<std::unique_ptr<Judge>> Open(std::shared_ptr<const RuleBook> book) {
  return Judge::Open(std::move(book), RefineColumns::From(PurchaseBronzeSchema()), {});
}

std::vector<std::string> Texts(const arrow::Array& values) {
  std::vector<std::string> texts;
  for (int64_t row = 0; row < values.length(); ++row) {
    texts.push_back(values.IsNull(row) ? "NULL" : sql::ValueText(values, row));
  }
  return texts;
}

Verdicts Look(const std::string& rules, const std::string& rows) {
  const auto judge = Open(Book(rules));
  EXPECT_TRUE(judge.ok()) << judge.status();
  const auto verdicts = (*judge)->Look(Purchases(rows));
  EXPECT_TRUE(verdicts.ok()) << verdicts.status();
  EXPECT_EQ(0, verdicts->reasons->null_count());
  EXPECT_EQ(0, verdicts->warnings->null_count());
  return *verdicts;
}

std::vector<std::string> Reasons(const std::string& rules, const std::string& rows) {
  return Texts(*Look(rules, rows).reasons);
}

std::string FailureToOpen(const std::string& rules) { return Open(Book(rules)).status().message(); }

std::string RuleOf(const std::string& condition) {
  return "rules:\n  - {name: r, owner: o, description: d, action: reject, " + condition + "}";
}

TEST(Judge, ComputesWhatSilverAdds) {
  const Verdicts verdicts =
      Look("rules: []",
           "[{amount: 10.01, currency: EUR, timestamp: 2025-10-24T10:59:59.999Z},"
           " {product_id: unknown, kafka_timestamp: 2025-10-24T11:00:00Z},"
           " {product_id: P2, kafka_timestamp: 2025-10-24T11:00:01Z}, {kafka_timestamp: ~}]");
  EXPECT_THAT(Texts(*verdicts.reasons), ElementsAre("", "", "", ""));
  EXPECT_THAT(Texts(*verdicts.amount_usd), ElementsAre("10.86", "1.00", "1.00", "1.00"));
  EXPECT_EQ("2025-10-24T10:00:00Z", Texts(*verdicts.event_hour)[0]);
  EXPECT_THAT(Texts(*verdicts.product_category), ElementsAre("Drinks", "NULL", "Tools", "Drinks"));
  EXPECT_THAT(Texts(*verdicts.late), ElementsAre("false", "false", "true", "false"));
}

TEST(Judge, ARateIsValidFromItsDateOn) {
  const Verdicts verdicts =
      Look("rules: []",
           "[{amount: 1000000, currency: JPY, timestamp: 2024-12-31T23:59:59Z},"
           " {amount: 1000000, currency: JPY, timestamp: 2025-01-01T00:00:00Z},"
           " {amount: 1000000, currency: JPY, timestamp: 2025-10-23T23:59:59Z},"
           " {amount: 1000000, currency: JPY, timestamp: 2025-10-24T00:00:00Z}]");
  EXPECT_THAT(Texts(*verdicts.amount_usd), ElementsAre("NULL", "6400.00", "6400.00", "6500.01"));
  EXPECT_THAT(Texts(*verdicts.reasons), ElementsAre(kNotComputable, "", "", ""));
}

TEST(Judge, HalfACentIsRoundedAwayFromZero) {
  // 0.125 is exact as a double; 0.145, 1.005 and 10.075 are a little less than they seem.
  const Verdicts verdicts =
      Look("rules: []",
           "[{amount: 0.125}, {amount: -0.125}, {amount: 0.145}, {amount: 1.005}, {amount: 10.075},"
           " {amount: 90071992547.41}, {amount: 0.0049999999}, {amount: 0.1, currency: EUR}]");
  EXPECT_THAT(Texts(*verdicts.amount_usd), ElementsAre("0.13", "-0.13", "0.14", "1.00", "10.07",
                                                       "90071992547.41", "0.00", "0.11"));
}

TEST(Judge, NoValueStopsAPass) {
  const Verdicts verdicts = Look(
      RuleOf("two_decimals: {column: amount}"),
      "[{amount: .nan}, {amount: 1e300}, {amount: -.inf}, {amount: 1e308}, {amount: ~},"
      " {quantity: 9223372036854775807}, {quantity: ~}, {currency: XXX}, {currency: ~},"
      " {event_id: ~}, {timestamp: ~, date: ~}, {amount: 99999999.99}, {amount: 100000000.01}]");
  EXPECT_THAT(Texts(*verdicts.reasons),
              ElementsAre(kNotComputable, kNotComputable, kNotComputable, "not_computable,r",
                          kNotComputable, kNotComputable, "", kNotComputable, kNotComputable,
                          kNotComputable, kNotComputable, "", kNotComputable));
}

// The far ends of a table's times, which calculations with times exceed.
TEST(Judge, NoTimeStopsAPass) {
  const auto judge = Open(Book()).ValueOrDie();
  const auto rows = Purchases("[{}, {}, {}, {}]");
  const auto instant = rows->schema()->GetFieldByName("timestamp")->type();
  const int64_t least = std::numeric_limits<int64_t>::min(), most = -(least + 1);
  const auto column = [&](const std::vector<int64_t>& values) {
    arrow::TimestampBuilder builder(instant, arrow::default_memory_pool());
    EXPECT_TRUE(builder.AppendValues(values).ok());
    return builder.Finish().ValueOrDie();
  };
  const auto replaced = [&](const auto& batch, const std::string& name, const auto& values) {
    const int at = batch->schema()->GetFieldIndex(name);
    return batch->SetColumn(at, batch->schema()->field(at), values).ValueOrDie();
  };
  const auto events = replaced(rows, "timestamp", column({most, least, most - 1, least + 1}));
  const auto both = replaced(events, "kafka_timestamp", column({least, most, least + 1, most - 1}));
  for (const std::shared_ptr<arrow::RecordBatch>& batch : {events, both}) {
    const auto verdicts = judge->Look(batch);
    ASSERT_TRUE(verdicts.ok()) << verdicts.status();
    EXPECT_THAT(Texts(*verdicts->reasons),
                ElementsAre(kNotComputable, kNotComputable, kNotComputable, kNotComputable));
  }
}

TEST(Judge, EachKindOfRuleRejects) {
  EXPECT_THAT(Reasons(RuleOf("not_null: {column: user_id}"), "[{}, {user_id: ~}]"),
              ElementsAre("", "r"));
  EXPECT_THAT(
      Reasons(RuleOf("range: {column: quantity, least: 1, below: 10}"),
              "[{quantity: 0}, {quantity: 1}, {quantity: 9}, {quantity: 10}, {quantity: ~}]"),
      ElementsAre("r", "", "", "r", ""));
  EXPECT_THAT(
      Reasons(RuleOf("range: {column: amount, above: 0, most: 5.5}"),
              "[{amount: 0}, {amount: 1e-16}, {amount: 0.01}, {amount: 5.5}, {amount: 5.51}]"),
      ElementsAre("r", "r", "", "", "r"));
  EXPECT_THAT(Reasons(RuleOf("allowed: {column: region, values: [US, it's]}"),
                      "[{region: US}, {region: it's}, {region: EU}, {region: ~}]"),
              ElementsAre("", "", "r", ""));
  EXPECT_THAT(Reasons(RuleOf("pattern: {column: product_id, matches: '^[A-Z]+\\d$'}"),
                      "[{product_id: P1}, {product_id: p1}, {product_id: ~}]"),
              ElementsAre("", "r", ""));
  EXPECT_THAT(
      Reasons(RuleOf("reference: {column: product_id, table: product_categories, key: product_id}"),
              "[{product_id: P1}, {product_id: P3}, {product_id: ~}]"),
      ElementsAre("", "r", ""));
  EXPECT_THAT(Reasons(RuleOf("two_decimals: {column: amount}"),
                      "[{amount: 0.29}, {amount: 1.005}, {amount: 123456.78}, {amount: -1.5}]"),
              ElementsAre("", "r", "", ""));
  EXPECT_THAT(Reasons(RuleOf("sql: 'amount * quantity < 5 -- dollars'"),
                      "[{amount: 2, quantity: 2}, {amount: 2, quantity: 3}, {quantity: ~}]"),
              ElementsAre("", "r", ""));
}

TEST(Judge, AReferenceByRateDoesNotDoubleRows) {
  EXPECT_THAT(Reasons(RuleOf("reference: {column: currency, table: rates, key: currency}"),
                      "[{currency: JPY}, {currency: XXX}]"),
              ElementsAre("", "not_computable,r"));
}

TEST(Judge, AllReasonsAreNamedAndWarningsApart) {
  const Verdicts verdicts = Look(
      "rules:\n"
      "  - {name: few, owner: o, description: d, action: reject, range: {column: quantity, most: "
      "2}}\n"
      "  - {name: odd, owner: o, description: d, action: warn, sql: 'quantity % 2 = 0'}\n"
      "  - {name: sane, owner: o, description: d, action: stop, range: {column: quantity, most: "
      "4}}",
      "[{quantity: 2}, {quantity: 3}, {quantity: 5}]");
  EXPECT_THAT(Texts(*verdicts.reasons), ElementsAre("", "few", "few,sane"));
  EXPECT_THAT(Texts(*verdicts.warnings), ElementsAre("", "odd", "odd"));
}

TEST(Judge, ManyRowsKeepTheirOrder) {
  const auto few = Purchases("[{quantity: 1}, {quantity: 5}, {quantity: 1}]");
  arrow::RecordBatchVector batches(20'000, few);
  const auto many = arrow::Table::FromRecordBatches(batches).ValueOrDie()->CombineChunksToBatch();
  sql::EngineOptions options;
  options.threads = 4;
  const auto judge = Judge::Open(Book(RuleOf("range: {column: quantity, most: 2}")),
                                 RefineColumns::From(PurchaseBronzeSchema()), options)
                         .ValueOrDie();
  const Verdicts verdicts = judge->Look(*many).ValueOrDie();
  ASSERT_EQ(60'000, verdicts.reasons->length());
  for (int64_t row = 0; row < 60'000; ++row) {
    ASSERT_EQ(row % 3 == 1 ? "r" : "", verdicts.reasons->GetView(row)) << row;
  }
}

TEST(Judge, NoRowsHaveNoVerdicts) { EXPECT_EQ(0, Look("rules: []", "[]").reasons->length()); }

TEST(Judge, ARuleThatDoesNotFitIsNamedWithItsLine) {
  EXPECT_EQ(
      "rules.yaml, line 2: rule r: bronze_events has no column usr_id; did you mean 'user_id'?",
      FailureToOpen(RuleOf("not_null: {column: usr_id}")));
  EXPECT_THAT(FailureToOpen(RuleOf("sql: amout < 5")),
              HasSubstr("rule r (rules.yaml, line 2): rules.yaml:2: Binder Error"));
  EXPECT_THAT(FailureToOpen("rules:\n- name: r\n  owner: o\n  description: d\n  action: warn\n"
                            "  sql: |\n    amount < 5\n    AND amout > 3\n"),
              HasSubstr("rules.yaml:8: Binder Error"));
  EXPECT_THAT(FailureToOpen(RuleOf("pattern: {column: product_id, matches: '(?=x)'}")),
              HasSubstr("rule r (rules.yaml, line 2)"));
  EXPECT_THAT(FailureToOpen(RuleOf("allowed: {column: quantity, values: [one]}")),
              HasSubstr("rule r (rules.yaml, line 2)"));
  EXPECT_THAT(FailureToOpen(RuleOf("sql: 'amount < 5; SELECT 1'")),
              HasSubstr("rule r (rules.yaml, line 2)"));
}

TEST(Judge, ARuleThatFailsOnAValueIsNamed) {
  const auto judge = Open(Book(RuleOf("sql: CAST(product_id AS BIGINT) > 0"))).ValueOrDie();
  EXPECT_TRUE(judge->Look(Purchases("[{product_id: 5}]")).ok());
  const auto failed = judge->Look(Purchases("[{product_id: P5}]"));
  EXPECT_THAT(failed.status().message(), HasSubstr("rule r (rules.yaml, line 2)"));
  EXPECT_TRUE(judge->Look(Purchases("[{product_id: 6}]")).ok());
}

std::string FailureOfSilver(const std::string& from, const std::string& to) {
  const auto book = Book();
  const size_t at = book->silver.text.find(from);
  EXPECT_NE(std::string::npos, at);
  book->silver.text.replace(at, from.size(), to);
  book->silver.file = "silver.sql";
  const auto judge = Open(book);
  if (!judge.ok()) return judge.status().message();
  return (*judge)->Look(Purchases("[{}, {currency: EUR}]")).status().message();
}

TEST(Judge, SilversSqlThatDoesNotFitIsNamedWithItsLine) {
  EXPECT_THAT(FailureOfSilver("b.amount * 100", "b.amout * 100"),
              HasSubstr("silver.sql:13: Binder Error"));
  EXPECT_EQ("silver.sql: column late is string and must be bool: CAST it",
            FailureOfSilver("SECOND, false) AS late", "SECOND, false)::VARCHAR AS late"));
  EXPECT_EQ(
      "silver.sql gives several rows for one row of bronze: a look-up has its key twice, or a "
      "join no condition",
      FailureOfSilver("ON p.product_id = m.product_id", "ON true"));
  EXPECT_THAT(FailureOfSilver("AS late", "AS too_late"),
              HasSubstr("silver.sql does not give column late: SELECT all columns of bronze"));
  EXPECT_THAT(FailureOfSilver("SELECT m.*", "SELECT m.event_id, m.exact_amount"),
              HasSubstr("silver.sql does not give column bronze_row"));
  EXPECT_EQ("silver.sql gives 1 row for 2 of bronze: use LEFT JOIN, and no WHERE",
            FailureOfSilver("ON p.product_id = m.product_id",
                            "ON p.product_id = m.product_id WHERE m.currency = 'USD'"));
}

// Columns of Bronze may have the names that refine, its SQL and its statements use.
TEST(Judge, AnyNameOfAColumnOfBronzeIsFine) {
  auto rows = Purchases("[{amount: 5}, {amount: 15}]");
  arrow::FieldVector fields = rows->schema()->fields();
  arrow::ArrayVector columns = rows->columns();
  for (const char* name : {"late", "Reasons", "exact_amount", "raw_amount", "copy", "bronze_row",
                           "warnings", "bronze_copy", "reference_key", "a \"name\""}) {
    fields.push_back(arrow::field(name, arrow::utf8()));
    columns.push_back(arrow::MakeArrayOfNull(arrow::utf8(), 2).ValueOrDie());
  }
  rows = arrow::RecordBatch::Make(arrow::schema(fields), 2, columns);
  const auto judge = Judge::Open(Book("rules:\n"
                                      "  - {name: a, owner: o, description: d, action: reject, "
                                      "range: {column: amount, most: 10}}\n"
                                      "  - {name: b, owner: o, description: d, action: reject, "
                                      "not_null: {column: bronze_exact_amount}}"),
                                 RefineColumns::From(rows->schema()), {});
  ASSERT_TRUE(judge.ok()) << judge.status();
  EXPECT_THAT(Texts(*(*judge)->Look(rows).ValueOrDie().reasons), ElementsAre("b", "a,b"));
}

}  // namespace
}  // namespace shopstream::refine
