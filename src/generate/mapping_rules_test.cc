#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_dict.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include <string>
#include <utility>
#include <vector>

#include "generate/source_testing.h"

namespace shopstream::generate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

// A mapping with one row for each sale of kColumns; rules can be replaced.
constexpr const char* kColumns = "id,customer,price,pieces,at,title";

class MappingRulesTest : public RecordedSourceTest {
 protected:
  // `lines` follow the header; `rules` replace those of their fields; `above` stands before
  // `event`.
  void Use(const std::string& lines, const std::map<std::string, std::string>& rules = {},
           const std::string& above = "") {
    std::string delimited = kColumns;
    if (above.find("delimiter: \";\"") != std::string::npos) {
      std::replace(delimited.begin(), delimited.end(), ',', ';');
    }
    Write("sales.csv", delimited + "\n" + lines);
    Map(rules, above);
  }

  void Map(const std::map<std::string, std::string>& rules = {}, const std::string& above = "") {
    std::map<std::string, std::string> event = {
        {"event_id", "{column: id}"},        {"user_id", "{column: customer}"},
        {"region", "{value: EU}"},           {"product_id", "{value: P}"},
        {"product_name", "{column: title}"}, {"quantity", "{column: pieces}"},
        {"amount", "{column: price}"},       {"currency", "{value: EUR}"},
        {"timestamp", "{column: at}"}};
    for (const auto& [field, rule] : rules) event[field] = rule;
    event_ = "\n" + above + "\nevent:\n";
    for (const auto& [field, rule] : event) event_ += "  " + field + ": " + rule + "\n";
  }

  Result<std::vector<std::string>> Rows(const std::string& file = "sales.csv") {
    ARROW_ASSIGN_OR_RAISE(auto source, Open({}, event_, file));
    ARROW_ASSIGN_OR_RAISE(auto rows, ReadAll(source.get()));
    skipped_ = *source->skipped();
    return rows;
  }

  // Of every event, the value of one field.
  std::vector<std::string> Values(int field, const std::string& file = "sales.csv") {
    const auto rows = Rows(file);
    EXPECT_TRUE(rows.ok()) << rows.status();
    std::vector<std::string> values;
    for (std::string row : rows.ValueOr(std::vector<std::string>())) {
      for (int i = 0; i < field; ++i) row.erase(0, row.find('|') + 1);
      values.push_back(row.substr(0, row.find('|')));
    }
    return values;
  }
  std::vector<std::string> Ids() { return Values(0); }
  std::vector<std::string> Users() { return Values(1); }
  std::vector<std::string> Titles() { return Values(4); }
  std::vector<std::string> Amounts() { return Values(6); }
  std::vector<std::string> Times() { return Values(8); }
  std::string Error() { return ErrorOf(event_); }

  std::string event_;
  SkippedRows skipped_;
};

TEST_F(MappingRulesTest, DelimitersAreFound) {
  for (const char delimiter : {',', ';', '\t', '|'}) {
    std::string text = std::string(kColumns) + "\na,1,2.5,1,2024-03-01,";
    std::replace(text.begin(), text.end(), ',', delimiter);
    Write("sales.csv", text + "\"x;y,z\"\n");
    Map();
    EXPECT_THAT(Titles(), ElementsAre("x;y,z")) << delimiter;
  }
}

TEST_F(MappingRulesTest, CsvOptionsAreApplied) {
  Use("a;1;2,5;1;2024-03-01;'x;\"y'\n", {},
      "csv: {delimiter: \";\", quote: \"'\", decimal: \",\"}");
  EXPECT_THAT(*Rows(), ElementsAre("a|1|EU|P|x;\"y|1|2.5|EUR|2024-03-01 00:00:00.000Z"));
  Use("a,1,2.5,1,2024-03-01,5\" pipe\nb,1,2.5,1,2024-03-01,\"6\n", {}, "csv: {quote: \"\"}");
  EXPECT_THAT(Titles(), ElementsAre("5\" pipe", "\"6"));
}

TEST_F(MappingRulesTest, QuotedBreaksAreKeptAcrossBlocks) {
  std::string lines;
  const std::string long_title(997, 'x');
  for (int i = 0; i < 9000; ++i) {
    lines += std::to_string(i) + ",1,1,1,2024-03-01,\"a\n" + long_title + "\"\n";
  }
  Use(lines);
  const auto titles = Titles();
  EXPECT_THAT(titles, SizeIs(9000));
  for (const std::string& title : titles) ASSERT_EQ(title.substr(0, 3), "a\nx");
}

TEST_F(MappingRulesTest, AQuoteThatIsNeverClosedIsExplained) {
  for (const size_t size : {1, 5 << 20, 20 << 20}) {
    Use("a,1,1,1,2024-03-01,\"\"\"y\"\nb,1,1,1,2024-03-01,\"lost\n" + std::string(size, 'x') +
        "\n");
    EXPECT_THAT(Error(), HasSubstr("sales.csv: a quote is never closed, or not within 1 MiB"));
  }
}

TEST_F(MappingRulesTest, EncodingsAreDecoded) {
  Use("a,1,1,1,2024-03-01,Caf\xe9 \x80\n", {}, "csv: {encoding: cp1252}");
  EXPECT_THAT(Titles(), ElementsAre("Café €"));
  Use("a,1,1,1,2024-03-01,ok\nb,1,1,1,2024-03-01,Caf\xe9\n");
  EXPECT_THAT(Error(),
              HasSubstr("sales.csv, row 2, column title: bytes that are not UTF-8; set csv: "
                        "{encoding: cp1252}"));
  Use("a,1,1,1,2024-03-01,\x81\n", {}, "csv: {encoding: cp1252}");
  EXPECT_THAT(Error(), HasSubstr("row 1, column title: bytes that are not cp1252"));
  // A file with the mark of UTF-16 needs no setting; one of UTF-8 neither.
  std::string wide = "\xff\xfe";
  for (const char c : std::string(kColumns) + "\na,1,1,1,2024-03-01,x\n") wide += {c, '\0'};
  Map();
  Write("sales.csv", wide);
  EXPECT_THAT(Ids(), ElementsAre("a"));
  Write("sales.csv", "\xef\xbb\xbf" + std::string(kColumns) + "\na,1,1,1,2024-03-01,x\n");
  EXPECT_THAT(Ids(), ElementsAre("a"));
}

TEST_F(MappingRulesTest, LinesOfAnotherLengthAreErrorsOrCounted) {
  const std::string lines =
      "a,1,1,1,2024-03-01,x\nb,1\nc,1,many,1,2024-03-01,x\nd,1,1,1,2024-03-01,x,y\n";
  Use(lines);
  EXPECT_THAT(Error(), HasSubstr("sales.csv, row 2: 2 columns, the header has 6; to leave out"));
  Use(lines, {}, "csv: {short_lines: skip}");
  EXPECT_THAT(Error(), HasSubstr("row 4: 7 columns, the header has 6; put values"));
  // Lines that are left out keep their numbers.
  Use(lines, {}, "csv: {short_lines: skip, long_lines: skip}");
  EXPECT_THAT(Error(), HasSubstr("sales.csv, row 3, column price: 'many' is not a number (event "
                                 "field amount)"));
  Use(lines, {{"amount", "{value: 1}"}}, "csv: {short_lines: skip, long_lines: skip}");
  EXPECT_THAT(Ids(), ElementsAre("a", "c"));
  EXPECT_EQ(skipped_.lines.with_fewer_values, 1);
  EXPECT_EQ(skipped_.lines.with_more_values, 1);
}

TEST_F(MappingRulesTest, MissingValuesAreSkippedOrGetADefault) {
  const std::string lines = "a,,1,1,2024-03-01,x\nb,2,n/a,1,2024-03-01,\nc,3,1,,2024-03-01,y\n";
  Use(lines,
      {{"user_id", "{column: customer, missing: skip}"},
       {"amount", "{column: price, default: 9.5}"},
       {"quantity", "{column: pieces, missing: skip}"},
       {"product_name", "{column: title, default: none}"}},
      "nulls: [\"\", n/a]");
  EXPECT_THAT(*Rows(), ElementsAre("b|2|EU|P|none|1|9.5|EUR|2024-03-01 00:00:00.000Z"));
  EXPECT_THAT(skipped_.missing, ElementsAre(Pair("quantity", 1), Pair("user_id", 1)));
  // A row that is left out causes no error elsewhere.
  Use(lines, {{"user_id", "{column: customer, missing: skip}"},
              {"event_id", "{text: \"{customer}\"}"},
              {"amount", "{value: 1}"},
              {"product_name", "{value: x}"},
              {"quantity", "{value: 1}"}});
  EXPECT_THAT(Ids(), ElementsAre("2", "3"));
  Use("a,,much,1,2024-03-01,x\nb,2,1,1,2024-03-01,x\n",
      {{"user_id", "{column: customer, missing: skip}"}, {"quantity", "{column: price}"}});
  EXPECT_THAT(Ids(), ElementsAre("b"));
  Use("a,,much,1,2024-03-01,x\nb,2,1,1,2024-03-01,x\n",
      {{"user_id", "{column: customer, missing: skip}"}, {"amount", "{product: [price, pieces]}"}});
  EXPECT_THAT(Ids(), ElementsAre("b"));
  Use(lines);
  EXPECT_THAT(
      Error(),
      HasSubstr("sales.csv, row 1, column customer: there is no value for user_id; give it a "
                "'default', or leave out such rows with 'missing: skip'"));
}

TEST_F(MappingRulesTest, TextsAreHashed) {
  Use("a,CG-12519,1,1,2024-03-01,x\n", {{"user_id", "{column: customer, hash: true}"}});
  EXPECT_THAT(Users(), ElementsAre("1930202711"));
  Use("a,12519,1,1,2024-03-01,x\n", {{"user_id", "{text: \"CG-{customer}\", hash: true}"}});
  EXPECT_THAT(Users(), ElementsAre("1930202711"));
  Use("a,12519.0,1,1,2024-03-01,x\n");
  EXPECT_THAT(Users(), ElementsAre("12519"));
}

TEST_F(MappingRulesTest, AmountsAreMultipliedExactly) {
  Use("a,2.55,0,6,2024-03-01,x\nb,-1.005,0,1,2024-03-01,x\n",
      {{"user_id", "{value: 1}"}, {"amount", "{product: [customer, pieces]}"}});
  EXPECT_THAT(Amounts(), ElementsAre("15.3", "-1.01"));
  Use("a,1,2.55,6,2024-03-01,x\n", {{"amount", "{product: [price, pieces], rate: 1.17}"}});
  EXPECT_THAT(Amounts(), ElementsAre("17.9"));
  const std::map<std::string, std::string> rated = {
      {"currency", "{column: title}"},
      {"amount", "{column: price, rate: {by: currency, USD: 1, EUR: 0.92, JPY: 151}}"}};
  Use("a,1,1.99,1,2024-03-01,USD\nb,1,1.99,1,2024-03-01,EUR\nc,1,1.99,1,2024-03-01,JPY\n", rated);
  EXPECT_THAT(Amounts(), ElementsAre("1.99", "1.83", "300"));
  Use("a,1,1.99,1,2024-03-01,BRL\n",
      {{"amount", "{column: price, rate: {column: title, GBP: 2}}"}});
  EXPECT_THAT(Error(), HasSubstr("row 1: the rate has no factor for 'BRL' (event field amount)"));
}

TEST_F(MappingRulesTest, TimesAreReadByFormatZoneAndEpoch) {
  Use("a,1,1,1,7/1/2011 8:26,x\n",
      {{"timestamp", "{column: at, format: \"%m/%d/%Y %H:%M\", zone: Europe/London}"}});
  EXPECT_THAT(Times(), ElementsAre("2011-07-01 07:26:00.000Z"));
  Use("a,1,1,1,2018-01-01 12:00:00,x\nb,1,1,1,2018-01-01 12:00:00Z,x\n",
      {{"timestamp", "{column: at, zone: America/Sao_Paulo}"}});
  EXPECT_THAT(Times(), ElementsAre("2018-01-01 12:00:00.000Z", "2018-01-01 14:00:00.000Z"));
  for (const auto& [unit, text] :
       {std::pair{"s", "1709294400.5"}, std::pair{"ms", "1709294400500"},
        std::pair{"us", "1709294400500999"}, std::pair{"ns", "1709294400500999999"}}) {
    Use("a,1,1,1," + std::string(text) + ",x\n",
        {{"timestamp", "{column: at, epoch: " + std::string(unit) + "}"}});
    EXPECT_THAT(Times(), ElementsAre("2024-03-01 12:00:00.500Z")) << unit;
  }
  Use("a,1,1,1,-1,x\n", {{"timestamp", "{column: at, epoch: us}"}});
  EXPECT_THAT(Times(), ElementsAre("1969-12-31 23:59:59.999Z"));
  Use("a,1,1,1,1709294400500,x\n", {{"timestamp", "{column: at, epoch: s}"}});
  EXPECT_THAT(Error(), HasSubstr("'1709294400500' is not a number of s since 1970"));
  Use("a,1,1,1,2024-03-01,x\n", {{"timestamp", "{column: at, format: \"%d.%m.%Y\"}"}});
  EXPECT_THAT(Error(), HasSubstr("'2024-03-01' does not match the format '%d.%m.%Y'"));
}

TEST_F(MappingRulesTest, RowsAreFilteredBeforeAnythingElse) {
  const std::string lines =
      "C1,1,nothing,1,never,refund\n2,1,5,-1,2024-03-01,cart\n3,1,5,2,2024-03-01,purchase\n"
      "4,1,5,10,2024-03-01,purchase\n5,1,5,,2024-03-01,purchase\n";
  Use(lines, {}, "where:\n  - {column: id, not_like: \"C*\"}\n  - {column: pieces, above: 0}");
  EXPECT_THAT(Ids(), ElementsAre("3", "4"));
  EXPECT_EQ(skipped_.filtered, 3);
  const auto kept = [&](const std::string& condition) {
    Use(lines,
        {{"timestamp", "{column: at, default: 2024-03-01}"},
         {"amount", "{value: 1}"},
         {"quantity", "{value: 1}"}},
        "nulls: [\"\", never]\nwhere:\n  - {column: " + condition + "}");
    return Ids();
  };
  EXPECT_THAT(kept("title, is: [cart, refund]"), ElementsAre("C1", "2"));
  EXPECT_THAT(kept("title, is_not: purchase"), ElementsAre("C1", "2"));
  EXPECT_THAT(kept("title, like: [\"?art\", \"*fun*\"]"), ElementsAre("C1", "2"));
  EXPECT_THAT(kept("pieces, at_least: 2"), ElementsAre("3", "4"));
  EXPECT_THAT(kept("pieces, below: 1.5"), ElementsAre("C1", "2"));
  EXPECT_THAT(kept("pieces, at_most: 2"), ElementsAre("C1", "2", "3"));
  EXPECT_THAT(kept("pieces, is: \"\""), ElementsAre("5"));
  Use(lines, {}, "where: [{column: title, above: 5}]");
  EXPECT_THAT(Error(),
              HasSubstr("row 1, column title: 'refund' is not a number, which the condition"));
}

TEST_F(MappingRulesTest, JoinedColumnsWorkInEveryRule) {
  Write("orders.csv", "order,buyer,at\no1,b1,2024-03-01 12:00:09\no2,b2,2024-03-01 12:00:03\n");
  Write("buyers.csv", "buyer;number;paid\nb1;7;1,5\nb2;8;2,5\n");
  const std::string joins =
      "joins:\n"
      "  orders: {file: orders.csv, key: order, on: title}\n"
      "  buyers: {file: buyers.csv, key: buyer, on: orders.buyer, csv: {decimal: \",\"}}\n"
      "where: [{column: buyers.number, at_least: 1}]";
  const std::string lines = "a,1,1,1,,o1\nb,1,1,3,,o2\nc,1,1,1,,o9\nd,1,1,1,,o1\n";
  Use(lines,
      {{"user_id", "{column: buyers.number}"},
       {"amount", "{product: [buyers.paid, pieces]}"},
       {"product_id", "{text: \"{buyers.buyer}\"}"},
       {"timestamp", "{column: orders.at}"}},
      joins);
  EXPECT_THAT(*Rows(), ElementsAre("b|8|EU|b2|o2|3|7.5|EUR|2024-03-01 12:00:03.000Z",
                                   "a|7|EU|b1|o1|1|1.5|EUR|2024-03-01 12:00:09.000Z",
                                   "d|7|EU|b1|o1|1|1.5|EUR|2024-03-01 12:00:09.000Z"));
  EXPECT_EQ(skipped_.filtered, 1);
}

TEST_F(MappingRulesTest, TextsOfEveryArrowTypeAreRead) {
  const auto column = [](auto&& builder, const std::string& text) {
    EXPECT_TRUE(builder.Append(text).ok());
    return builder.Finish().ValueOrDie();
  };
  arrow::StringDictionaryBuilder dictionary;
  EXPECT_TRUE(dictionary.Append("7").ok());
  const arrow::ArrayVector columns = {column(arrow::LargeStringBuilder(), "a"),
                                      dictionary.Finish().ValueOrDie(),
                                      column(arrow::BinaryBuilder(), "2.5"),
                                      column(arrow::StringViewBuilder(), "1"),
                                      column(arrow::LargeStringBuilder(), "2024-03-01"),
                                      column(arrow::LargeBinaryBuilder(), "x")};
  arrow::FieldVector fields;
  std::string names = kColumns;
  for (const auto& array : columns) {
    fields.push_back(arrow::field(names.substr(0, names.find(',')), array->type()));
    names.erase(0, names.find(',') + 1);
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), columns);
  auto file = arrow::io::FileOutputStream::Open(Path("sales.parquet")).ValueOrDie();
  const auto keep_types = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 1000,
                                         parquet::default_writer_properties(), keep_types)
                  .ok());
  ASSERT_TRUE(file->Close().ok());
  Map();
  const auto rows = Rows("sales.parquet");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(*rows, ElementsAre("a|7|EU|P|x|1|2.5|EUR|2024-03-01 00:00:00.000Z"));
}

TEST_F(MappingRulesTest, MistakesAboutTheFileAreExplained) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"csv: {delimter: \";\"}", "did you mean 'delimiter'?"},
      {"csv: {delimiter: \";;\"}", "'delimiter' must be a single character"},
      {"csv: {encoding: koi8}", "'encoding' can be: utf-8, latin-1, cp1252, utf-16"},
      {"csv: {decimal: \";\"}", "'decimal' can be: . or ,"},
      {"csv: {short_lines: keep}", "'short_lines' can be: skip"},
      {"nulls: []", "'nulls' must be a text or a list of texts"},
      {"where: {column: id, is: a}", "'where' is a list of conditions"},
      {"where: [{column: id}]", "a condition is a column and one of is, is_not"},
      {"where: [{column: id, abov: 1}]", "did you mean 'above'?"},
      {"where: [{column: id, above: many}]", "'above' must be a number"},
      {"joins: {a: {file: x.csv, key: k, on: b.k}, b: {file: y.csv, key: k, on: id}}",
       "'b.k' must come from a join that is listed before 'a'"}};
  for (const auto& [above, message] : mistakes) {
    Use("", {}, above);
    EXPECT_THAT(Error(), AllOf(HasSubstr("sales.yaml, line"), HasSubstr(message))) << above;
  }
}

TEST_F(MappingRulesTest, MistakesInAFieldAreExplained) {
  const std::vector<std::pair<std::string, std::string>> rules = {
      {"{column: a, hash: yes}", "'hash' can be: true"},
      {"{column: a, rate: 2}", "'product' and 'rate' make amounts"},
      {"{product: [a, b]}", "'product' and 'rate' make amounts"},
      {"{column: a, zone: UTC}", "'format', 'zone' and 'epoch' are for times"},
      {"{column: a, missing: keep}", "'missing' can be: skip"},
      {"{column: a, missing: skip, default: 1}", "remove 'default' or 'missing'"}};
  for (const auto& [rule, message] : rules) {
    Use("", {{"user_id", rule}});
    EXPECT_THAT(Error(), HasSubstr(message)) << rule;
  }
  const std::vector<std::pair<std::string, std::string>> times = {
      {"{column: at, zone: Europe/Lisboa}", "there is no zone 'Europe/Lisboa'"},
      {"{column: at, epoch: h}", "'epoch' can be: s, ms, us, ns"},
      {"{column: at, epoch: s, zone: UTC}", "cannot be combined with 'format' or 'zone'"},
      {"{column: at, format: \"%Q\"}", "unknown '%Q'"}};
  for (const auto& [rule, message] : times) {
    Use("", {{"timestamp", rule}});
    EXPECT_THAT(Error(), HasSubstr(message)) << rule;
  }
  const std::vector<std::pair<std::string, std::string>> amounts = {
      {"{column: a, rate: {by: money, EUR: 1}}", "there is no field 'money'"},
      {"{column: a, rate: {EUR: 1}}", "a 'rate' is a number, or"},
      {"{column: a, rate: -1}", "a rate must be a number above zero"},
      {"{column: a, hash: true}", "'hash' makes whole numbers from texts"},
      {"{product: []}", "'product' must be a text or a list"}};
  for (const auto& [rule, message] : amounts) {
    Use("", {{"amount", rule}});
    EXPECT_THAT(Error(), HasSubstr(message)) << rule;
  }
}

TEST_F(MappingRulesTest, AColumnThatOccursTwiceIsRefused) {
  Use("");
  Write("sales.csv", "id,customer,price,pieces,at,title,price\n");
  EXPECT_THAT(Error(), HasSubstr("sales.csv has 2 columns 'price'"));
}

}  // namespace
}  // namespace shopstream::generate
