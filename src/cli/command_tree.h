#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"

// The commands and options of the program, flattened for whatever describes them: completion and
// the manual.
namespace shopstream::cli {

struct NamedOption {
  std::string short_name;  // "-n"; "": it has none.
  std::string long_name;   // "--max"; "": a positional argument.
  std::string value;       // Placeholder; "": a flag without a value.
  std::string meaning;
};

struct Place {
  std::string path;  // "table list"; "": the program itself.
  std::string meaning;
  std::vector<const Command*> below;  // Without hidden ones.
  std::vector<NamedOption> options;   // Its own; not those of the program, which all commands take.
  std::vector<NamedOption> arguments;
};

// The program first, then each command before those below it.
std::vector<Place> PlacesOf(const Program& program);

}  // namespace shopstream::cli
