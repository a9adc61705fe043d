#include "cli/manual.h"

#include <fmt/format.h>

#include <iostream>
#include <string>
#include <string_view>

#include "base/config.h"
#include "cli/command_tree.h"

namespace shopstream::cli {
namespace {

// Text that means itself: no escapes, no hyphens that a reader could not copy, no requests.
std::string Escaped(std::string_view text) {
  std::string escaped = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string_view WithoutPoint(std::string_view sentence) {
  if (sentence.ends_with('.')) sentence.remove_suffix(1);
  return sentence;
}

std::string Item(const NamedOption& option) {
  std::string names = option.short_name;
  if (!option.long_name.empty()) names += (names.empty() ? "" : ", ") + option.long_name;
  std::string line = names.empty() ? "" : "\\fB" + Escaped(names) + "\\fR";
  if (!option.value.empty()) {
    line += (line.empty() ? "\\fI" : " \\fI") + Escaped(option.value) + "\\fR";
  }
  return ".TP\n" + line + "\n" + Escaped(option.meaning) + "\n";
}

std::string Section(const Place& place, const char* program) {
  std::string text = fmt::format(".SS \"{} {}", program, Escaped(place.path));
  for (const NamedOption& argument : place.arguments) text += " " + Escaped(argument.value);
  text += "\"\n" + Escaped(WithoutPoint(place.meaning)) + ".\n";
  for (const NamedOption& argument : place.arguments) text += Item(argument);
  for (const NamedOption& option : place.options) text += Item(option);
  return text;
}

std::string ManPage(const Program& program) {
  const std::vector<Place> places = PlacesOf(program);
  std::string text = fmt::format(
      ".TH SHOPSTREAM 1 \"\" \"{0}\" \"User Commands\"\n"
      ".SH NAME\n{1} \\- {2}\n"
      ".SH SYNOPSIS\n.B {1}\n[\\fIflags\\fR] \\fIcommand\\fR ...\n"
      ".SH FLAGS\nAllowed before and after the command.\n",
      Escaped(program.version), program.name, Escaped(WithoutPoint(program.meaning)));
  for (const NamedOption& option : places[0].options) text += Item(option);
  text += ".SH COMMANDS\n";
  for (const Place& place : places) {
    // A command with others below it may run as well.
    const bool runs = place.below.empty() || (!place.path.empty() && !place.options.empty());
    if (runs) text += Section(place, program.name);
  }
  text +=
      ".SH SETTINGS\n"
      "Given by \\fB\\-\\-set\\fR key=value, in the environment (SHOPSTREAM_KAFKA_TOPIC for "
      "kafka.topic), or in the configuration file.\n";
  for (const SettingHelp& setting : ListSettings()) {
    text += fmt::format(".TP\n\\fB{}\\fR [{}]\n{}\n", Escaped(setting.key),
                        Escaped(setting.default_value), Escaped(setting.meaning));
  }
  text +=
      ".SH EXIT STATUS\n"
      ".TP\n0\nDone.\n"
      ".TP\n1\nFailed; the message says why.\n"
      ".TP\n2\nWrong usage, or a wrong configuration.\n"
      ".TP\n3\nA check found a difference, or something is missing.\n"
      ".TP\n130\nInterrupted before the work was done.\n";
  return text;
}

}  // namespace

Command ManCommand(const Program* program) {
  return {.name = "man",
          .meaning = "Print the manual page; to read it: shopstream man | man -l -",
          .run = [program](const Context&) -> Result<int> {
            std::cout << ManPage(*program);
            return kDone;
          },
          .hidden = true};
}

}  // namespace shopstream::cli
