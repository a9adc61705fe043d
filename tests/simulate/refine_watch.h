#pragma once

#include <arrow/buffer.h>

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"
#include "simulate/refine_world.h"

namespace shopstream::simulate {

// Sees every commit at the moment it happens, and checks what holds after each:
//   rejects >= silver >= each Gold table >= rejects - 1, in steps of one;
//   Silver and rejects only grow, but for tasks;
//   quality_daily counts every row of open dates that Silver and rejects have, once;
//   and it keeps what it had of each date when Silver closed it.
class RefineWatch {
 public:
  // Borrows the world, whose store it watches from now on.
  explicit RefineWatch(RefineWorld* world);

  // The last pass that every table holds; nothing: they differ.
  std::optional<int64_t> CompletePass() const;
  // The passes that are restates.
  const std::set<int64_t>& restates() const { return restates_; }

 private:
  struct FileRows {
    std::string date;  // "": null.
    int64_t rows = 0;  // Of quality_daily: as it counts them.
  };
  struct TableState {
    std::optional<int64_t> pass;
    std::map<std::string, FileRows> files;  // Live ones.
  };

  void OnCreate(const std::string& path, const arrow::Buffer& content);
  void OnAction(const std::string& table, const nlohmann::json& action,
                const std::string& operation, TableState* state);
  void OnHorizon(const std::string& horizon);
  void CheckQuality(int64_t pass);
  void OnPass(const std::string& table, std::optional<int64_t> before, int64_t pass);
  int64_t CountedBy(const std::string& quality_file);
  bool IsClosed(const std::string& date) const { return !date.empty() && date < horizon_; }
  // By date, either of closed dates or of others.
  std::map<std::string, int64_t> Rows(const std::string& table, bool closed) const;
  int64_t PassOf(const std::string& table) const;
  void Fail(const std::string& what) { world_->failures.push_back(what); }

  RefineWorld* const world_;
  std::map<std::string, TableState> tables_;  // By path.
  std::set<int64_t> restates_;
  std::string horizon_;                    // Of Silver; "": none.
  std::map<std::string, int64_t> closed_;  // What quality_daily counts of each closed date.
};

}  // namespace shopstream::simulate
