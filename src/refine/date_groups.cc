#include "refine/date_groups.h"

#include <map>

namespace shopstream::refine {

Result<std::vector<std::vector<Date>>> GroupDates(
    const std::vector<std::shared_ptr<const lake::Snapshot>>& tables,
    const std::function<bool(Date)>& wants, int64_t group_rows) {
  std::map<Date, int64_t> rows;
  Status status;
  for (const auto& snapshot : tables) {
    snapshot->VisitFiles([&](const DataFile& file) {
      const auto date = DateOf(file);
      if (status.ok()) status = date.status();
      if (date.ok() && wants(*date)) rows[*date] += file.rows < 0 ? group_rows : file.rows;
    });
  }
  ARROW_RETURN_NOT_OK(status);
  std::vector<std::vector<Date>> groups;
  int64_t count = group_rows;
  for (const auto& [date, of_date] : rows) {
    if (count + of_date > group_rows) {
      groups.emplace_back();
      count = 0;
    }
    groups.back().push_back(date);
    count += of_date;
  }
  return groups;
}

}  // namespace shopstream::refine
