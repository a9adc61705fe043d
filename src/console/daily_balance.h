#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lake/delta/table.h"
#include "model/data_file.h"

// What became of Bronze's rows of each day. The day is the event's own UTC date: the partition
// value `date` of Bronze, Silver and rejects, so that the logs of the tables have all numbers.
namespace shopstream::console {

// By the partition value; "": rows without a date. Nothing: a file's writer did not count its rows.
using RowsByDate = std::map<std::string, std::optional<int64_t>>;

// Bronze at one version.
struct BronzeRows {
  RowsByDate all;
  RowsByDate foreign;  // Without Kafka's coordinates: no pass decides them.
};

// Rows of a file without coordinates; nothing: its writer did not count them. Parses the file's
// statistics.
std::optional<int64_t> ForeignRows(const DataFile& file);

RowsByDate CountRows(const lake::Snapshot& table);
// `foreign_of`: ForeignRows, or what is known of it.
BronzeRows CountBronze(const lake::Snapshot& bronze,
                       const std::function<std::optional<int64_t>(const DataFile&)>& foreign_of);

struct BalanceInput {
  BronzeRows bronze;  // The newest version.
  // The version whose rows the last pass has decided to the last one. Nothing: there is no such
  // version, see `decided_unknown`.
  std::optional<BronzeRows> decided;
  std::string decided_unknown;
  RowsByDate silver, rejects;  // At the last complete pass.
  // Of rejects by their reasons, by date; nothing: not counted yet.
  std::optional<std::map<std::string, std::map<std::string, int64_t>>> reasons;
  // Bronze no longer has dates below. Empty: it has all.
  std::string horizon;
  // The last pass was a task, which may have removed rows that `decided` still has.
  bool after_task = false;
};

// Invariant: bronze = silver + rejected + duplicates + not_refined + foreign + difference, as far
// as they are known.
struct DayBalance {
  std::string date;  // "": none.
  std::optional<int64_t> bronze, silver, rejected, duplicates, not_refined, foreign;
  // Rows of Bronze that no table accounts for; below 0: rows too many. Nothing: unknown.
  std::optional<int64_t> difference;
  std::string difference_unknown;  // Why.
  bool expired = false;            // Bronze no longer keeps the date.

  bool closes() const { return difference == 0; }
};

// Newest first; rows without a date last.
std::vector<DayBalance> Balance(const BalanceInput& input);

}  // namespace shopstream::console
