#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <string_view>
#include <type_traits>

#include "base/nearest_name.h"

namespace shopstream::cli {
namespace {

// The innermost command selected by the arguments: `schema list` rather than `schema`.
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

// Flags allowed after this command: its own and those of the commands around it.
std::vector<std::string> FlagNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// What is wrong with the arguments, in our own words if they say more than the library's.
std::string DescribeUsageError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* chosen = Chosen(app);
  const std::string line = CommandLine(*chosen);
  const std::string see = "see `" + line + " --help`";
  const std::string help = "; " + see;
  const auto guess = [&](const std::string& name, const std::vector<std::string>& known) {
    return Then(DidYouMean(name, known), see);
  };
  const std::vector<std::string> unknown = app.remaining(true);
  if (!unknown.empty() && unknown.front().starts_with("-")) {
    const std::string name = unknown.front().substr(0, unknown.front().find('='));
    return fmt::format("unknown flag '{}'{}", name, guess(name, FlagNames(*chosen)));
  }
  const std::vector<std::string> subcommands = SubcommandNames(*chosen);
  if (!unknown.empty() && !subcommands.empty()) {
    const std::string words = chosen == &app ? "" : " of `" + line + "`";
    return fmt::format("unknown command '{}'{}{}", unknown.front(), words,
                       guess(unknown.front(), subcommands));
  }
  if (!unknown.empty()) return fmt::format("unexpected argument '{}'{}", unknown.front(), help);
  if (chosen->get_require_subcommand_min() > 0) {
    return fmt::format("`{}` needs a command: {}", line, fmt::join(subcommands, ", "));
  }
  return error.what() + help;
}

// Adds the option with the type of its target, which determines what is parsed and shown in help.
struct AddTarget {
  CLI::App* app;
  const Option& option;

  CLI::Option* operator()(bool* target) const {
    return app->add_flag(option.name, *target, option.meaning);
  }
  CLI::Option* operator()(std::vector<std::string>* target) const {
    // One value per occurrence: the next argument may be the command.
    return app->add_option(option.name, *target, option.meaning)
        ->type_size(1)
        ->allow_extra_args(false);
  }
  CLI::Option* operator()(const ParseText& parse) const {
    const auto store = [parse](const std::string& text) { static_cast<void>(parse(text)); };
    return app->add_option_function<std::string>(option.name, store, option.meaning)
        ->check([parse](const std::string& text) {
          const Status parsed = parse(text);
          return parsed.ok() ? std::string() : parsed.message();
        });
  }
  template <typename T>
  CLI::Option* operator()(T* target) const {
    return app->add_option(option.name, *target, option.meaning);
  }
};

// The error in a text that must be a whole number within the bounds; "": none.
std::string CheckWithin(const Bounds& bounds, const std::string& text) {
  int64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  const bool whole = error == std::errc() && end == last;
  if (whole && number >= bounds.least && number <= bounds.most) return "";
  if (bounds.most == std::numeric_limits<int64_t>::max()) {
    return fmt::format("'{}' is not a whole number of {} or more", text, bounds.least);
  }
  return fmt::format("'{}' is not a whole number from {} to {}", text, bounds.least, bounds.most);
}

void Add(CLI::App* app, const Option& option) {
  CLI::Option* added = std::visit(AddTarget{app, option}, option.target);
  if (option.value != nullptr) added->option_text(option.value);
  if (option.required) added->required();
  if (option.show_default) added->capture_default_str();
  if (option.bounds.has_value()) {
    added->check(
        [bounds = *option.bounds](const std::string& text) { return CheckWithin(bounds, text); });
  }
  if (option.check != nullptr) added->check(option.check);
  if (option.excludes != nullptr) added->excludes(app->get_option(option.excludes));
}

void Add(CLI::App* app, const Command& command, Choice* choice) {
  CLI::App* added = app->add_subcommand(command.name, command.meaning);
  for (const Option& option : command.options) Add(added, option);
  for (const Command& below : command.commands) Add(added, below, choice);
  if (!command.commands.empty()) added->require_subcommand(command.run == nullptr ? 1 : 0, 1);
  if (command.hidden) added->group("");
  if (command.run == nullptr) return;
  added->callback([&command, added, choice] {
    if (!added->get_subcommands().empty()) return;  // The one below it was chosen.
    const Status checked = command.check == nullptr ? Status::OK() : command.check();
    if (!checked.ok()) throw CLI::ValidationError(checked.message());
    choice->job = command.run;
    choice->service = command.service;
    choice->serves_metrics =
        command.serves_metrics && (command.quiet == nullptr || !*command.quiet);
  });
}

}  // namespace

Choice ParseCommandLine(const Program& program, int argc, char** argv) {
  CLI::App app(program.meaning, program.name);
  app.fallthrough();  // Global flags are allowed after the command too; subcommands inherit this.
  app.require_subcommand(1);
  for (const Option& option : program.options) Add(&app, option);
  app.set_version_flag("--version", program.version, "Print the version and exit");
  Choice choice;
  for (const Command& command : program.commands) Add(&app, command, &choice);
  app.footer(program.footer);  // Set last: commands added after it would repeat it in their help.
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help and --version
    choice.exit_code = app.exit(help);
  } catch (const CLI::ParseError& error) {
    choice.exit_code = kWrongUsage;
    choice.error = DescribeUsageError(app, error);
  }
  if (choice.exit_code != kDone) choice.job = nullptr;
  return choice;
}

}  // namespace shopstream::cli
