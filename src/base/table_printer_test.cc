#include "base/table_printer.h"

#include <gtest/gtest.h>

#include <sstream>

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
