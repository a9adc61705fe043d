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
  int64_t modified_ms = 0;  // Unix epoch, by the store's clock.
};

enum class PutOutcome { kCreated, kExists };

// The one seam to storage. Paths are relative to the lake's root, '/'-separated, without a leading
// '/'. All functions are thread-safe and blocking. A missing object is a value. An error's kind
// (base/error_kind.h) says what to do: unavailable means that the outcome is unknown (a Put or
// PutIfAbsent that failed may have happened) and that a later try may succeed; refused, that it
// takes a permission or credentials first; invalid, that the path is not one that a store takes.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Null where there is no such object.
  virtual Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) = 0;
  // For reading parts of large objects. Absence is an error of kind gone; all errors of the file
  // have the store's kinds too.
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(
      const std::string& path) = 0;
  // Whole and durable when it returns OK, or not visible under `path` at all. Overwrites.
  virtual Status Put(const std::string& path, const arrow::Buffer& content) = 0;
  // The same piece by piece, for objects that memory should not hold: whole, durable and visible
  // once Close() has returned OK; never visible after Abort(), a failed write, or where the stream
  // goes without Close(). One thread at a time writes to a stream; the store outlives it.
  virtual Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) = 0;
  // Atomic against every other writer: exactly one caller ever sees kCreated for a path.
  virtual Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) = 0;
  // Objects whose path begins with `prefix` (a plain string prefix), in byte order of path, those
  // above `after` only (empty: all).
  virtual Result<std::vector<ObjectEntry>> List(const std::string& prefix,
                                                const std::string& after = "") = 0;
  // Names (without '/') of the folders directly under `folder` ("" is the root), in byte order.
  virtual Result<std::vector<std::string>> ListFolders(const std::string& folder) = 0;
  virtual Status Delete(const std::string& path) = 0;  // OK also where there is none.
  // Unix epoch in milliseconds, by the clock that stamps ObjectEntry::modified_ms.
  virtual Result<int64_t> Now() = 0;
  // Frees what writers that died before they finished have left behind, which no List shows, where
  // it is older than `min_age` by the store's clock. A store may be unable to tell a dead writer
  // from a slow one: let `min_age` exceed what any write takes. Returns how many it removed.
  virtual Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) = 0;
  virtual std::string Describe() const = 0;  // For messages: the root as the user wrote it.
  // Each call is a round trip over a network, so that several at once are worth it; and what the
  // store promises is another product's word.
  virtual bool IsRemote() const { return false; }

 private:
  friend Status ProvePutIfAbsent(ObjectStore* store, const std::string& folder);
  std::atomic<bool> put_if_absent_proven_ = false;
};

// The store of lake.uri: a path, file:///... or s3://...; NotImplemented for any other scheme.
Result<std::unique_ptr<ObjectStore>> OpenObjectStore(const Config& config);
// At the end of a program, after the last store is gone.
void ShutdownObjectStores();

}  // namespace shopstream::lake
