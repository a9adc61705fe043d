#include "registry/shape.h"

#include <algorithm>
#include <set>
#include <utility>

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

Result<Json> ReadText(const Json& given, const std::string& place) {
  if (given.is_string()) return given;
  if (given.is_number() || given.is_boolean()) return Json(DumpJson(given));
  return Status::Invalid(place, " is not text");
}

Result<Json> ReadTexts(const Json& given, const std::string& place) {
  if (!given.is_array()) return Status::Invalid(place, " is not a list of texts");
  std::set<std::string> sorted;
  for (const Json& one : given) {
    ARROW_ASSIGN_OR_RAISE(const Json text, ReadText(one, "an item of " + place));
    sorted.insert(text.get<std::string>());
  }
  return Json(sorted);
}

Result<Json> ReadMap(const Json& given, const std::string& place,
                     Result<Json> (*read)(const Json&, const std::string&)) {
  if (!given.is_object()) return Status::Invalid(place, " is not an object");
  Json out = Json::object();
  for (const auto& [name, value] : given.items()) {
    if (value.is_null()) continue;
    ARROW_ASSIGN_OR_RAISE(out[name], read(value, place + "." + name));
  }
  return out;
}

Result<Json> Read(const Json& given, const ShapedMember& member) {
  switch (member.shape) {
    case Shape::kName:
    case Shape::kText:
      return ReadText(given, member.name);
    case Shape::kFlag:
      if (given.is_boolean()) return given;
      return Status::Invalid(member.name, " is not true or false");
    case Shape::kTexts:
      return ReadTexts(given, member.name);
    case Shape::kTextMap:
      return ReadMap(given, member.name, ReadText);
    case Shape::kTextSets:
      return ReadMap(given, member.name, ReadTexts);
  }
  return given;
}

bool IsEmpty(const Json& value, Shape shape) {
  if (shape == Shape::kFlag) return !value.get<bool>();
  return shape == Shape::kText ? value.get_ref<const std::string&>().empty() : value.empty();
}

}  // namespace

Result<Json> ReadMembers(const Json& object, std::span<const ShapedMember> members) {
  if (!object.is_object()) return Status::Invalid("it is not an object");
  Json out = Json::object();
  for (const auto& [name, value] : object.items()) {
    const auto known = std::ranges::find_if(
        members, [&name](const ShapedMember& one) { return name == one.name; });
    if (known == members.end() || value.is_null()) continue;
    ARROW_ASSIGN_OR_RAISE(Json read, Read(value, *known));
    if (!IsEmpty(read, known->shape)) out[name] = std::move(read);
  }
  return out;
}

}  // namespace shopstream::registry
