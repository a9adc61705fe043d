#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"

namespace shopstream::cli {

// Exit codes of every command.
enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2, kDifferenceFound = 3 };

struct Context {
  Config config;
  bool json = false;
};

using Job = std::function<Result<int>(const Context&)>;

// One row of the command table in main.cc: adds its subcommand and flags to the app, and sets
// `*job` if the user chose it. One file per command, src/cli/<name>.cc.
struct Command {
  const char* name;
  void (*add)(CLI::App& app, Job* job);
};

void AddTopics(CLI::App& app, Job* job);
void AddRegistry(CLI::App& app, Job* job);
void AddSchema(CLI::App& app, Job* job);
void AddGenerate(CLI::App& app, Job* job);
void AddReplay(CLI::App& app, Job* job);
void AddIngest(CLI::App& app, Job* job);
void AddAudit(CLI::App& app, Job* job);
void AddQuarantine(CLI::App& app, Job* job);
void AddStorage(CLI::App& app, Job* job);
void AddTable(CLI::App& app, Job* job);
void AddConsume(CLI::App& app, Job* job);
void AddGroup(CLI::App& app, Job* job);
void AddHealth(CLI::App& app, Job* job);

}  // namespace shopstream::cli
