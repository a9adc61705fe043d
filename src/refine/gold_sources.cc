#include "refine/gold_sources.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace shopstream::refine {
namespace {

// A version of a table with other columns; readers take those that a file lacks as null.
class SnapshotWithColumns : public lake::Snapshot {
 public:
  SnapshotWithColumns(std::shared_ptr<const lake::Snapshot> table,
                      std::shared_ptr<arrow::Schema> columns)
      : table_(std::move(table)), columns_(std::move(columns)) {}

  int64_t version() const override { return table_->version(); }
  const std::shared_ptr<arrow::Schema>& schema() const override { return columns_; }
  const std::vector<std::string>& partition_columns() const override {
    return table_->partition_columns();
  }
  const std::map<std::string, std::string>& properties() const override {
    return table_->properties();
  }
  std::optional<int64_t> Txn(const std::string& app_id) const override {
    return table_->Txn(app_id);
  }
  const std::map<std::string, int64_t>& Txns() const override { return table_->Txns(); }
  std::vector<DataFile> Files() const override { return table_->Files(); }
  void VisitFiles(const std::function<void(const DataFile&)>& visit) const override {
    table_->VisitFiles(visit);
  }
  int64_t file_count() const override { return table_->file_count(); }
  void VisitRemoved(const std::function<void(const std::string& path, int64_t removed_ms)>& visit)
      const override {
    table_->VisitRemoved(visit);
  }

 private:
  const std::shared_ptr<const lake::Snapshot> table_;
  const std::shared_ptr<arrow::Schema> columns_;
};

}  // namespace

GoldSources WithColumns(const GoldSources& sources, const RefineColumns& columns) {
  GoldSources with = sources;
  with.silver = std::make_shared<SnapshotWithColumns>(sources.silver, columns.silver);
  with.rejects = std::make_shared<SnapshotWithColumns>(sources.rejects, columns.rejects);
  return with;
}

}  // namespace shopstream::refine
