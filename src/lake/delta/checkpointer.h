#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/runtime.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Writes a table's checkpoints on its own thread and cleans up the log after them. Thread-safe. A
// failure only costs space: the next checkpoint tries again.
class Checkpointer {
 public:
  // `checkpoint_version`: of the newest checkpoint.
  Checkpointer(ObjectStore* store, std::string table_path, int64_t checkpoint_version);
  ~Checkpointer();  // Waits for the checkpoint that is being written.

  // A checkpoint of this version exists.
  void Saw(int64_t checkpoint_version);
  // Call after a commit. The writer that commits a multiple of delta.checkpointInterval writes its
  // checkpoint. If it has died, the first writer to notice does.
  void WriteIfDue(const std::shared_ptr<const TableState>& state);

 private:
  void Write(const TableState& state, int64_t multiple);
  Status CleanUpLogIfDue(const TableState& state);

  ObjectStore* const store_;
  const std::string table_path_;
  std::mutex mutex_;
  int64_t checkpoint_version_;  // Newest that is written or that some writer will write. By mutex_.
  Thread thread_;               // Guarded by mutex_.
  std::atomic<bool> busy_ = false;
  std::atomic<bool> closing_ = false;
  int64_t clean_up_due_ms_ = 0;  // By the server's clock. Used by the thread only.
};

}  // namespace shopstream::lake
