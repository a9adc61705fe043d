#include <iostream>
#include <memory>

#include "base/table_printer.h"
#include "cli/command.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/storage_walk.h"

namespace shopstream::cli {
namespace {

Result<int> RunTest(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  // Inside a table's folder: if each table has its own bucket, only there can objects be written.
  const auto report = lake::WalkStorage(store.get(), context.config.lake.bronze_table);
  TablePrinter printer({"step", "state", "milliseconds", "detail"});
  for (const lake::StorageStep& step : report.steps) {
    printer.AddRow({step.name, lake::Name(step.state), OrNull(step.milliseconds), step.detail});
  }
  printer.Print(std::cout, context.json);
  return report.failed ? kFailed : kDone;
}

}  // namespace

Command StorageCommand() {
  Command test{"test",
               "Exercise every storage operation the lake needs; exits with 1 if any fails",
               {},
               RunTest};
  return {.name = "storage", .meaning = "Test the lake's storage", .commands = {std::move(test)}};
}

}  // namespace shopstream::cli
