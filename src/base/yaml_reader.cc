#include "base/yaml_reader.h"

#include <algorithm>
#include <set>

#include "base/join.h"
#include "base/nearest_name.h"

namespace shopstream {

Status YamlReader::CheckKeys(const YAML::Node& node, const std::vector<std::string>& known,
                             const std::string& what) const {
  if (!node.IsMap()) {
    return Error(node, what, " consists of keys and values: ", Joined(known, ", "));
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Error(entry.first, "unknown key '", key, "'", DidYouMean(key, known), " (", what,
                   " takes ", Joined(known, ", "), ")");
    }
    if (!seen.insert(key).second) return Error(entry.first, "'", key, "' is given twice");
  }
  return Status::OK();
}

Result<std::string> YamlReader::Text(const YAML::Node& node, const std::string& key) const {
  const YAML::Node value = node[key];
  if (!value) return Error(node, "'", key, "' is missing");
  if (!value.IsScalar()) return Error(value, "'", key, "' must be a text or a number");
  return value.Scalar();
}

Result<std::vector<std::string>> YamlReader::Texts(const YAML::Node& node,
                                                   const std::string& key) const {
  const YAML::Node value = node[key];
  if (value && value.IsScalar()) return std::vector{value.Scalar()};
  if (!value || !value.IsSequence() || value.size() == 0) {
    return Error(value ? value : node, "'", key, "' must be a text or a list of texts");
  }
  std::vector<std::string> texts;
  for (const YAML::Node& entry : value) {
    if (!entry.IsScalar()) return Error(value, "'", key, "' must be a text or a list of texts");
    texts.push_back(entry.Scalar());
  }
  return texts;
}

Result<bool> YamlReader::Word(const YAML::Node& node, const std::string& key,
                              const std::string& word) const {
  if (!node[key]) return false;
  ARROW_ASSIGN_OR_RAISE(const std::string text, Text(node, key));
  if (text != word) return Error(node[key], "'", key, "' can be: ", word);
  return true;
}

Result<std::optional<char>> YamlReader::Character(const YAML::Node& node,
                                                  const std::string& key) const {
  ARROW_ASSIGN_OR_RAISE(std::string text, Text(node, key));
  if (text == "\\t") text = "\t";
  if (text.size() > 1) return Error(node[key], "'", key, "' must be a single character");
  return text.empty() ? std::nullopt : std::optional(text[0]);
}

}  // namespace shopstream
