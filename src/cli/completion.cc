#include "cli/completion.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <string_view>

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

// "' topics'|'table list'": all paths as a pattern that `case` matches against "path word".
std::string PathPattern(const std::vector<Place>& places, const char* separator) {
  std::string pattern;
  for (const Place& place : places) {
    if (place.path.empty()) continue;
    const bool is_top = place.path.find(' ') == std::string::npos;
    pattern += (pattern.empty() ? "" : separator) + Quoted((is_top ? " " : "") + place.path);
  }
  return pattern;
}

std::vector<NamedOption> OptionsAt(const Place& place, const Place& program) {
  std::vector<NamedOption> options = place.options;
  if (!place.path.empty()) {
    options.insert(options.end(), program.options.begin(), program.options.end());
  }
  options.push_back({.short_name = "-h", .long_name = "--help", .value = "", .meaning = "Help"});
  return options;
}

// Options whose next word is a value.
std::string ValueOptions(const std::vector<NamedOption>& options) {
  std::string names;
  for (const NamedOption& option : options) {
    if (option.value.empty()) continue;
    for (const std::string& name : {option.short_name, option.long_name}) {
      if (!name.empty()) names += (names.empty() ? "" : "|") + name;
    }
  }
  return names.empty() ? "''" : names;
}

std::string BashCase(const Place& place, const Place& program) {
  std::string words;
  for (const Command* command : place.below) words += std::string(command->name) + " ";
  const auto options = OptionsAt(place, program);
  for (const NamedOption& option : options) words += option.long_name + " ";
  words.pop_back();
  return fmt::format("    {}) values={}; words={} ;;\n", Quoted(place.path),
                     Quoted("|" + ValueOptions(options) + "|"), Quoted(words));
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

}  // namespace

std::string BashCompletion(const Program& program) {
  const std::vector<Place> places = PlacesOf(program);
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
      program.name, PathPattern(places, "|"));
  for (const Place& place : places) text += BashCase(place, places[0]);
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
  const std::vector<Place> places = PlacesOf(program);
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
      program.name, PathPattern(places, "|"));
  for (const Place& place : places) {
    std::vector<std::pair<std::string, std::string>> commands, options;
    for (const Command* command : place.below) {
      commands.emplace_back(command->name, command->meaning);
    }
    const auto named = OptionsAt(place, places[0]);
    for (const NamedOption& option : named) options.emplace_back(option.long_name, option.meaning);
    text += fmt::format("    {})\n      values={}\n", Quoted(place.path),
                        Quoted("|" + ValueOptions(named) + "|"));
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
  const std::vector<Place> places = PlacesOf(program);
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
      program.name, PathPattern(places, " "));
  for (const Place& place : places) {
    const std::string at = fmt::format("complete -c {0} -n {1}", program.name,
                                       Quoted(fmt::format("__{}_at {}", program.name, place.path)));
    if (!place.below.empty()) text += at + " -f\n";
    for (const Command* command : place.below) {
      text += fmt::format("{} -a {} -d {}\n", at, command->name, Quoted(command->meaning));
    }
    for (const NamedOption& option : OptionsAt(place, places[0])) {
      text += fmt::format("{} -l {}{}{} -d {}\n", at, option.long_name.substr(2),
                          option.short_name.empty() ? "" : " -s " + option.short_name.substr(1),
                          option.value.empty() ? "" : " -r", Quoted(option.meaning));
    }
  }
  return text;
}

Command CompletionCommand(const Program* program) {
  const auto shell = std::make_shared<std::string>();
  return {.name = "completion",
          .meaning = "Print a script that completes commands and flags in bash, zsh or fish",
          .options = {{.name = "SHELL",
                       .target = shell.get(),
                       .meaning = "bash, zsh or fish",
                       .value = "SHELL",
                       .required = true}},
          .run = [program, shell](const Context&) -> Result<int> {
            if (*shell == "bash") {
              std::cout << BashCompletion(*program);
            } else if (*shell == "zsh") {
              std::cout << ZshCompletion(*program);
            } else if (*shell == "fish") {
              std::cout << FishCompletion(*program);
            } else {
              return Status::Invalid("no completion for '", *shell, "'",
                                     DidYouMean(*shell, {"bash", "zsh", "fish"}),
                                     " (there is bash, zsh and fish)");
            }
            return kDone;
          },
          .hidden = true};
}

}  // namespace shopstream::cli
