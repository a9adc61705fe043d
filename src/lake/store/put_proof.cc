#include "lake/store/put_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/log.h"
#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

constexpr char kObjectName[] = "/.put-if-absent-";
// At a round trip of 1 s the races take 20 s. A slower store is judged by fewer of them.
constexpr Millis kLongestRace{30'000};
// Number of names raced at the same time, since a service may make the losers of one wait for each
// other (MinIO: 0.1 s).
constexpr int kLanes = 4;
// Lost replies prove nothing, so enough races must have a clear result.
constexpr int kLeastProven = kProofNames / 2;
// A proof takes a minute at most: objects this much older than ours are from a killed one.
constexpr int64_t kLeftOverAfterMillis = 3'600'000;

constexpr char kWhatNext[] =
    "Two writers would lose each other's commits, so nothing is written. Use a store that honours "
    "it (docs/lake.md lists those that passed), or repair the proxy in between";

// The outcome of one race for a name.
struct Race {
  std::array<std::optional<PutOutcome>, kProofWriters> replies;  // Nothing: none came.
  bool read = false;                                             // Whether `content` is known.
  std::optional<std::string> content;                            // Nothing: no object is there.
};

std::string Content(int name, int writer) { return fmt::format("name {} writer {}", name, writer); }

enum class Verdict { kProven, kUnclear, kBroken };

struct Judgement {
  Verdict verdict = Verdict::kUnclear;
  std::string fault = {};  // Describes a broken one.
};

Judgement Judge(const Race& race, int name) {
  const auto told = [&](PutOutcome outcome) {
    return std::count(race.replies.begin(), race.replies.end(), outcome);
  };
  const auto winners = told(PutOutcome::kCreated);
  if (winners > 1) {
    return {Verdict::kBroken, fmt::format("{} of {} concurrent conditional puts of one name "
                                          "reported that they had created it",
                                          winners, kProofWriters)};
  }
  // Without a winner, its reply was lost, or its retry found its own first attempt's object.
  if (winners == 0 || !race.read) return {};
  const auto winner = std::find(race.replies.begin(), race.replies.end(), PutOutcome::kCreated);
  if (race.content != Content(name, static_cast<int>(winner - race.replies.begin()))) {
    return {Verdict::kBroken,
            "after concurrent conditional puts of one name, it does "
            "not have the content of the only successful one"};
  }
  return {told(PutOutcome::kExists) > 0 ? Verdict::kProven : Verdict::kUnclear};
}

class Proof {
 public:
  Proof(ObjectStore* store, const std::string& folder)
      : store_(store), folder_(folder + kObjectName), prefix_(folder_ + NewUuid() + "-") {}

  Status Run() {
    Status status = ProveOneAfterTheOther();
    if (status.ok()) status = RaceForAll();
    if (status.ok()) status = ReadAll();
    if (status.ok()) status = JudgeAll();
    CleanUp();
    return status;
  }

 private:
  std::string Path(int name) const { return fmt::format("{}race-{:02}", prefix_, name); }

  Status Broken(const std::string& fault) const {
    return Status::Invalid(store_->Describe(), ": this store ignores `If-None-Match: *`: ", fault,
                           ". ", kWhatNext);
  }

  // Finds most faults, including missing permissions, with two requests.
  Status ProveOneAfterTheOther() {
    const std::string path = prefix_ + "single";
    const auto first = arrow::Buffer::FromString("1");
    const auto second = arrow::Buffer::FromString("2");
    // The name is new: after a lost reply, an existing object is this call's too.
    ARROW_RETURN_NOT_OK(store_->PutIfAbsent(path, *first).status());
    ARROW_ASSIGN_OR_RAISE(const PutOutcome again, store_->PutIfAbsent(path, *second));
    if (again == PutOutcome::kExists) return Status::OK();
    return Broken("it let a conditional put replace an existing object");
  }

  // Runs job(0) ... job(count - 1), each in its own thread; `absent` for those that cannot start.
  static Status InThreads(
      int count, const std::function<void(int)>& job,
      const std::function<void(int)>& absent = [](int) {}) {
    std::vector<std::thread> threads;
    threads.reserve(count);
    Status status;
    for (int number = 0; number < count; ++number) {
      try {
        threads.emplace_back(job, number);
      } catch (const std::system_error& error) {
        status = Unavailable("cannot start a thread: ", error.what());
        absent(number);
      }
    }
    for (std::thread& thread : threads) thread.join();
    return status;
  }

  Status RaceForAll() {
    deadline_ = BootClock::now() + kLongestRace;
    std::deque<std::barrier<>> starts;  // Nobody starts a name before its whole lane does.
    for (int lane = 0; lane < kLanes; ++lane) starts.emplace_back(kProofWriters);
    return InThreads(
        kLanes * kProofWriters,
        [&](int number) {
          const int lane = number / kProofWriters;
          PutAll(lane, number % kProofWriters, &starts[lane]);
        },
        [&](int number) { starts[number / kProofWriters].arrive_and_drop(); });
  }

  void PutAll(int lane, int writer, std::barrier<>* start) {
    for (int name = lane; name < kProofNames; name += kLanes) {
      start->arrive_and_wait();
      if (decided_ || BootClock::now() > deadline_) break;
      const auto content = arrow::Buffer::FromString(Content(name, writer));
      const auto outcome = store_->PutIfAbsent(Path(name), *content);
      if (!outcome.ok()) {
        Keep(outcome.status());
        continue;
      }
      races_[name].replies[writer] = *outcome;
      if (*outcome == PutOutcome::kCreated && ++winners_[name] > 1) decided_ = true;
    }
    start->arrive_and_drop();
  }

  Status ReadAll() {
    return InThreads(kProofWriters, [this](int number) {
      for (int name = number; name < kProofNames; name += kProofWriters) {
        const auto content = store_->Get(Path(name));
        races_[name].read = content.ok();
        if (!content.ok()) {
          Keep(content.status());
        } else if (*content != nullptr) {
          races_[name].content = (*content)->ToString();
        }
      }
    });
  }

  Status JudgeAll() const {
    int proven = 0;
    for (int name = 0; name < kProofNames; ++name) {
      const Judgement judgement = Judge(races_[name], name);
      if (judgement.verdict == Verdict::kBroken) return Broken(judgement.fault);
      proven += judgement.verdict == Verdict::kProven;
    }
    if (proven >= kLeastProven) return Status::OK();
    return Unavailable(store_->Describe(),
                       ": whether this store honours `If-None-Match: *` is unknown: only ", proven,
                       " of ", kProofNames, " races had a clear result within ",
                       kLongestRace.count() / 1000, " s",
                       trouble_.ok() ? "" : "; the last reply that failed: " + trouble_.message());
  }

  // Deletes our objects, and those of a killed proof. A later proof deletes leftovers of a failure.
  void CleanUp() {
    const auto entries = store_->List(folder_);
    if (!entries.ok()) {
      Log::Warn("{}* is left over: {}", prefix_, entries.status().message());
      return;
    }
    int64_t now_ms = 0;  // By the server's clock: of our newest object.
    for (const ObjectEntry& entry : *entries) {
      if (entry.path.starts_with(prefix_)) now_ms = std::max(now_ms, entry.modified_ms);
    }
    std::vector<std::string> doomed;
    for (const ObjectEntry& entry : *entries) {
      if (entry.path.starts_with(prefix_) || entry.modified_ms < now_ms - kLeftOverAfterMillis) {
        doomed.push_back(entry.path);
      }
    }
    std::atomic<size_t> next = 0;
    std::atomic<bool> left = false;
    const Status started = InThreads(kProofWriters, [&](int) {
      for (size_t i = next++; i < doomed.size() && !left; i = next++) {
        const Status removed = store_->Delete(doomed[i]);
        if (removed.ok()) continue;
        Keep(removed);
        left = true;  // The next one would wait as long.
      }
    });
    if (!started.ok()) Keep(started);
    if (left || !started.ok()) Log::Warn("{}* is left over: {}", prefix_, trouble_.message());
  }

  void Keep(const Status& status) {
    const std::lock_guard lock(mutex_);
    trouble_ = status;
  }

  ObjectStore* const store_;
  const std::string folder_;
  const std::string prefix_;
  BootClock::time_point deadline_;
  std::atomic<bool> decided_ = false;  // Two won: the rest of the races cannot change that.
  std::array<std::atomic<int>, kProofNames> winners_ = {};
  std::array<Race, kProofNames> races_;  // Each reply is written by one thread.
  std::mutex mutex_;
  Status trouble_;  // Guarded by mutex_ while threads run.
};

}  // namespace

Status RacePutIfAbsent(ObjectStore* store, const std::string& folder) {
  return Proof(store, folder).Run();
}

Status ProvePutIfAbsent(ObjectStore* store, const std::string& folder) {
  if (!store->IsRemote() || store->put_if_absent_proven_) return Status::OK();
  ARROW_RETURN_NOT_OK(RacePutIfAbsent(store, folder));
  store->put_if_absent_proven_ = true;
  return Status::OK();
}

}  // namespace shopstream::lake
