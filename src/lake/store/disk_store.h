#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "lake/store/object_store.h"

namespace shopstream::lake {

// Objects as files under one folder. An object is written to a new file in <root>/.tmp, flushed,
// and then given its final name in one step (rename, or link if the name must be new); then the
// folder is flushed too. So a reader, or a machine after a power loss, sees the whole object or
// none. The root must be on a single file system that has hard links.
class DiskStore : public ObjectStore {
 public:
  // Creates the root if absent, and removes temporary files of dead writers in <root>/.tmp.
  // `described_as` is returned by Describe().
  static Result<std::unique_ptr<ObjectStore>> Open(const std::string& root,
                                                   const std::string& described_as);

  Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override;
  Status Put(const std::string& path, const arrow::Buffer& content) override;
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override;
  Result<PutOutcome> PutIfAbsent(const std::string& path, const arrow::Buffer& content) override;
  Result<std::vector<ObjectEntry>> List(const std::string& prefix,
                                        const std::string& after) override;
  Result<std::vector<std::string>> ListFolders(const std::string& folder) override;
  Status Delete(const std::string& path) override;
  Result<int64_t> Now() override;
  Result<int64_t> RemoveAbandonedWrites(std::chrono::milliseconds min_age) override;
  std::string Describe() const override { return described_as_; }
  // The file system flushes together what waits for it.
  int ParallelPuts() const override;

 private:
  class TemporaryFile;
  class Output;

  DiskStore(std::string root, std::string described_as)
      : root_(std::move(root)), described_as_(std::move(described_as)) {}

  std::string FullPath(const std::string& path) const { return root_ + "/" + path; }
  // Creates the folder and its parents, each flushed into its own parent before the next.
  Status MakeFolder(const std::string& full_path);
  void ForgetFolder(const std::string& full_path);
  Result<std::unique_ptr<TemporaryFile>> CreateTemporary();
  // Writes the content to a temporary file and flushes it.
  Result<std::unique_ptr<TemporaryFile>> WriteTemporary(const arrow::Buffer& content);
  // Gives the temporary file its final name; recreates the folder if someone removed it.
  Result<PutOutcome> Publish(TemporaryFile* file, const std::string& path, bool replace);

  const std::string root_;  // Absolute, without a trailing '/'.
  const std::string described_as_;
  std::mutex mutex_;
  std::unordered_set<std::string> durable_folders_;  // Known to survive a power loss.
};

}  // namespace shopstream::lake
