#include "console/daily_balance.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/json.h"
#include "refine/rules.h"
#include "tables/columns.h"

namespace shopstream::console {
namespace {

using MaybeRows = std::optional<int64_t>;

std::string DateTextOf(const DataFile& file) {
  for (const auto& [column, value] : file.partition_values) {
    if (column == tables::kDate) return value.value_or("");
  }
  return "";
}

void AddRows(MaybeRows& sum, const MaybeRows& more) {
  sum = sum && more ? MaybeRows(*sum + *more) : std::nullopt;
}

void AddRows(RowsByDate* rows, const std::string& date, const MaybeRows& more) {
  AddRows(rows->try_emplace(date, 0).first->second, more);
}

MaybeRows FileRows(const DataFile& file) {
  return file.rows < 0 ? MaybeRows() : MaybeRows(file.rows);
}

// 0: there is no file of the date.
MaybeRows RowsAt(const RowsByDate& rows, const std::string& date) {
  const auto found = rows.find(date);
  return found == rows.end() ? MaybeRows(0) : found->second;
}

MaybeRows RowsLess(const MaybeRows& a, const MaybeRows& b) {
  return a && b ? MaybeRows(*a - *b) : std::nullopt;
}

// How many of the date's rejects are duplicates.
MaybeRows DuplicateRows(const BalanceInput& input, const std::string& date) {
  if (!input.reasons) return std::nullopt;
  const auto of_date = input.reasons->find(date);
  if (of_date == input.reasons->end()) return 0;
  const auto duplicates = of_date->second.find(refine::kDuplicate);
  return duplicates == of_date->second.end() ? 0 : duplicates->second;
}

// Without a version that is decided as a whole, what is missing cannot be told from what is left.
void CompareNewest(const BalanceInput& input, const MaybeRows& accounted, DayBalance* day) {
  const MaybeRows left = RowsLess(RowsLess(day->bronze, day->foreign), accounted);
  if (left && *left < 0) {
    day->not_refined = 0;
    day->difference = left;
    return;
  }
  day->not_refined = left;
  if (left == 0) {
    day->difference = 0;
  } else {
    day->difference_unknown =
        left ? input.decided_unknown : "a file's writer did not count its rows";
  }
}

void CompareDecided(const BalanceInput& input, const MaybeRows& accounted, DayBalance* day) {
  const MaybeRows decided =
      RowsLess(RowsAt(input.decided->all, day->date), RowsAt(input.decided->foreign, day->date));
  const MaybeRows left = RowsLess(RowsLess(day->bronze, day->foreign), decided);
  const MaybeRows difference = RowsLess(decided, accounted);
  if (!left || !difference) {
    day->difference_unknown = "a file's writer did not count its rows";
  } else if (*left < 0) {
    day->difference_unknown = "rows were removed from Bronze since the last pass";
  } else if (*difference != 0 && input.after_task) {
    day->difference_unknown =
        "the last pass was a task, which may have removed rows: the next "
        "pass shows whether the day closes";
  } else {
    day->not_refined = left;
    day->difference = difference;
  }
}

DayBalance BalanceOf(const BalanceInput& input, const std::string& date) {
  DayBalance day;
  day.date = date;
  day.bronze = RowsAt(input.bronze.all, date);
  day.foreign = RowsAt(input.bronze.foreign, date);
  day.silver = RowsAt(input.silver, date);
  const MaybeRows rejects = RowsAt(input.rejects, date);
  day.duplicates = DuplicateRows(input, date);
  day.rejected = RowsLess(rejects, day.duplicates);
  MaybeRows accounted = day.silver;
  AddRows(accounted, rejects);
  if (!date.empty() && date < input.horizon) {
    day.expired = true;
    day.difference_unknown = "Bronze no longer keeps this day";
  } else if (input.decided) {
    CompareDecided(input, accounted, &day);
  } else {
    CompareNewest(input, accounted, &day);
  }
  return day;
}

}  // namespace

MaybeRows ForeignRows(const DataFile& file) {
  const nlohmann::json statistics = ParseJson(file.statistics);
  if (!statistics.is_object()) return std::nullopt;
  const auto nulls = statistics.find("nullCount");
  if (nulls == statistics.end() || !nulls->is_object()) return std::nullopt;
  const auto count = nulls->find(tables::kOffset);
  if (count == nulls->end() || !count->is_number_integer()) return std::nullopt;
  return count->get<int64_t>();
}

RowsByDate CountRows(const lake::Snapshot& table) {
  RowsByDate rows;
  table.VisitFiles([&](const DataFile& file) { AddRows(&rows, DateTextOf(file), FileRows(file)); });
  return rows;
}

BronzeRows CountBronze(const lake::Snapshot& bronze,
                       const std::function<MaybeRows(const DataFile&)>& foreign_of) {
  BronzeRows rows;
  bronze.VisitFiles([&](const DataFile& file) {
    const std::string date = DateTextOf(file);
    AddRows(&rows.all, date, FileRows(file));
    AddRows(&rows.foreign, date, foreign_of(file));
  });
  return rows;
}

std::vector<DayBalance> Balance(const BalanceInput& input) {
  std::set<std::string> dates;
  for (const RowsByDate* rows : {&input.bronze.all, &input.silver, &input.rejects}) {
    for (const auto& [date, count] : *rows) dates.insert(date);
  }
  std::vector<DayBalance> days;
  for (auto date = dates.rbegin(); date != dates.rend(); ++date) {
    days.push_back(BalanceOf(input, *date));
  }
  return days;
}

}  // namespace shopstream::console
