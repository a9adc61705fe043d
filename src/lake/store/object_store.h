#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"

namespace shopstream::lake {

struct ObjectEntry {
  std::string path;
  int64_t size_bytes = 0;
  int64_t modified_ms = 0;  // Unix epoch, by the server's clock.
};

enum class PutOutcome { kCreated, kExists };

// The only interface to storage. Paths are relative to the lake's root, '/'-separated, without a
// leading '/'. All functions are thread-safe and blocking. A missing object is a value. An error's
// kind (base/error_kind.h) says what to do. Unavailable: the outcome is unknown (a failed Put or
// PutIfAbsent may have taken effect), and a later try may succeed. Refused: it needs a permission
// or credentials first. Invalid: the path is not valid for a store.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Null if the object does not exist.
  virtual Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) = 0;
  // For reading ranges of large objects. Absence is an error of kind gone; all errors of the file
  // have the store's kinds too.
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(
      const std::string& path) = 0;
  // Whole and durable if it returns OK, otherwise not visible under `path`. Overwrites.
  virtual Status Put(const std::string& path, const arrow::Buffer& content) = 0;
  // The same in pieces, for objects too large for memory: whole, durable and visible once Close()
  // has returned OK; never visible after Abort(), a failed write, or destruction without Close().
  // One thread at a time writes to a stream; the store outlives it.
  virtual Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) = 0;
  // Atomic against every other writer: exactly one caller ever gets kCreated for a path.
  virtual Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) = 0;
  // Objects whose path begins with `prefix` (a plain string prefix), sorted by the bytes of the
  // path; only those above `after` (empty: all).
  virtual Result<std::vector<ObjectEntry>> List(const std::string& prefix,
                                                const std::string& after = "") = 0;
  // Names (without '/') of the folders directly in `folder` ("" is the root), sorted by bytes.
  virtual Result<std::vector<std::string>> ListFolders(const std::string& folder) = 0;
  virtual Status Delete(const std::string& path) = 0;  // OK also if it does not exist.
  // Unix epoch in milliseconds, by the clock that sets ObjectEntry::modified_ms.
  virtual Result<int64_t> Now() = 0;
  // Removes unfinished writes of dead writers, which no List shows, if they are older than
  // `min_age` by the server's clock. A store may be unable to distinguish a dead writer from a slow
  // one: `min_age` must exceed the duration of any write. Returns how many it removed.
  virtual Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) = 0;
  virtual std::string Describe() const = 0;  // For messages: the root as the user wrote it.
  // Each call is a network round trip, and the store's guarantees depend on another product.
  virtual bool IsRemote() const { return false; }
  // How many puts at the same time take less time than one after the other.
  virtual int ParallelPuts() const { return 1; }

 private:
  friend Status ProvePutIfAbsent(ObjectStore* store, const std::string& folder);
  std::atomic<bool> put_if_absent_proven_ = false;
};

// For stores that have no folders: the names of those that `objects` imply directly below `prefix`.
// All paths begin with `prefix`, which is "" or ends in '/', and are in byte order.
std::vector<std::string> FoldersBelow(const std::string& prefix,
                                      const std::vector<ObjectEntry>& objects);

// The store of lake.uri: a path, file:///... or s3://...; NotImplemented for other schemes.
Result<std::unique_ptr<ObjectStore>> OpenObjectStore(const Config& config);
// Call at the end of a program, after the last store is destroyed.
void ShutdownObjectStores();

}  // namespace shopstream::lake
