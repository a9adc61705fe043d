#include "cli/completion.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/nearest_name.h"
#include "cli/command_tree.h"

namespace shopstream::cli {
namespace {

// In single quotes, for a shell in which a quote within them is written '\''.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

// What can follow a path.
struct Offer {
  std::string path;  // "table list"; "": the program itself.
  std::vector<const Command*> commands;
  std::vector<NamedOption> options;  // Its own, the program's and --help.
  std::string values;                // "|-n|--max|": the options whose next word is a value.
};

std::vector<Offer> OffersOf(const Program& program) {
  const std::vector<Place> places = PlacesOf(program);
  const std::vector<NamedOption>& everywhere = places[0].options;
  std::vector<Offer> offers;
  for (const Place& place : places) {
    Offer offer{
        .path = place.path, .commands = place.below, .options = place.options, .values = "|"};
    auto& options = offer.options;
    if (!place.path.empty()) options.insert(options.end(), everywhere.begin(), everywhere.end());
    options.push_back({.short_name = "-h", .long_name = "--help", .value = "", .meaning = "Help"});
    for (const NamedOption& option : options) {
      if (option.value.empty()) continue;
      if (!option.short_name.empty()) offer.values += option.short_name + "|";
      offer.values += option.long_name + "|";
    }
    offers.push_back(std::move(offer));
  }
  return offers;
}

// "' topics'|'table list'": all paths as a pattern that `case` matches against "path word".
std::string PathPattern(const std::vector<Offer>& offers, const char* separator) {
  std::string pattern;
  for (const Offer& offer : offers) {
    if (offer.path.empty()) continue;
    const bool is_top = offer.path.find(' ') == std::string::npos;
    pattern += (pattern.empty() ? "" : separator) + Quoted((is_top ? " " : "") + offer.path);
  }
  return pattern;
}

std::string BashCase(const Offer& offer) {
  std::string words;
  for (const Command* command : offer.commands) words += std::string(command->name) + " ";
  for (const NamedOption& option : offer.options) words += option.long_name + " ";
  words.pop_back();
  return fmt::format("    {}) values={}; words={} ;;\n", Quoted(offer.path), Quoted(offer.values),
                     Quoted(words));
}

std::string ZshList(const char* name,
                    const std::vector<std::pair<std::string, std::string>>& items) {
  std::string text = fmt::format("      {}=(", name);
  for (const auto& [word, meaning] : items) {
    text += "\n        ";
    text += Quoted(fmt::format("{}:{}", word, meaning));
  }
  return text + (items.empty() ? ")\n" : "\n      )\n");
}

std::string BashCompletion(const Program& program) {
  const std::vector<Offer> offers = OffersOf(program);
  std::string text = fmt::format(
      "# bash completion for {0}: eval \"$({0} completion bash)\"\n"
      "_{0}() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  local path='' word values words i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=${{COMP_WORDS[i]}}\n"
      "    case \"$path $word\" in\n"
      "      {1}) path=\"${{path:+$path }}$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n",
      program.name, PathPattern(offers, "|"));
  for (const Offer& offer : offers) text += BashCase(offer);
  // No reply: the shell offers files.
  text += fmt::format(
      "  esac\n"
      "  COMPREPLY=()\n"
      "  [[ $values == *\"|$previous|\"* ]] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
      "\"$current\")\n"
      "}}\n"
      "complete -o default -F _{0} {0}\n",
      program.name);
  return text;
}

std::string ZshCompletion(const Program& program) {
  const std::vector<Offer> offers = OffersOf(program);
  std::string text = fmt::format(
      "#compdef {0}\n"
      "# zsh completion for {0}: source <({0} completion zsh)\n"
      "_{0}() {{\n"
      "  local path_='' word values\n"
      "  local -a commands options\n"
      "  for word in \"${{words[@]:1:$((CURRENT - 2))}}\"; do\n"
      "    case \"$path_ $word\" in\n"
      "      {1}) path_=\"${{path_:+$path_ }}$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path_\" in\n",
      program.name, PathPattern(offers, "|"));
  for (const Offer& offer : offers) {
    std::vector<std::pair<std::string, std::string>> commands, options;
    for (const Command* command : offer.commands) {
      commands.emplace_back(command->name, command->meaning);
    }
    for (const NamedOption& option : offer.options) {
      options.emplace_back(option.long_name, option.meaning);
    }
    text += fmt::format("    {})\n      values={}\n", Quoted(offer.path), Quoted(offer.values));
    text += ZshList("commands", commands) + ZshList("options", options) + "      ;;\n";
  }
  text += fmt::format(
      "  esac\n"
      "  if [[ $values == *\"|${{words[CURRENT-1]}}|\"* ]]; then\n"
      "    _files\n"
      "  elif [[ ${{words[CURRENT]}} == -* ]]; then\n"
      "    _describe -o option options\n"
      "  elif (( ${{#commands}} )); then\n"
      "    _describe command commands\n"
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}}\n"
      "if [[ ${{funcstack[1]}} == _{0} ]]; then _{0} \"$@\"; else compdef _{0} {0}; fi\n",
      program.name);
  return text;
}

std::string FishCompletion(const Program& program) {
  const std::vector<Offer> offers = OffersOf(program);
  std::string text = fmt::format(
      "# fish completion for {0}: {0} completion fish | source\n"
      "function __{0}_at\n"
      "  set -l path ''\n"
      "  set -l words (commandline -opc)\n"
      "  for word in $words[2..-1]\n"
      "    switch \"$path $word\"\n"
      "      case {1}\n"
      "        set path (string trim -- \"$path $word\")\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv\"\n"
      "end\n",
      program.name, PathPattern(offers, " "));
  for (const Offer& offer : offers) {
    const std::string at = fmt::format("complete -c {0} -n {1}", program.name,
                                       Quoted(fmt::format("__{}_at {}", program.name, offer.path)));
    if (!offer.commands.empty()) text += at + " -f\n";
    for (const Command* command : offer.commands) {
      text += fmt::format("{} -a {} -d {}\n", at, command->name, Quoted(command->meaning));
    }
    for (const NamedOption& option : offer.options) {
      text += fmt::format("{} -l {}{}{} -d {}\n", at, option.long_name.substr(2),
                          option.short_name.empty() ? "" : " -s " + option.short_name.substr(1),
                          option.value.empty() ? "" : " -r", Quoted(option.meaning));
    }
  }
  return text;
}

struct Shell {
  const char* name;
  std::string (*completion)(const Program& program);
};
constexpr Shell kShells[] = {
    {"bash", BashCompletion}, {"zsh", ZshCompletion}, {"fish", FishCompletion}};

Result<int> PrintCompletion(const Program& program, const std::string& name) {
  std::vector<std::string> names;
  for (const Shell& shell : kShells) {
    names.emplace_back(shell.name);
    if (name != shell.name) continue;
    std::cout << shell.completion(program);
    return kDone;
  }
  return Status::Invalid(
      "no completion for '", name, "'", DidYouMean(name, names),
      fmt::format(" (the shells are {} and {})", fmt::join(names.begin(), names.end() - 1, ", "),
                  names.back()));
}

}  // namespace

Command CompletionCommand(const Program* program) {
  const auto shell = std::make_shared<std::string>();
  return {.name = "completion",
          .meaning = "Print a script that completes commands and flags in bash, zsh or fish",
          .options = {{.name = "SHELL",
                       .target = shell.get(),
                       .meaning = "bash, zsh or fish",
                       .value = "SHELL",
                       .required = true}},
          .run = [program, shell](const Context&) { return PrintCompletion(*program, *shell); },
          .hidden = true};
}

}  // namespace shopstream::cli
