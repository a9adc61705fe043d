#include "cli/command_tree.h"

#include <string_view>
#include <utility>

namespace shopstream::cli {
namespace {

NamedOption Named(const Option& option) {
  const std::string_view name = option.name;
  const bool is_flag = std::holds_alternative<bool*>(option.target);
  std::string_view value = option.value == nullptr ? "N" : option.value;
  if (is_flag) value = "";
  NamedOption named{.short_name = "", .long_name = "", .value = {}, .meaning = option.meaning};
  named.value = value.substr(0, value.find(' '));  // Without its default.
  if (!name.starts_with('-')) {
    named.value = name;
  } else if (const size_t comma = name.find(','); comma != std::string_view::npos) {
    named.short_name = name.substr(0, comma);
    named.long_name = name.substr(comma + 1);
  } else {
    named.long_name = name;
  }
  return named;
}

void AddOptions(const std::vector<Option>& options, Place* place) {
  for (const Option& option : options) {
    NamedOption named = Named(option);
    (named.long_name.empty() ? place->arguments : place->options).push_back(std::move(named));
  }
}

void AddPlaces(const std::vector<Command>& commands, size_t parent, std::vector<Place>* places) {
  for (const Command& command : commands) {
    if (command.hidden) continue;
    const std::string& above = (*places)[parent].path;
    Place place{.path = above.empty() ? command.name : above + " " + command.name,
                .meaning = command.meaning,
                .below = {},
                .options = {},
                .arguments = {}};
    AddOptions(command.options, &place);
    (*places)[parent].below.push_back(&command);
    places->push_back(std::move(place));
    AddPlaces(command.commands, places->size() - 1, places);
  }
}

}  // namespace

std::vector<Place> PlacesOf(const Program& program) {
  std::vector<Place> places = {
      {.path = "", .meaning = program.meaning, .below = {}, .options = {}, .arguments = {}}};
  AddOptions(program.options, &places[0]);
  AddPlaces(program.commands, 0, &places);
  return places;
}

}  // namespace shopstream::cli
