#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "sql/session.h"

namespace shopstream::sql {

struct EngineOptions {
  // For DuckDB's own buffers, above which it spills to disk. Rows that are being read and results
  // come on top.
  int64_t memory_bytes = int64_t{256} << 20;
  int threads = 1;
};

// A database in memory that reads what it is given and nothing else: no file, no network, no
// extension, and no statement can change that. It spills into a folder of its own below the
// system's temporary folder (TMPDIR), readable by this user only, which it removes.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Open(const EngineOptions& options);
  ~Engine();

  // The engine outlives its sessions.
  Result<std::unique_ptr<Session>> Connect();

 private:
  struct Database;
  explicit Engine(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
};

}  // namespace shopstream::sql
