#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::simulate {

// A table that is another one, but for what a derived class changes.
class ForwardingTable : public lake::Table {
 public:
  explicit ForwardingTable(std::unique_ptr<lake::Table> right) : right_(std::move(right)) {}

  const std::string& path() const override { return right_->path(); }
  lake::ObjectStore* store() const override { return right_->store(); }
  std::shared_ptr<const lake::Snapshot> snapshot() const override { return right_->snapshot(); }
  Result<std::shared_ptr<const lake::Snapshot>> Refresh() override { return right_->Refresh(); }

 protected:
  const std::unique_ptr<lake::Table> right_;
};

// A commit that replaces only those of its files that are live now, whatever became of the others.
Result<lake::CommitResult> CommitLiveRemoves(lake::Table* table, const lake::Prepare& prepare,
                                             BootClock::time_point deadline);

}  // namespace shopstream::simulate
