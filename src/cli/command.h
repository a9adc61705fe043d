#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/config.h"
#include "base/status.h"

// Commands and their options as tables; only command_line.cc knows the parser behind them.
namespace shopstream::cli {

// Exit codes of every command.
enum ExitCode {
  kDone = 0,
  kFailed = 1,
  kWrongUsage = 2,
  kDifferenceFound = 3,  // A check found a difference, or something is missing.
  kInterrupted = 130,    // By SIGINT or SIGTERM, before the work was done.
};

struct Context {
  Config config;
  bool json = false;
};

using Job = std::function<Result<int>(const Context&)>;

// Parses the text of a value and stores it; Invalid explains what is wrong with the text.
using ParseText = std::function<Status(const std::string&)>;

// Where the value of an option goes. bool: a flag without a value. vector: repeatable, one value
// per occurrence. optional: stays empty if the option is not given. Lives as long as the command.
using Target =
    std::variant<bool*, int*, int64_t*, size_t*, double*, std::string*, std::vector<std::string>*,
                 std::optional<uint64_t>*, std::optional<std::string>*, ParseText>;

struct Bounds {
  int64_t least;
  int64_t most = std::numeric_limits<int64_t>::max();  // The default: no upper bound.
};

struct Option {
  const char* name;  // "--limit", "-n,--max", or "TOPIC" for a positional argument.
  Target target;
  const char* meaning = "";
  const char* value = nullptr;  // Placeholder for the value in help. Null: its type.
  bool required = false;
  bool show_default = false;  // In help; the default is what the target holds.
  std::optional<Bounds> bounds{};
  // Returns the error in an invalid text, or "".
  std::string (*check)(const std::string& text) = nullptr;
  const char* excludes = nullptr;  // Name of an earlier option that must not be given as well.
};

// A command runs, or has subcommands, or both. One that does not run needs one of its subcommands.
struct Command {
  const char* name;
  const char* meaning;
  std::vector<Option> options{};
  Job run{};
  std::vector<Command> commands{};
  // Checks the options together, before anything runs. Null: no check.
  std::function<Status()> check{};
  bool serves_metrics = false;  // On metrics.listen, while it runs.
  bool service = false;         // Runs until it is stopped, so programs read its log.
  const bool* quiet = nullptr;  // A flag with which it serves none; null: there is no such flag.
  bool hidden = false;          // Left out of help, completion and the manual.
};

// The job that calls `run` with the flags filled from the command's options.
template <typename Flags>
Job Running(std::shared_ptr<Flags> flags, Result<int> (*run)(const Context&, const Flags&)) {
  return [flags = std::move(flags), run](const Context& context) { return run(context, *flags); };
}

// Stores what `parse` makes of an option's text in the target.
template <typename Parse, typename T>
ParseText Storing(Parse parse, T* target) {
  return [parse, target](const std::string& text) {
    ARROW_ASSIGN_OR_RAISE(*target, parse(text));
    return Status::OK();
  };
}

// One file per command, src/cli/<name>.cc.
Command TopicsCommand();
Command RegistryCommand();
Command SchemaCommand();
Command StorageCommand();
Command GenerateCommand();
Command ReplayCommand();
Command IngestCommand();
Command RefineCommand();
Command AuditCommand();
Command TableCommand();
Command QueryCommand();
Command ConsumeCommand();
Command GroupCommand();
Command QuarantineCommand();
Command LineageCommand();
Command HealthCommand();
Command ObserveCommand();
Command ConsoleCommand();
Command ProgressCommand();
Command SecurityCommand();
Command BackupCommand();

}  // namespace shopstream::cli
