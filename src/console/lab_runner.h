#pragma once

#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "console/child_process.h"

namespace shopstream::console {

// The program of console.labs_command, which answers `--json ...` with one JSON object
// (labs/runner/answers.py). At most one read, one look and one act run at the same time.
// Thread-safe.
class LabRunner {
 public:
  struct Limits {
    Millis read_turn{5'000};  // How long a read waits for the one before it.
    Millis read{20'000};
    Millis act{600'000};       // A check may run the student's programs several times.
    Millis act_grace{30'000};  // So that an act that is stopped can clean up.
  };

  explicit LabRunner(std::vector<std::string> command) : LabRunner(std::move(command), Limits()) {}
  LabRunner(std::vector<std::string> command, Limits limits)
      : command_(std::move(command)), limits_(limits) {}

  bool exists() const { return !command_.empty(); }

  // All need exists(). An error of the program has its kind and message. Unavailable: another one
  // is running, it took too long, or it failed.
  Result<nlohmann::ordered_json> Read(const std::vector<std::string>& words);
  // A read that takes long while brokers do not answer, and that pages repeat: it waits for no
  // other, and no other read waits for it.
  Result<nlohmann::ordered_json> Look(const std::vector<std::string>& words);
  Result<nlohmann::ordered_json> Act(const std::vector<std::string>& words);

 private:
  Result<nlohmann::ordered_json> Ask(const std::vector<std::string>& words,
                                     const ChildLimits& limits) const;

  const std::vector<std::string> command_;
  const Limits limits_;
  std::timed_mutex reads_;  // Each is held while one runs.
  std::mutex looks_, acts_;
};

}  // namespace shopstream::console
