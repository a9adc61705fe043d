#pragma once

#include <string>

#include "base/status.h"
#include "base/yaml_reader.h"
#include "generate/field_rule.h"

namespace shopstream::generate {

using Names = std::vector<std::string>;

// Reads the rules of a mapping's fields, and whatever else names a column. `joins` are the names of
// the joined files, in order.
class RuleReader {
 public:
  RuleReader(const YamlReader& yaml, Names joins);  // Borrows.

  Result<FieldRule> Read(const std::string& field, const YAML::Node& node) const;
  // The column that a key of the node names.
  Result<ColumnRef> Column(const YAML::Node& node, const std::string& key) const;
  // A name in a `column:`; a dot separates the join only if there is one of that name.
  ColumnRef ToColumn(const std::string& name) const;

 private:
  Result<FieldRule> ReadKind(const YAML::Node& node) const;
  Result<FieldRule> ReadColumn(const YAML::Node& node) const;
  Result<FieldRule> ReadValue(const YAML::Node& node) const;
  Result<FieldRule> ReadLookUp(const YAML::Node& node) const;
  Result<FieldRule> ReadText(const YAML::Node& node) const;
  Result<FieldRule> ReadUuid5(const YAML::Node& node) const;
  Result<FieldRule> ReadProduct(const YAML::Node& node) const;
  Result<Rate> ReadRate(const YAML::Node& node) const;
  Result<TimeRule> ReadTime(const YAML::Node& node) const;
  Result<Template> ReadTemplate(const YAML::Node& node) const;
  Result<ColumnRef> TemplateColumn(const YAML::Node& node, const std::string& name) const;
  Result<Decimal> Factor(const YAML::Node& node) const;
  Status CheckType(const std::string& field, const FieldRule& rule, const YAML::Node& node) const;
  Status CheckAllowed(const std::string& field, const FieldRule& rule,
                      const YAML::Node& node) const;

  const YamlReader& yaml_;
  const Names joins_;
};

}  // namespace shopstream::generate
