#include "lineage/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "kafka/admin.h"
#include "lineage/file_offsets.h"

namespace shopstream::cli {
namespace {

using lineage::Arrival;
using lineage::CommitSearch;
using lineage::RecordLineage;
using lineage::StoredRow;
using lineage::Verdict;

// Kafka is one of the sources: the lake's answer does not wait for long.
constexpr Millis kKafkaPatience{5000};
constexpr size_t kListedRanges = 10;  // For people.

struct LineageFlags {
  std::optional<uint64_t> partition, offset;
  std::optional<std::string> id, file;
};

lineage::KafkaSpan AskKafka(const KafkaConfig& config, int32_t partition) {
  const auto ask = [&]() -> Result<lineage::KafkaSpan> {
    ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config, kKafkaPatience));
    ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.topic, false));
    if (!topic) return lineage::KafkaSpan{.unknown = "there is no topic " + config.topic};
    ARROW_ASSIGN_OR_RAISE(const kafka::OffsetSpan span, admin->SpanOf(config.topic, partition));
    return lineage::KafkaSpan{.topic_id = topic->id, .log_start = span.log_start, .end = span.end};
  };
  const auto span = ask();
  return span.ok() ? *span : lineage::KafkaSpan{.unknown = span.status().message()};
}

std::string CommitText(const CommitSearch& search) {
  if (!search.commit) return "an unknown version: " + search.unknown;
  const lineage::AddingCommit& commit = *search.commit;
  return fmt::format("version {} of {}{}", commit.version, FormatTimestamp(commit.time_ms),
                     commit.operation.empty() ? "" : " (" + Printable(commit.operation) + ")");
}

void PrintPlace(const char* what, const StoredRow& stored) {
  const lineage::RowPlace& place = stored.place;
  std::cout << fmt::format("{:<11} {}/{}\n            row group {}, position {}; version {}\n",
                           what, place.table, Printable(place.path), place.row_group,
                           place.position, place.version);
}

std::string KafkaText(const RecordLineage& record) {
  const lineage::KafkaSpan& kafka = record.kafka;
  if (!kafka.log_start || !kafka.end) return "unknown: " + kafka.unknown;
  return fmt::format("{}; the partition has the offsets from {} to before {}",
                     record.in_kafka.value_or(false) ? "still has it" : "does not have it",
                     FormatCount(*kafka.log_start), FormatCount(*kafka.end));
}

void PrintBronze(const RecordLineage& record) {
  if (!record.bronze) return;
  PrintPlace("bronze", *record.bronze);
  std::cout << "            added by " << CommitText(record.added.search)
            << (record.added.was_replayed ? ", a replay" : "") << "\n";
  if (record.added.moved.value_or(false)) {
    std::cout << "            moved to this file by " << CommitText(record.moved) << "\n";
  }
}

std::string VerdictText(const RecordLineage& record) {
  std::string text;
  switch (record.verdict) {
    case Verdict::kSilver:
      text = "in Silver";
      break;
    case Verdict::kRejected:
    case Verdict::kDuplicate:
      text = "rejected:";
      for (const std::string& reason : record.reasons) text += " " + Printable(reason);
      break;
    case Verdict::kAwaited:
    case Verdict::kMissing:
    case Verdict::kNoRefine:
    case Verdict::kNone:
      return Printable(record.verdict_reason);
  }
  return record.pass ? text + ", pass " + FormatCount(*record.pass) : text;
}

void PrintRefined(const RecordLineage& record) {
  if (record.verdict == Verdict::kNone) return;
  std::cout << "refined     " << VerdictText(record) << "\n";
  if (record.refined) PrintPlace("", *record.refined);
  if (!record.original.empty()) PrintPlace("repeats", record.original.front());
}

void PrintGold(const RecordLineage& record) {
  if (!record.gold_unknown.empty()) {
    std::cout << "gold        unknown: " << Printable(record.gold_unknown) << "\n";
  }
  if (record.gold.empty()) return;
  TablePrinter printer({"gold", "cell", "column", "value", "this_record", "percent"});
  for (const lineage::GoldCell& cell : record.gold) {
    std::string key;
    for (const auto& [name, value] : cell.key) key += (key.empty() ? "" : ", ") + value;
    if (cell.state != lineage::GoldCell::State::kHasIt) {
      printer.AddRow(
          {cell.table, Printable(key), lineage::Name(cell.state), nullptr, nullptr, nullptr});
      continue;
    }
    for (const lineage::CellColumn& column : cell.columns) {
      printer.AddRow({cell.table, Printable(key), column.name, Printable(column.value),
                      column.share.empty() ? Cell(nullptr) : Cell(Printable(column.share)),
                      column.share_percent ? Cell(fmt::format("{:.3g}", *column.share_percent))
                                           : Cell(nullptr)});
    }
  }
  std::cout << "\n";
  printer.Print(std::cout, /*as_json=*/false);
}

void Print(const RecordLineage& record) {
  std::cout << fmt::format("record      {} partition {} offset {}, topic id {}\n",
                           Printable(record.topic), record.key.partition, record.key.offset,
                           Printable(record.key.topic_id))
            << "kafka       " << Printable(KafkaText(record)) << "\n";
  if (!record.reason.empty()) {
    std::cout << "lake        " << Printable(record.reason)
              << (record.remedy.empty() ? "" : "; see `" + record.remedy + "`") << "\n";
  }
  if (record.quarantine) {
    PrintPlace("quarantine", record.quarantine->row);
    std::cout << "            added by " << CommitText(record.quarantine->added)
              << (record.quarantine->replayed ? "; a replay has added it to Bronze since" : "")
              << "\n";
  }
  PrintBronze(record);
  PrintRefined(record);
  PrintGold(record);
}

void Print(const lineage::FileLineage& file) {
  std::cout << fmt::format("file        {}/{}\n", file.table, Printable(file.path))
            << "            " << (file.rows ? Counted(*file.rows, "row") + ", " : "")
            << FormatBytes(file.bytes) << "; "
            << (file.live ? "live at" : "no longer in the table at") << " version " << file.version
            << "\nadded by    " << CommitText(file.added) << "\n";
  if (!file.has_coordinates) {
    std::cout << "Its rows come from many records: the table has no offsets.\n";
    return;
  }
  TablePrinter printer({"topic_id", "partition", "rows", "first_offset", "last_offset", "ranges"});
  for (const lineage::FilePartition& part : file.partitions) {
    std::string ranges;
    for (size_t i = 0; i < part.ranges.size() && i < kListedRanges; ++i) {
      const OffsetRange& range = part.ranges[i];
      ranges += (i > 0 ? " " : "") + std::to_string(range.begin);
      if (range.end - range.begin > 1) ranges += "-" + std::to_string(range.end - 1);
    }
    if (part.ranges.size() > kListedRanges) ranges += " ...";
    printer.AddRow({Printable(part.topic_id), part.partition, part.rows, part.span.begin,
                    part.span.end - 1, ranges});
  }
  std::cout << "\n";
  printer.Print(std::cout, /*as_json=*/false);
}

bool IsThere(const RecordLineage& record) {
  return record.arrival == Arrival::kInLake || record.arrival == Arrival::kQuarantined;
}

Result<int> TraceOneFile(const Context& context, lake::ObjectStore* store,
                         const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto file, lineage::TraceFile(store, path, 1000, ShutdownRequested));
  context.json ? PrintReport(std::cout, lineage::ToJson(file)) : Print(file);
  return kDone;
}

Result<int> RunLineage(const Context& context, const LineageFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  if (flags.file) return TraceOneFile(context, store.get(), *flags.file);
  const lineage::LineageOptions options{
      .kafka = [&](int32_t partition) { return AskKafka(context.config.kafka, partition); },
      .stop = ShutdownRequested};
  ARROW_ASSIGN_OR_RAISE(const auto records,
                        flags.id
                            ? lineage::TraceEvent(store.get(), context.config, *flags.id, options)
                            : lineage::TraceRecord(store.get(), context.config,
                                                   static_cast<int32_t>(*flags.partition),
                                                   static_cast<int64_t>(*flags.offset), options));
  if (context.json) {
    auto all = nlohmann::ordered_json::array();
    for (const RecordLineage& record : records) all.push_back(lineage::ToJson(record));
    PrintReport(std::cout, {{"records", std::move(all)}});
  } else {
    for (size_t i = 0; i < records.size(); ++i) {
      if (i > 0) std::cout << "\n";
      Print(records[i]);
    }
    if (records.empty()) std::cout << "No table of the lake has this event.\n";
  }
  const bool found = !records.empty() && std::ranges::all_of(records, IsThere);
  return found ? kDone : kDifferenceFound;
}

Status CheckFlags(const LineageFlags& flags) {
  const bool record = flags.partition.has_value();
  const int given = int{record} + int{flags.id.has_value()} + int{flags.file.has_value()};
  if (given != 1) {
    return Status::Invalid("give a partition and an offset, or --event-id, or --file");
  }
  if (record && !flags.offset) return Status::Invalid("give the offset as well");
  return Status::OK();
}

}  // namespace

Command LineageCommand() {
  const auto flags = std::make_shared<LineageFlags>();
  return {.name = "lineage",
          .meaning =
              "Follow a record into the lake and to its cells in Gold, or a file back to its "
              "offsets; exits with 3 if the lake does not have the record",
          .options = {{.name = "PARTITION",
                       .target = &flags->partition,
                       .meaning = "Kafka partition",
                       .bounds = Bounds{0, std::numeric_limits<int32_t>::max()}},
                      {.name = "OFFSET",
                       .target = &flags->offset,
                       .meaning = "Kafka offset",
                       .bounds = Bounds{0}},
                      {.name = "--event-id",
                       .target = &flags->id,
                       .meaning = "All records of this event",
                       .value = "ID"},
                      {.name = "--file",
                       .target = &flags->file,
                       .meaning = "A data file, as a path below the lake's root",
                       .value = "PATH"}},
          .run = Running(flags, RunLineage),
          .check = [flags] { return CheckFlags(*flags); }};
}

}  // namespace shopstream::cli
