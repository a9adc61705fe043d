#include "observe/quarantine.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/table_printer.h"
#include "cli/command.h"
#include "lake/object_store.h"

namespace shopstream::cli {
namespace {

using nlohmann::json;
using observe::QuarantinedRow;

struct QuarantineFlags {
  std::string cause;
  size_t limit = 50;
  int32_t partition = 0;
  int64_t offset = 0;
};

json Bytes(const QuarantinedRow& row) {
  return row.value ? json(row.value->size()) : json(nullptr);
}

TablePrinter RowTable(const observe::QuarantineListing& listing) {
  TablePrinter table({"time", "partition", "offset", "cause", "detail", "bytes"});
  for (const QuarantinedRow& row : listing.newest) {
    table.AddRow({FormatTimestamp(row.timestamp_us / 1000), row.partition, row.offset, row.cause,
                  row.detail, Bytes(row)});
  }
  return table;
}

TablePrinter CauseTable(const observe::QuarantineListing& listing) {
  TablePrinter table({"cause", "rows"});
  for (const auto& [cause, rows] : listing.by_cause) table.AddRow({cause, rows});
  return table;
}

Result<int> List(const Context& context, const QuarantineFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto listing,
                        observe::ListQuarantine(store.get(), flags.cause, flags.limit));
  if (context.json) {
    std::cout << "{\"rows\":";
    RowTable(listing).Print(std::cout, true);
    std::cout << ",\"matching\":" << listing.matching << ",\"by_cause\":";
    CauseTable(listing).Print(std::cout, true);
    std::cout << "}\n";
    return kDone;
  }
  if (listing.by_cause.empty()) {
    std::cout << "Nothing is in quarantine.\n";
    return kDone;
  }
  RowTable(listing).Print(std::cout, false);
  std::cout << "\nthe newest " << FormatCount(static_cast<int64_t>(listing.newest.size())) << " of "
            << FormatCount(listing.matching) << "; all rows by cause:\n";
  CauseTable(listing).Print(std::cout, false);
  return kDone;
}

json OptionalHex(const std::optional<std::string>& bytes) {
  return bytes ? json(FormatHex(*bytes)) : json(nullptr);
}

json ToJson(const QuarantinedRow& row) {
  return {{"topic", row.topic},
          {"topic_id", row.topic_id},
          {"partition", row.partition},
          {"offset", row.offset},
          {"timestamp", FormatTimestamp(row.timestamp_us / 1000)},
          {"schema_id", OrNull(row.schema_id)},
          {"cause", row.cause},
          {"detail", row.detail},
          {"key_hex", OptionalHex(row.key)},
          {"value_hex", OptionalHex(row.value)},
          {"headers", row.headers},
          {"quarantined_at", FormatTimestamp(row.quarantined_at_us / 1000)}};
}

void PrintBytes(const char* name, const std::optional<std::string>& bytes) {
  if (!bytes) {
    std::cout << name << ": null\n";
    return;
  }
  std::cout << name << ", " << bytes->size() << " bytes:\n" << observe::HexDump(*bytes);
}

void PrintForPerson(const QuarantinedRow& row) {
  std::cout << "record      " << Printable(row.topic) << " partition " << row.partition
            << " offset " << row.offset << "\n"
            << "topic id    " << Printable(row.topic_id) << "\n"
            << "sent        " << FormatTimestamp(row.timestamp_us / 1000) << "\n"
            << "quarantined " << FormatTimestamp(row.quarantined_at_us / 1000) << "\n"
            << "cause       " << Printable(row.cause) << "\n"
            << "detail      " << Printable(row.detail) << "\n"
            << "schema id   " << OrNull(row.schema_id) << "\n"
            << "headers     " << Printable(row.headers) << "\n";
  PrintBytes("key", row.key);
  PrintBytes("value", row.value);
}

Result<int> Show(const Context& context, const QuarantineFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        observe::FindQuarantined(store.get(), flags.partition, flags.offset));
  if (rows.empty()) {
    return Status::KeyError("partition ", flags.partition, " offset ", flags.offset,
                            " is not in quarantine: `shopstream quarantine list` shows what is");
  }
  if (context.json) {
    json all = json::array();
    for (const QuarantinedRow& row : rows) all.push_back(ToJson(row));
    std::cout << all.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
    return kDone;
  }
  for (const QuarantinedRow& row : rows) PrintForPerson(row);
  return kDone;
}

}  // namespace

void AddQuarantine(CLI::App& app, Job* job) {
  auto flags = std::make_shared<QuarantineFlags>();
  CLI::App* quarantine =
      app.add_subcommand("quarantine", "Records that could not be decoded, and why");
  quarantine->require_subcommand(1);

  CLI::App* list = quarantine->add_subcommand("list", "The newest ones, and a count of each cause");
  list->add_option("--cause", flags->cause, "Only those with this cause, e.g. corrupt");
  list->add_option("--limit", flags->limit, "Rows to list at most")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  list->callback(
      [flags, job] { *job = [flags](const Context& context) { return List(context, *flags); }; });

  CLI::App* show = quarantine->add_subcommand("show", "All of one record, with its bytes");
  show->add_option("PARTITION", flags->partition, "Kafka partition")
      ->required()
      ->check(CLI::NonNegativeNumber);
  show->add_option("OFFSET", flags->offset, "Kafka offset")
      ->required()
      ->check(CLI::NonNegativeNumber);
  show->callback(
      [flags, job] { *job = [flags](const Context& context) { return Show(context, *flags); }; });
}

}  // namespace shopstream::cli
