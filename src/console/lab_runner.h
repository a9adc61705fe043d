#pragma once

#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream::console {

// The program of console.labs_command, which answers `--json ...` with one JSON object
// (labs/runner/answers.py). At most one read and one act run at the same time. Thread-safe.
class LabRunner {
 public:
  struct Limits {
    Millis read_turn{5'000};  // How long a read waits for the one before it.
    Millis read{20'000};
    Millis act{180'000};  // A check may run the student's programs several times.
  };

  explicit LabRunner(std::vector<std::string> command) : LabRunner(std::move(command), Limits()) {}
  LabRunner(std::vector<std::string> command, Limits limits)
      : command_(std::move(command)), limits_(limits) {}

  bool exists() const { return !command_.empty(); }

  // Both need exists(). An error of the program has its kind and message. Unavailable: others are
  // in its way, it took too long, or it failed.
  Result<nlohmann::ordered_json> Read(const std::vector<std::string>& words);
  Result<nlohmann::ordered_json> Act(const std::vector<std::string>& words);

 private:
  Result<nlohmann::ordered_json> Ask(const std::vector<std::string>& words, Millis limit) const;

  const std::vector<std::string> command_;
  const Limits limits_;
  std::timed_mutex reads_, acts_;  // Held while one runs.
};

}  // namespace shopstream::console
