#include "console/masking.h"

#include <algorithm>
#include <cctype>

#include "base/json.h"

namespace shopstream::console {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::vector<std::string> LowerCase(const std::vector<std::string>& texts) {
  std::vector<std::string> lower;
  for (const std::string& text : texts) lower.push_back(LowerCase(text));
  return lower;
}

// `path`: of the value, with a dot at its end; empty for the whole.
template <typename Json>
void Hide(const Masking& masking, const std::string& path, Json* value) {
  if (value->is_array()) {
    for (Json& item : *value) Hide(masking, path, &item);
  }
  if (!value->is_object()) return;
  for (auto& [name, member] : value->items()) {
    if (masking.masks(path + name)) {
      member = kHidden;
    } else {
      Hide(masking, path + name + ".", &member);
    }
  }
}

}  // namespace

Masking::Masking(const std::vector<std::string>& fields) : fields_(LowerCase(fields)) {}

bool Masking::masks(std::string_view field) const {
  const std::string path = LowerCase(field);
  return std::ranges::any_of(fields_, [&](const std::string& masked) {
    return ("." + path + ".").find("." + masked + ".") != std::string::npos;
  });
}

bool Masking::masks_column(std::string_view column) const {
  if (masks(column)) return true;
  return std::ranges::any_of(fields_, [name = LowerCase(column)](std::string masked) {
    std::ranges::replace(masked, '.', '_');
    return name == masked;
  });
}

void Masking::Apply(nlohmann::json* value) const {
  if (active()) Hide(*this, "", value);
}

void Masking::Apply(nlohmann::ordered_json* value) const {
  if (active()) Hide(*this, "", value);
}

}  // namespace shopstream::console
