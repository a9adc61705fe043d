#include "console/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::console {
namespace {

constexpr int kTickMs = 50;
constexpr size_t kMostAtOnce =
    1 << 20;  // Bytes, so that a child that always writes can be stopped.

// An open file of this process.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Close();
    number_ = std::exchange(other.number_, -1);
    return *this;
  }
  ~Descriptor() { Close(); }

  int number() const { return number_; }  // -1: it is closed.
  void Close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read, write;

  static Result<Pipe> Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return Unavailable("cannot open a pipe: ", std::strerror(errno));
    }
    Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return pipe;
  }
};

// How a child starts: files 0 to 2 and no others, a process group of its own, and the usual
// signals, whatever this process does with them.
class SpawnPlan {
 public:
  SpawnPlan(int out, int err) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&usual, number);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  Result<pid_t> Start(const std::vector<std::string>& words) const {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, arguments[0], &files_, &attributes_, arguments.data(), environ);
    if (error != 0) return Status::Invalid("cannot run ", words[0], ": ", std::strerror(error));
    return pid;
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

class RunningChild {
 public:
  static Result<std::unique_ptr<RunningChild>> Start(const std::vector<std::string>& words) {
    ARROW_ASSIGN_OR_RAISE(Pipe out, Pipe::Open());
    ARROW_ASSIGN_OR_RAISE(Pipe err, Pipe::Open());
    const SpawnPlan plan(out.write.number(), err.write.number());
    ARROW_ASSIGN_OR_RAISE(const pid_t pid, plan.Start(words));
    return std::unique_ptr<RunningChild>(
        new RunningChild(pid, std::move(out.read), std::move(err.read)));
  }
  ~RunningChild() { Stop(Millis{0}); }
  RunningChild(const RunningChild&) = delete;
  RunningChild& operator=(const RunningChild&) = delete;

  bool Runs() {
    int status = 0;
    if (!exit_code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return !exit_code_.has_value();
  }

  // Waits until it writes, at most `wait_ms`, and keeps what it has written.
  void Read(int wait_ms) {
    pollfd polled[] = {{out_.number(), POLLIN, 0}, {err_.number(), POLLIN, 0}};
    if (::poll(polled, 2, wait_ms) <= 0) return;
    if (polled[0].revents != 0) Take(&out_, &output_.out);
    if (polled[1].revents != 0) Take(&err_, &output_.err);
  }

  // With all processes of its group.
  void Stop(Millis grace) {
    if (!Runs()) return;
    ::kill(-pid_, SIGINT);
    const auto deadline = BootClock::now() + grace;
    while (Runs() && BootClock::now() < deadline) {
      Read(kTickMs);  // So that it can end: a full pipe would hold it.
      output_ = {};
    }
    ::kill(-pid_, SIGKILL);
    if (!exit_code_) ::waitpid(pid_, nullptr, 0);
    exit_code_ = 128 + SIGKILL;
  }

  size_t written() const { return output_.out.size() + output_.err.size(); }

  // Once it does not run. What it started may still hold the pipes, so this waits for nothing.
  ChildOutput Finish() {
    Read(0);
    output_.exit_code = exit_code_.value_or(0);
    return std::move(output_);
  }

 private:
  RunningChild(pid_t pid, Descriptor out, Descriptor err)
      : pid_(pid), out_(std::move(out)), err_(std::move(err)) {}

  // What is there, about kMostAtOnce at most; closes it at its end.
  static void Take(Descriptor* from, std::string* to) {
    char bytes[16 << 10];
    for (size_t taken = 0; taken < kMostAtOnce;) {
      const ssize_t count = ::read(from->number(), bytes, sizeof bytes);
      if (count == 0) from->Close();
      if (count <= 0) return;
      to->append(bytes, static_cast<size_t>(count));
      taken += static_cast<size_t>(count);
    }
  }

  const pid_t pid_;
  Descriptor out_, err_;
  ChildOutput output_;
  std::optional<int> exit_code_;  // Nothing: it runs.
};

}  // namespace

Result<ChildOutput> RunChild(const std::vector<std::string>& words, const ChildLimits& limits,
                             const std::function<bool()>& stop) {
  ARROW_ASSIGN_OR_RAISE(const auto child, RunningChild::Start(words));
  const auto deadline = BootClock::now() + limits.time;
  while (child->Runs()) {
    child->Read(kTickMs);
    Status problem;
    if (child->written() > limits.output_bytes) {
      problem = Corrupt(words[0], " wrote more than ", limits.output_bytes, " bytes");
    } else if (stop()) {
      problem = Unavailable(words[0], " was stopped");
    } else if (BootClock::now() >= deadline) {
      problem =
          Unavailable(words[0], " was stopped: it took longer than ", limits.time.count(), " ms");
    }
    if (!problem.ok()) {
      child->Stop(limits.grace);
      return problem;
    }
  }
  return child->Finish();
}

}  // namespace shopstream::console
