#include "refine/refined_rows.h"

#include <arrow/type.h>

#include <utility>

#include "base/probes.h"
#include "lake/parquet/data_file_stream.h"
#include "refine/pass_plan.h"

namespace shopstream::refine {

Result<RefinedRows> RefinedRows::Of(lake::ObjectStore* store, const std::string& path,
                                    std::shared_ptr<const lake::Snapshot> bronze,
                                    const tables::RefineStanding& standing) {
  RefinedRows rows;
  rows.store_ = store;
  rows.path_ = path;
  rows.bronze_ = std::move(bronze);
  arrow::FieldVector fields;
  for (const std::string& column : StoredColumns(*rows.bronze_)) {
    fields.push_back(rows.bronze_->schema()->GetFieldByName(column));
  }
  rows.stored_ = arrow::schema(std::move(fields));
  ARROW_ASSIGN_OR_RAISE(rows.filter_, PassFilter::Of(PlanOfDecided(standing), *rows.bronze_));
  for (const DataFile& file : rows.bronze_->Files()) {
    ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file));
    rows.files_[date].push_back(file);
  }
  return rows;
}

Status RefinedRows::Visit(Date date, const Wants& wants, const Limits& limits,
                          const OnRows& on_rows) const {
  const auto files = files_.find(date);
  if (files == files_.end()) return Status::OK();
  RowCollector collector(bronze_);
  for (const DataFile& file : files->second) {
    const Status visited = VisitFile(file, wants, limits, on_rows, &collector);
    if (!visited.ok()) {
      return visited.WithMessage(path_, "/", file.path, ": ", visited.message());
    }
  }
  if (collector.rows() == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const PassRows rest, collector.Take());
  return on_rows(rest);
}

Status RefinedRows::VisitFile(const DataFile& file, const Wants& wants, const Limits& limits,
                              const OnRows& on_rows, RowCollector* collector) const {
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        lake::DataFileReader::Open(store_, path_, file, stored_, {}));
  while (true) {
    Probes::OfProcess().Beat();
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const std::vector<int32_t> wanted,
                          tables::FindRows(*batch, [&](const auto& at) {
                            return at && filter_.Takes(*at) && wants(*at);
                          }));
    ARROW_RETURN_NOT_OK(collector->Add(file, batch, wanted));
    if (collector->rows() < limits.rows && collector->bytes() < limits.bytes) continue;
    ARROW_ASSIGN_OR_RAISE(const PassRows rows, collector->Take());
    ARROW_RETURN_NOT_OK(on_rows(rows));
  }
}

}  // namespace shopstream::refine
