#include "ingest/cut_writer.h"

#include <limits>
#include <utility>

namespace shopstream::ingest {

CutWriter::CutWriter(CutCommitter* committer) : committer_(committer), thread_([this] { Run(); }) {}

CutWriter::~CutWriter() {
  AbandonBefore(std::numeric_limits<int64_t>::max());
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyAll();
  thread_.join();
}

void CutWriter::Submit(Cut cut) {
  bytes_in_flight_ += cut.bytes;
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(cut));
    ++in_flight_;
  }
  work_.NotifyAll();
}

bool CutWriter::has_room() const {
  std::lock_guard lock(mutex_);
  return in_flight_ < kMaxInFlight;
}

bool CutWriter::idle() const {
  std::lock_guard lock(mutex_);
  return in_flight_ == 0;
}

void CutWriter::WaitForReport(Millis timeout) {
  std::unique_lock lock(mutex_);
  reported_.WaitFor(&lock, timeout, [this] { return !reports_.empty(); });
}

std::vector<CutReport> CutWriter::TakeReports() {
  std::lock_guard lock(mutex_);
  return std::exchange(reports_, {});
}

void CutWriter::AbandonBefore(int64_t epoch) { first_valid_epoch_ = epoch; }

CutReport CutWriter::Process(Cut cut) {
  const std::function<bool()> abandoned = [this, epoch = cut.epoch] {
    return epoch < first_valid_epoch_;
  };
  CutReport report;
  report.result = committer_->Commit(cut, abandoned);
  report.finished_at = BootClock::now();
  cut.bronze.rows.reset();
  for (TableRows& side : cut.sides) side.rows.reset();
  bytes_in_flight_ -= cut.bytes;
  report.cut = std::move(cut);
  return report;
}

void CutWriter::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.Wait(&lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Cut cut = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    CutReport report = Process(std::move(cut));
    lock.lock();
    reports_.push_back(std::move(report));
    --in_flight_;
    reported_.NotifyAll();
  }
}

}  // namespace shopstream::ingest
