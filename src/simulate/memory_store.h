#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lake/store/object_store.h"

namespace shopstream::simulate {

// Objects in memory, for tests.
class MemoryStore : public lake::ObjectStore {
 public:
  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override;
  Status Put(const std::string& path, const arrow::Buffer& content) override;
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override;
  Result<lake::PutOutcome> PutIfAbsent(const std::string& path,
                                       const arrow::Buffer& content) override;
  Result<std::vector<lake::ObjectEntry>> List(const std::string& prefix,
                                              const std::string& after) override;
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override;
  Status Delete(const std::string& path) override;
  Result<int64_t> Now() override;
  // Unfinished writes are lost with their writer.
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds) override { return 0; }
  std::string Describe() const override { return "memory"; }
  // Moves the server's clock further ahead of the wall clock.
  void AdvanceClock(std::chrono::milliseconds by);

 private:
  struct Object {
    std::shared_ptr<arrow::Buffer> content;
    int64_t modified_ms = 0;
  };

  class Output;

  std::mutex mutex_;
  int64_t clock_offset_ms_ = 0;
  std::map<std::string, Object> objects_;
};

}  // namespace shopstream::simulate
