#include "backup/turn.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"

namespace shopstream::backup {
namespace {

using nlohmann::json;

constexpr char kRunningFolder[] = "running/";
constexpr Millis kWriteEvery{30'000};
constexpr int64_t kDeadAfterMs = 300'000;

const char* NameOfJob(Job job) {
  switch (job) {
    case Job::kCreate:
      return "create";
    case Job::kRestore:
      return "restore";
    case Job::kPrune:
      break;
  }
  return "prune";
}

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// When a process of this host started, in ticks since boot; empty: there is none with this number.
std::string StartOf(int64_t pid) {
  const std::string stat = FileText("/proc/" + std::to_string(pid) + "/stat");
  // The 22nd field; the second, in brackets, may contain spaces.
  std::istringstream rest(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  return stat.empty() ? std::string() : field;
}

// Where process numbers are the same as here: this boot of this host, and this container.
std::string ProcessSpace() {
  std::error_code ignored;
  const auto space = std::filesystem::read_symlink("/proc/self/ns/pid", ignored);
  return FileText("/proc/sys/kernel/random/boot_id") + " " + space.string();
}

std::string Own(Job job) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return json{{"job", NameOfJob(job)},
              {"host", host.data()},
              {"pid", getpid()},
              {"space", ProcessSpace()},
              {"start", StartOf(getpid())}}
      .dump();
}

// Whether the job is gone. A process of this host may have slept: its number decides, not the age.
bool IsDead(const json& other, int64_t age_ms) {
  if (!other.is_object() || other.value("space", "") != ProcessSpace())
    return age_ms > kDeadAfterMs;
  return StartOf(other.value("pid", int64_t{0})) != other.value("start", "");
}

}  // namespace

Turn::Turn(lake::ObjectStore* place, std::string path) : place_(place), path_(std::move(path)) {}

Result<std::unique_ptr<Turn>> Turn::Begin(lake::ObjectStore* place, Job job,
                                          const std::string& id) {
  std::unique_ptr<Turn> turn(
      new Turn(place, std::string(kRunningFolder) + NameOfJob(job) + "-" + id + ".json"));
  const std::string own = Own(job);
  turn->last_written_ = BootClock::now();
  const Status written = place->Put(turn->path_, *arrow::Buffer::FromString(own));
  if (!written.ok() && job == Job::kRestore && KindOf(written) == ErrorKind::kRefused) {
    Log::Warn("{} cannot be written: do not prune it during this restore", place->Describe());
    return std::unique_ptr<Turn>(new Turn(place, ""));
  }
  ARROW_RETURN_NOT_OK(written);
  // Looks only after its own object is there: of two that begin together, at least one sees the
  // other.
  ARROW_RETURN_NOT_OK(turn->CheckOthers(job));
  turn->alive_ = Thread([raw = turn.get(), own] {
    while (!raw->stop_.WaitFor(kWriteEvery)) {
      const BootClock::time_point now = BootClock::now();
      const Status again = raw->place_->Put(raw->path_, *arrow::Buffer::FromString(own));
      if (!again.ok()) {
        Log::Warn("{}", again.message());
      } else if (raw->Check().ok()) {
        raw->last_written_ = now;  // A turn that was lost stays lost.
      }
    }
  });
  return turn;
}

Status Turn::Check() const {
  if (path_.empty() || BootClock::now() - last_written_.load() <= Millis{kDeadAfterMs / 2}) {
    return Status::OK();
  }
  return Refused("this job has lost its turn in ", place_->Describe(), ": it was suspended, or ",
                 path_, " could not be written, so another job may have begun. Run it again");
}

Status Turn::CheckOthers(Job job) const {
  ARROW_ASSIGN_OR_RAISE(const auto objects, place_->List(kRunningFolder));
  ARROW_ASSIGN_OR_RAISE(const int64_t now_ms, place_->Now());
  for (const lake::ObjectEntry& object : objects) {
    if (object.path == path_) continue;
    ARROW_ASSIGN_OR_RAISE(const auto text, place_->Get(object.path));
    if (text == nullptr) continue;
    const json other = ParseJson(std::string_view(*text));
    if (IsDead(other, now_ms - object.modified_ms)) {
      ARROW_RETURN_NOT_OK(place_->Delete(object.path));
      continue;
    }
    const std::string name = other.is_object() ? other.value("job", "job") : "job";
    if (job != Job::kPrune && name != NameOfJob(Job::kPrune)) continue;
    return Refused("a backup ", name, " is at work in ", place_->Describe(), " on host ",
                   other.is_object() ? other.value("host", "?") : "?", ", process ",
                   other.is_object() ? other.value("pid", int64_t{0}) : 0,
                   ": wait until it is done. If it was killed there, wait 5 minutes, or delete ",
                   object.path);
  }
  return Status::OK();
}

Turn::~Turn() {
  stop_.Request();
  if (alive_.joinable()) alive_.join();
  if (path_.empty()) return;
  const Status removed = place_->Delete(path_);
  if (!removed.ok()) Log::Warn("{}", removed.message());
}

}  // namespace shopstream::backup
