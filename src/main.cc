#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/nearest_name.h"
#include "base/shutdown.h"
#include "cli/command.h"
#include "lake/object_store.h"

namespace shopstream::cli {
namespace {

constexpr char kVersion[] = "shopstream 0.1.0";
constexpr char kDefaultConfigFile[] = "config/pipeline.yaml";

// The commands, in the order in which a newcomer meets them.
// clang-format off
constexpr Command kCommands[] = {
    {"topics", AddTopics},
    {"registry", AddRegistry},
    {"schema", AddSchema},
    {"storage", AddStorage},
    {"generate", AddGenerate},
    {"replay", AddReplay},
    {"ingest", AddIngest},
    {"audit", AddAudit},
    {"table", AddTable},
    {"consume", AddConsume},
    {"group", AddGroup},
    {"quarantine", AddQuarantine},
    {"health", AddHealth},
};
// clang-format on

struct GlobalFlags {
  std::string config_file = kDefaultConfigFile;
  std::vector<std::string> overrides;
  std::string log_level = "info";
  bool json = false;
};

std::string SettingsHelp() {
  std::string text = fmt::format(
      "Settings, given by --set key=value, in the environment (SHOPSTREAM_KAFKA_TOPIC for "
      "kafka.topic)\n"
      "or in {}:\n",
      kDefaultConfigFile);
  for (const SettingHelp& setting : ListSettings()) {
    text += fmt::format("  {:<29} {} [{}]\n", setting.key, setting.meaning, setting.default_value);
  }
  return text;
}

void AddGlobalFlags(CLI::App* app, GlobalFlags* flags) {
  app->add_option("--config", flags->config_file, "Configuration file")
      ->option_text("FILE [config/pipeline.yaml]");
  app->add_option("--set", flags->overrides, "Override one setting; repeatable")
      ->option_text("key=value")
      // One value an occurrence: what follows may be the command.
      ->type_size(1)
      ->allow_extra_args(false);
  app->add_option("--log-level", flags->log_level, "trace, debug, info, warn, error or off")
      ->option_text("LEVEL [info]");
  app->add_flag("--json", flags->json, "Print tables as JSON");
  app->set_version_flag("--version", kVersion, "Print the version and exit");
}

// The innermost command that the arguments chose: `schema list` rather than `schema`.
const CLI::App* Chosen(const CLI::App& app) {
  const CLI::App* chosen = &app;
  while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  return chosen;
}

std::string CommandLine(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : CommandLine(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> SubcommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  const auto all = [](const CLI::App*) { return true; };
  for (const CLI::App* command : app.get_subcommands(all)) names.push_back(command->get_name());
  return names;
}

// Flags that may stand after this command: its own and those of the commands around it.
std::vector<std::string> FlagNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// What is wrong with the arguments, in our words where ours say more than the library's.
std::string DescribeUsageError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* chosen = Chosen(app);
  const std::string line = CommandLine(*chosen);
  const std::string help = "; see `" + line + " --help`";
  const std::vector<std::string> unknown = app.remaining(true);
  if (!unknown.empty() && unknown.front().starts_with("-")) {
    const std::string name = unknown.front().substr(0, unknown.front().find('='));
    return fmt::format("unknown flag '{}'{}{}", name, DidYouMean(name, FlagNames(*chosen)), help);
  }
  const std::vector<std::string> subcommands = SubcommandNames(*chosen);
  if (!unknown.empty() && !subcommands.empty()) {
    const std::string words = chosen == &app ? "" : " of `" + line + "`";
    return fmt::format("unknown command '{}'{}{}{}", unknown.front(), words,
                       DidYouMean(unknown.front(), subcommands), help);
  }
  if (!unknown.empty()) return fmt::format("unexpected argument '{}'{}", unknown.front(), help);
  if (!subcommands.empty()) {
    return fmt::format("`{}` needs a command: {}", line, fmt::join(subcommands, ", "));
  }
  return error.what() + help;
}

int Fail(int code, std::string_view message) {
  std::cerr << "shopstream: " << message << '\n';
  return code;
}

ConfigSources Sources(const CLI::App& app, const GlobalFlags& flags) {
  ConfigSources sources;
  sources.file = flags.config_file;
  sources.file_required = app.get_option("--config")->count() > 0;
  sources.overrides = flags.overrides;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return sources;
}

int RunJob(const Job& job, const Context& context) {
  try {
    const Result<int> code = job(context);
    std::cout.flush();
    if (!code.ok()) return Fail(kFailed, code.status().message());
    if (!std::cout) return Fail(kFailed, "standard output could not be written");
    return *code;
  } catch (const std::exception& e) {
    return Fail(kFailed, std::string("unexpected failure: ") + e.what());
  }
}

int Run(int argc, char** argv) {
  CLI::App app("A real-time purchase pipeline: Kafka to a Delta lake, exactly once.", "shopstream");
  app.fallthrough();  // Global flags may stand after the command too; subcommands inherit this.
  app.require_subcommand(1);
  GlobalFlags flags;
  AddGlobalFlags(&app, &flags);
  Job job;
  for (const Command& command : kCommands) command.add(app, &job);
  app.footer(SettingsHelp());  // Set last: commands added after it would repeat it in their help.
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help and --version
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return Fail(kWrongUsage, DescribeUsageError(app, error));
  }
  Context context;
  context.json = flags.json;
  if (Status status = StartLogging(flags.log_level); !status.ok()) {
    return Fail(kWrongUsage, status.message());
  }
  Result<Config> config = LoadConfig(Sources(app, flags));
  if (!config.ok()) return Fail(kWrongUsage, config.status().message());
  context.config = std::move(*config);
  InstallShutdownHandlers();
  const int code = RunJob(job, context);
  lake::ShutdownObjectStores();
  return code;
}

}  // namespace
}  // namespace shopstream::cli

int main(int argc, char** argv) {
  shopstream::ShareOneHeap();
  return shopstream::cli::Run(argc, argv);
}
