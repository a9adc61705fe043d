#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace shopstream {

// Reads the nodes of one YAML file; messages name it and the line.
class YamlReader {
 public:
  explicit YamlReader(std::string path) : path_(std::move(path)) {}

  template <typename... Args>
  Status Error(const YAML::Node& node, Args&&... what) const {
    return Status::Invalid(path_, ", line ", node.Mark().line + 1, ": ",
                           std::forward<Args>(what)...);
  }

  Status CheckKeys(const YAML::Node& node, const std::vector<std::string>& known,
                   const std::string& what) const;
  // The text of a required key.
  Result<std::string> Text(const YAML::Node& node, const std::string& key) const;
  // One text, or a list of at least one.
  Result<std::vector<std::string>> Texts(const YAML::Node& node, const std::string& key) const;
  // The key's only possible value is `word`. False: the key is not given.
  Result<bool> Word(const YAML::Node& node, const std::string& key, const std::string& word) const;
  // A single character; nothing if the text is empty.
  Result<std::optional<char>> Character(const YAML::Node& node, const std::string& key) const;

 private:
  std::string path_;
};

}  // namespace shopstream
