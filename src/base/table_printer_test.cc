#include "base/table_printer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

namespace shopstream {
namespace {

std::string Print(const TablePrinter& table, bool as_json) {
  std::ostringstream out;
  table.Print(out, as_json);
  return out.str();
}

TEST(TablePrinter, AlignsTextLeftAndNumbersRight) {
  TablePrinter table({"topic", "partition", "lag", "note"});
  table.AddRow({"purchases", 0, 12345, "ok"});
  table.AddRow({"caf\u00e9", 1, nullptr, "behind"});
  EXPECT_EQ(
      "topic      partition    lag  note\n"
      "purchases          0  12345  ok\n"
      "caf\u00e9               1      -  behind\n",
      Print(table, false));
}

TEST(TablePrinter, LinesEndWithTheirLastCharacter) {
  TablePrinter table({"name", "remedy"});
  table.AddRow({"lake", ""});
  table.AddRow({"registry", "start it"});
  EXPECT_EQ("name      remedy\nlake\nregistry  start it\n", Print(table, false));
}

// Like the report of health.
std::string PrintHealth(const TerminalStyle& style) {
  TablePrinter table({"component", "state", "seconds", "detail", "remedy"});
  table.AddRow({"kafka", Cell("down", Cell::State::kBad), 5,
                "no Kafka broker answered at 127.0.0.1:9094 within five seconds",
                "start the brokers, or correct kafka.bootstrap_servers"});
  table.AddRow({"lake", Cell("up", Cell::State::kGood), nullptr, "3 tables", ""});
  std::ostringstream out;
  table.PrintText(out, style);
  return out.str();
}

TEST(TablePrinter, AWideTerminalShowsLongTextsOnOneLine) {
  const std::string text = PrintHealth({.columns = 200});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_EQ(text, PrintHealth({}));
}

TEST(TablePrinter, ANarrowerOneBreaksTheLongestTexts) {
  EXPECT_EQ(
      "component  state  seconds  detail                     remedy\n"
      "kafka      down         5  no Kafka broker answered   start the brokers, or\n"
      "                           at 127.0.0.1:9094 within   correct\n"
      "                           five seconds               kafka.bootstrap_servers\n"
      "lake       up           -  3 tables\n",
      PrintHealth({.columns = 80}));
}

TEST(TablePrinter, AVeryNarrowOneGetsALineForEachValue) {
  EXPECT_EQ(
      "component: kafka\n"
      "state:     down\n"
      "seconds:   5\n"
      "detail:    no Kafka broker answered at\n"
      "           127.0.0.1:9094 within five\n"
      "           seconds\n"
      "remedy:    start the brokers, or correct\n"
      "           kafka.bootstrap_servers\n"
      "\n"
      "component: lake\n"
      "state:     up\n"
      "seconds:   -\n"
      "detail:    3 tables\n"
      "remedy:\n",
      PrintHealth({.columns = 40}));
}

TEST(TablePrinter, StatesAreColouredWithoutChangingTheLayout) {
  std::string text = PrintHealth({.columns = 80, .colour = true});
  for (const std::string code : {"\x1b[31m", "\x1b[32m", "\x1b[0m", "\x1b[0m"}) {
    const size_t at = text.find(code);
    ASSERT_NE(at, std::string::npos) << code;
    text.erase(at, code.size());
  }
  EXPECT_EQ(text, PrintHealth({.columns = 80}));
}

TEST(TablePrinter, WideLettersAreAligned) {
  TablePrinter table({"city", "rows"});
  table.AddRow({"東京", 7});
  table.AddRow({"Rome", 12});
  EXPECT_EQ("city  rows\n東京     7\nRome    12\n", Print(table, false));
}

TEST(TablePrinter, JsonKeepsTypesAndTheOrderOfColumns) {
  TablePrinter table({"name", "bytes", "age"});
  table.AddRow({"a\"b", 7, nullptr});
  EXPECT_EQ("[\n{\"name\":\"a\\\"b\",\"bytes\":7,\"age\":null}\n]\n", Print(table, true));
}

TEST(TablePrinter, AnEmptyTableIsAHeaderOrAnEmptyArray) {
  TablePrinter table({"name", "bytes"});
  EXPECT_EQ("name  bytes\n", Print(table, false));
  EXPECT_EQ("[]\n", Print(table, true));
}

TEST(TablePrinter, HostileTextCannotReachTheTerminal) {
  TablePrinter table({"detail"});
  table.AddRow({"\x1b[2J\nx"});
  EXPECT_EQ("detail\n\\x1b[2J\\nx\n", Print(table, false));
  TablePrinter broken({"detail"});
  broken.AddRow({"\xff"});
  EXPECT_EQ("[\n{\"detail\":\"\uFFFD\"}\n]\n", Print(broken, true));
}

}  // namespace
}  // namespace shopstream
