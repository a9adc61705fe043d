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
//   Silver and rejects only grow, but for restates;
//   quality_daily counts every row that Silver and rejects have, once.
class RefineWatch {
 public:
  // Borrows the world, whose store it watches from now on.
  explicit RefineWatch(RefineWorld* world);

  // The last pass that every table holds; nothing: they differ.
  std::optional<int64_t> CompletePass() const;
  // The passes that are restates.
  const std::set<int64_t>& restates() const { return restates_; }

 private:
  struct TableState {
    std::optional<int64_t> pass;
    std::map<std::string, int64_t> rows;  // Of each live file; of quality_daily: as it counts them.
  };

  void OnCreate(const std::string& path, const arrow::Buffer& content);
  void OnAction(const std::string& table, const nlohmann::json& action, bool restates,
                TableState* state);
  void OnPass(const std::string& table, std::optional<int64_t> before, int64_t pass);
  int64_t CountedBy(const std::string& quality_file);
  int64_t Rows(const std::string& table) const;
  int64_t PassOf(const std::string& table) const;
  void Fail(const std::string& what) { world_->failures.push_back(what); }

  RefineWorld* const world_;
  std::map<std::string, TableState> tables_;  // By path.
  std::set<int64_t> restates_;
};

}  // namespace shopstream::simulate
