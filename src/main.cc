#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/config_settings.h"
#include "base/default_config.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/secret_files.h"
#include "base/secrets.h"
#include "base/shutdown.h"
#include "base/version.h"
#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "lake/store/object_store.h"

namespace shopstream::cli {
namespace {

// The commands, in the order in which new users need them.
std::vector<Command> Commands(const Program* program) {
  return {TopicsCommand(),    RegistryCommand(),
          SchemaCommand(),    StorageCommand(),
          GenerateCommand(),  ReplayCommand(),
          IngestCommand(),    RefineCommand(),
          AuditCommand(),     TableCommand(),
          QueryCommand(),     ConsumeCommand(),
          GroupCommand(),     QuarantineCommand(),
          LineageCommand(),   ProgressCommand(),
          BackupCommand(),    HealthCommand(),
          ObserveCommand(),   ConsoleCommand(),
          SecurityCommand(),  CompletionCommand(program),
          ManCommand(program)};
}

struct GlobalFlags {
  std::optional<std::string> config_file;  // Nothing: the default one, if it exists.
  std::vector<std::string> overrides;
  // Nothing: those of the configuration.
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
  bool json = false;
};

// `config_value`: the placeholder of --config, which must outlive the options.
std::vector<Option> GlobalOptions(GlobalFlags* flags, const std::string& config_value) {
  return {{.name = "--config",
           .target = &flags->config_file,
           .meaning = "Configuration file",
           .value = config_value.c_str()},
          {.name = "--set",
           .target = &flags->overrides,
           .meaning = "Override one setting; repeatable",
           .value = "key=value"},
          {.name = "--log-level",
           .target = &flags->log_level,
           .meaning = "trace, debug, info, warn, error or off; overrides log.level",
           .value = "LEVEL [info]"},
          {.name = "--log-format",
           .target = &flags->log_format,
           .meaning = "text, logfmt or json; overrides log.format",
           .value = "FORMAT [auto]"},
          {.name = "--json", .target = &flags->json, .meaning = "Print tables as JSON"}};
}

std::string SettingsHelp(const std::string& config_file) {
  std::string text = fmt::format(
      "Settings, given by --set key=value, in the environment (SHOPSTREAM_KAFKA_TOPIC for "
      "kafka.topic)\n"
      "or in {}:\n",
      config_file);
  for (const SettingHelp& setting : ListSettings()) {
    text += fmt::format("  {:<29} {} [{}]\n", setting.key, setting.meaning, setting.default_value);
  }
  return text;
}

int Fail(int code, std::string_view message) {
  Log::Tell(LogLevel::kError, message);
  return code;
}

Status StartLogging(const GlobalFlags& flags, LogConfig config, bool service) {
  if (flags.log_level) config.level = *flags.log_level;
  if (flags.log_format) config.format = *flags.log_format;
  return shopstream::StartLogging(config, service);
}

// Until the configuration is known: a mistake in it is a line of the log too.
Status StartEarlyLogging(const GlobalFlags& flags, bool service) {
  LogConfig config;
  const char* format = std::getenv(EnvironmentName("log.format").c_str());
  if (format != nullptr && ParseLogFormat(format).ok()) config.format = format;
  return StartLogging(flags, config, service);
}

ConfigSources Sources(const GlobalFlags& flags, const DefaultConfig& usual) {
  ConfigSources sources;
  sources.file = flags.config_file.value_or(usual.file);
  sources.file_required = flags.config_file.has_value();
  sources.overrides = flags.overrides;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return sources;
}

Result<Config> Load(const GlobalFlags& flags, const DefaultConfig& usual) {
  const ConfigSources sources = Sources(flags, usual);
  Log::Hide(SecretsIn(sources));
  ARROW_ASSIGN_OR_RAISE(Config config, LoadConfig(sources));
  Log::Hide(SecretsIn(config));
  if (!flags.config_file) CountPathsFromCheckout(usual.checkout, sources, &config);
  if (HoldsSecrets(config) || !SecretsIn(sources).empty()) HideMemory();
  UseShippedFiles(usual.shipped, &config);
  return config;
}

// Metrics are served from before the job starts until it has finished.
Result<int> Run(const Choice& choice, const Context& context) {
  std::unique_ptr<HttpServer> metrics;
  if (choice.serves_metrics) {
    ARROW_ASSIGN_OR_RAISE(metrics, ServeMetrics(context.config.metrics.listen));
  }
  return choice.job(context);
}

int RunJob(const Choice& choice, const Context& context) {
  try {
    const Result<int> code = Run(choice, context);
    std::cout.flush();
    if (!code.ok()) {
      const bool interrupted = code.status().IsCancelled() && ShutdownRequested();
      return Fail(interrupted ? kInterrupted : kFailed, code.status().message());
    }
    if (!std::cout) return Fail(kFailed, "standard output could not be written");
    return *code;
  } catch (const std::exception& e) {
    return Fail(kFailed, std::string("unexpected failure: ") + e.what());
  }
}

int Run(int argc, char** argv) {
  GlobalFlags flags;
  const DefaultConfig usual = FindDefaultConfig(ProgramPath());
  const std::string config_value = "FILE [" + usual.file + "]";
  Program program{.name = "shopstream",
                  .meaning = "A real-time purchase pipeline: Kafka to a Delta lake, exactly once.",
                  .version = kVersion,
                  .options = GlobalOptions(&flags, config_value),
                  .commands = {},
                  .footer = SettingsHelp(usual.file)};
  program.commands = Commands(&program);
  const Choice choice = ParseCommandLine(program, argc, argv);
  const Status early = StartEarlyLogging(flags, choice.service);
  if (!choice.error.empty()) return Fail(choice.exit_code, choice.error);
  if (choice.job == nullptr) return choice.exit_code;
  Context context;
  context.json = flags.json;
  if (!early.ok()) return Fail(kWrongUsage, early.message());
  Result<Config> config = Load(flags, usual);
  if (!config.ok()) return Fail(kWrongUsage, config.status().message());
  context.config = std::move(*config);
  if (const Status status = StartLogging(flags, context.config.log, choice.service); !status.ok()) {
    return Fail(kWrongUsage, status.message());
  }
  Log::Debug("settings come from {}", flags.config_file.value_or(usual.file));
  InstallShutdownHandlers();
  const int code = RunJob(choice, context);
  lake::ShutdownObjectStores();
  return code;
}

}  // namespace
}  // namespace shopstream::cli

int main(int argc, char** argv) {
  shopstream::ShareOneHeap();
  return shopstream::cli::Run(argc, argv);
}
