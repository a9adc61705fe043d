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

// What became of one cut. The cut comes back without its rows.
struct CutReport {
  Cut cut;
  Result<CommittedCut> result = CommittedCut{};
  BootClock::time_point finished_at;
};

// Commits cuts in order on a thread of its own, from construction to destruction.
class CutWriter {
 public:
  // One being written and one waiting: enough to keep both threads busy, and no more memory.
  static constexpr size_t kMaxInFlight = 2;

  explicit CutWriter(CutCommitter* committer);
  ~CutWriter();  // Abandons what is in flight.

  // Takes the cut over. The caller has seen has_room() since its last Submit.
  void Submit(Cut cut);
  bool has_room() const;
  bool idle() const;
  // Waits for a report, up to `timeout`.
  void WaitForReport(Millis timeout);
  std::vector<CutReport> TakeReports();
  int64_t bytes_in_flight() const { return bytes_in_flight_; }

  // Cuts of epochs before `epoch` are not begun any more, and the one at work ends at its next
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
  std::deque<Cut> queue_;  // Guarded by mutex_, as all below.
  size_t in_flight_ = 0;   // Queued or at work.
  std::vector<CutReport> reports_;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace shopstream::ingest
