#include "console/lab_runner.h"

#include "base/error_kind.h"
#include "base/json.h"
#include "base/shutdown.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostReason = 500;  // Bytes of the program's last words.

// The reason of a failure without JSON: the end of its output.
Status FailureOf(const ChildOutput& output) {
  std::string reason = output.err.empty() ? output.out : output.err;
  while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  if (reason.size() > kMostReason) reason = "..." + reason.substr(reason.size() - kMostReason);
  return Unavailable("the labs' runner failed with exit code ", output.exit_code, ": ", reason);
}

Status ErrorOf(const ordered_json& error) {
  const std::string message = error.value("message", "unknown");
  return error.value("kind", "") == "unavailable" ? Unavailable(message) : Status::Invalid(message);
}

}  // namespace

Result<ordered_json> LabRunner::Ask(const std::vector<std::string>& words,
                                    const ChildLimits& limits) const {
  std::vector<std::string> all = command_;
  all.emplace_back("--json");
  all.insert(all.end(), words.begin(), words.end());
  ARROW_ASSIGN_OR_RAISE(const ChildOutput output,
                        RunChild(all, limits, [] { return ShutdownRequested(); }));
  ordered_json answer = ParseOrderedJson(output.out);
  if (!answer.is_object()) return FailureOf(output);
  const auto error = answer.find("error");
  if (error != answer.end() && error->is_object()) return ErrorOf(*error);
  if (output.exit_code != 0) return FailureOf(output);
  return answer;
}

Result<ordered_json> LabRunner::Read(const std::vector<std::string>& words) {
  const std::unique_lock turn(reads_, limits_.read_turn);
  if (!turn.owns_lock()) return Unavailable("others are reading labs now; try again");
  return Ask(words, {.time = limits_.read});
}

Result<ordered_json> LabRunner::Look(const std::vector<std::string>& words) {
  const std::unique_lock turn(looks_, std::try_to_lock);
  if (!turn.owns_lock()) return Unavailable("others are looking at a lab now; try again");
  return Ask(words, {.time = limits_.read});
}

Result<ordered_json> LabRunner::Act(const std::vector<std::string>& words) {
  const std::unique_lock turn(acts_, std::try_to_lock);
  if (!turn.owns_lock()) {
    return Unavailable("a lab is being started, checked or deleted now; try again once it is done");
  }
  return Ask(words, {.time = limits_.act, .grace = limits_.act_grace});
}

}  // namespace shopstream::console
