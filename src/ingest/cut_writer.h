#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/runtime.h"
#include "base/status.h"
#include "ingest/cut.h"
#include "ingest/cut_committer.h"

namespace shopstream::ingest {

// The outcome of one cut. The cut is returned without its rows.
struct CutReport {
  Cut cut;
  Result<CommittedCut> result = CommittedCut{};
  BootClock::time_point finished_at;
};

// Commits cuts in order on its own thread, from construction to destruction.
class CutWriter {
 public:
  // One being written and one waiting: enough to keep both threads busy with the least memory.
  static constexpr size_t kMaxInFlight = 2;

  explicit CutWriter(CutCommitter* committer);
  ~CutWriter();  // Abandons cuts in flight.

  // Takes ownership of the cut. Call it only if has_room() since the last Submit.
  void Submit(Cut cut);
  bool has_room() const;
  bool idle() const;
  // Waits for a report, up to `timeout`.
  void WaitForReport(Millis timeout);
  std::vector<CutReport> TakeReports();
  int64_t bytes_in_flight() const { return bytes_in_flight_; }

  // Cuts of epochs before `epoch` are no longer started, and the current one stops at its next
  // step. They are reported as abandoned.
  void AbandonBefore(int64_t epoch);

 private:
  void Run();
  CutReport Process(Cut cut);

  CutCommitter* committer_;
  std::atomic<int64_t> first_valid_epoch_ = 0;
  std::atomic<int64_t> bytes_in_flight_ = 0;
  mutable std::mutex mutex_;
  Signal work_, reported_;
  std::deque<Cut> queue_;  // Guarded by mutex_, like all below.
  size_t in_flight_ = 0;   // Queued or being written.
  std::vector<CutReport> reports_;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace shopstream::ingest
