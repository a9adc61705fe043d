#include "backup/copy.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/runtime.h"
#include "base/sha256.h"

namespace shopstream::backup {
namespace {

// Objects up to this size are put in one request.
constexpr int64_t kPieceBytes = int64_t{8} << 20;

Status CheckSize(const CopyJob& job, int64_t found, const lake::ObjectStore& from) {
  if (job.bytes < 0 || job.bytes == found) return Status::OK();
  return Corrupt(job.from, " in ", from.Describe(), " is damaged: it has ", FormatCount(found),
                 " bytes, expected ", FormatCount(job.bytes));
}

Status CheckHash(const CopyJob& job, const std::string& found, const lake::ObjectStore& from) {
  if (job.sha256.empty() || job.sha256 == found) return Status::OK();
  return Corrupt(job.from, " in ", from.Describe(), " is damaged: its SHA-256 is ", found,
                 ", expected ", job.sha256);
}

Result<std::string> CopySmall(const CopyJob& job, arrow::io::RandomAccessFile* input, int64_t size,
                              const lake::ObjectStore& from, lake::ObjectStore* to) {
  ARROW_ASSIGN_OR_RAISE(const auto content, input->ReadAt(0, size));
  ARROW_RETURN_NOT_OK(CheckSize(job, content->size(), from));
  std::string hash = FormatHex(Sha256(std::string_view(*content)));
  ARROW_RETURN_NOT_OK(CheckHash(job, hash, from));
  if (!job.to.empty()) ARROW_RETURN_NOT_OK(to->Put(job.to, *content));
  return hash;
}

Result<std::string> CopyLarge(const CopyJob& job, arrow::io::RandomAccessFile* input, int64_t size,
                              const lake::ObjectStore& from, lake::ObjectStore* to) {
  std::shared_ptr<arrow::io::OutputStream> output;
  if (!job.to.empty()) {
    ARROW_ASSIGN_OR_RAISE(output, to->OpenOutput(job.to));
  }
  Sha256Stream hash;
  for (int64_t at = 0; at < size;) {
    ARROW_ASSIGN_OR_RAISE(const auto piece, input->ReadAt(at, std::min(kPieceBytes, size - at)));
    if (piece->size() == 0) return CheckSize(job, at, from);
    hash.Add(std::string_view(*piece));
    if (output != nullptr) ARROW_RETURN_NOT_OK(output->Write(piece));
    at += piece->size();
  }
  std::string hex = FormatHex(hash.Finish());
  ARROW_RETURN_NOT_OK(CheckHash(job, hex, from));
  if (output != nullptr) ARROW_RETURN_NOT_OK(output->Close());
  return hex;
}

Result<std::string> Copy(const CopyJob& job, lake::ObjectStore* from, lake::ObjectStore* to) {
  ARROW_ASSIGN_OR_RAISE(const auto input, from->OpenInput(job.from));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, input->GetSize());
  ARROW_RETURN_NOT_OK(CheckSize(job, size, *from));
  return size <= kPieceBytes ? CopySmall(job, input.get(), size, *from, to)
                             : CopyLarge(job, input.get(), size, *from, to);
}

// The jobs, handed out to threads.
class Queue {
 public:
  Queue(lake::ObjectStore* from, lake::ObjectStore* to, const std::vector<CopyJob>& jobs,
        const CopyOptions& options)
      : from_(from), to_(to), jobs_(jobs), options_(options) {
    done_.of_files = static_cast<int64_t>(jobs.size());
    for (const CopyJob& job : jobs) done_.of_bytes += std::max<int64_t>(job.bytes, 0);
  }

  Status Run() {
    const int threads = std::clamp<int>(options_.threads, 1, std::max<int>(1, jobs_.size()));
    std::vector<Thread> working;
    running_ = threads;
    for (int i = 0; i < threads; ++i) working.emplace_back([this] { Work(); });
    Watch();
    for (Thread& thread : working) thread.join();
    return failure_;
  }

 private:
  void Watch() {
    std::unique_lock lock(mutex_);
    while (!changed_.WaitFor(&lock, Millis{200}, [this] { return running_ == 0; })) {
      if (failure_.ok() && options_.stop && options_.stop())
        failure_ = Status::Cancelled("stopped");
      if (!options_.on_progress) continue;
      const CopyProgress progress = done_;
      lock.unlock();
      options_.on_progress(progress);
      lock.lock();
    }
  }

  void Work() {
    for (;;) {
      size_t job = 0;
      {
        const std::lock_guard lock(mutex_);
        if (!failure_.ok() || next_ == jobs_.size()) break;
        job = next_++;
      }
      const Result<std::string> hash = Copy(jobs_[job], from_, to_);
      const std::lock_guard lock(mutex_);
      Note(job, hash);
    }
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.NotifyAll();
  }

  // With mutex_.
  void Note(size_t job, const Result<std::string>& hash) {
    if (!hash.ok()) {
      const Status kept =
          options_.on_failed ? options_.on_failed(job, hash.status()) : hash.status();
      if (failure_.ok()) failure_ = kept;
    } else if (options_.on_done) {
      options_.on_done(job, *hash);
    }
    ++done_.files;
    done_.bytes += std::max<int64_t>(jobs_[job].bytes, 0);
  }

  lake::ObjectStore* const from_;
  lake::ObjectStore* const to_;
  const std::vector<CopyJob>& jobs_;
  const CopyOptions& options_;
  std::mutex mutex_;
  Signal changed_;
  // All by mutex_.
  size_t next_ = 0;
  int running_ = 0;
  CopyProgress done_;
  Status failure_;
};

}  // namespace

Status CopyAll(lake::ObjectStore* from, lake::ObjectStore* to, const std::vector<CopyJob>& jobs,
               const CopyOptions& options) {
  if (jobs.empty()) return Status::OK();
  return Queue(from, to, jobs, options).Run();
}

}  // namespace shopstream::backup
