#include "generate/source_mapping.h"

#include <arrow/type.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "base/nearest_name.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

using Names = std::vector<std::string>;

std::string Listed(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The allowed values of a field, if they are restricted.
Names AllowedValues(const std::string& field) {
  if (field == "region") return {"US", "EU", "ASIA"};
  if (field == "currency") return {"USD", "EUR", "JPY"};
  return {};
}

FieldRule RuleOf(RuleKind kind) {
  FieldRule rule;
  rule.kind = kind;
  return rule;
}

// Reads one mapping. Every function that returns a Status names the line concerned.
class MappingReader {
 public:
  explicit MappingReader(const std::string& path) { mapping_.path = path; }

  Result<SourceMapping> Read(const YAML::Node& root) {
    ARROW_RETURN_NOT_OK(CheckKeys(root, {"file", "joins", "event"}, "a mapping"));
    ARROW_ASSIGN_OR_RAISE(const std::string file, Text(root, "file"));
    mapping_.file = Resolve(file);
    if (root["joins"]) ARROW_RETURN_NOT_OK(ReadJoins(root["joins"]));
    if (!root["event"]) return Error(root, "there is no 'event', which defines each field");
    ARROW_RETURN_NOT_OK(ReadFields(root["event"]));
    return std::move(mapping_);
  }

 private:
  template <typename... Args>
  Status Error(const YAML::Node& node, Args&&... what) const {
    return Status::Invalid(mapping_.path, ", line ", node.Mark().line + 1, ": ",
                           std::forward<Args>(what)...);
  }

  std::string Resolve(const std::string& file) const {
    const std::filesystem::path path(file);
    if (path.is_absolute()) return file;
    return (std::filesystem::path(mapping_.path).parent_path() / path).lexically_normal().string();
  }

  Status CheckKeys(const YAML::Node& node, const Names& known, const std::string& what) const {
    if (!node.IsMap()) return Error(node, what, " consists of keys and values: ", Listed(known));
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        return Error(entry.first, "unknown key '", key, "'", DidYouMean(key, known), " (", what,
                     " knows ", Listed(known), ")");
      }
      if (!seen.insert(key).second) return Error(entry.first, "'", key, "' is given twice");
    }
    return Status::OK();
  }

  // The text of a required key.
  Result<std::string> Text(const YAML::Node& node, const std::string& key) const {
    const YAML::Node value = node[key];
    if (!value) return Error(node, "'", key, "' is missing");
    if (!value.IsScalar()) return Error(value, "'", key, "' must be a text or a number");
    return value.Scalar();
  }

  Status ReadJoins(const YAML::Node& joins) {
    if (!joins.IsMap()) return Error(joins, "'joins' consists of a name for each joined file");
    for (const auto& entry : joins) {
      Join join;
      join.name = entry.first.Scalar();
      ARROW_RETURN_NOT_OK(CheckKeys(entry.second, {"file", "key", "on"}, "a join"));
      ARROW_ASSIGN_OR_RAISE(const std::string file, Text(entry.second, "file"));
      join.file = Resolve(file);
      ARROW_ASSIGN_OR_RAISE(join.key, Text(entry.second, "key"));
      ARROW_ASSIGN_OR_RAISE(join.on, Text(entry.second, "on"));
      mapping_.joins.push_back(std::move(join));
    }
    return Status::OK();
  }

  Status ReadFields(const YAML::Node& event) {
    const Names fields = PurchaseEventSchema()->field_names();
    ARROW_RETURN_NOT_OK(CheckKeys(event, fields, "the event"));
    for (const std::string& field : fields) {
      const YAML::Node node = event[field];
      if (!node) return Error(event, "the event's field '", field, "' is missing");
      ARROW_ASSIGN_OR_RAISE(mapping_.fields[field], ReadRule(field, node));
    }
    for (const auto& [field, rule] : mapping_.fields) {
      ARROW_RETURN_NOT_OK(CheckReference(rule, event[field]));
    }
    return Status::OK();
  }

  Result<FieldRule> ReadRule(const std::string& field, const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(CheckKeys(node,
                                  {"column", "field", "value", "values", "otherwise", "modulo",
                                   "text", "case", "uuid5", "namespace"},
                                  "a field"));
    const std::vector<
        std::pair<const char*, Result<FieldRule> (MappingReader::*)(const YAML::Node&) const>>
        kinds = {{"value", &MappingReader::ReadValue},   {"text", &MappingReader::ReadText},
                 {"uuid5", &MappingReader::ReadUuid5},   {"values", &MappingReader::ReadLookUp},
                 {"modulo", &MappingReader::ReadLookUp}, {"column", &MappingReader::ReadColumn},
                 {"field", &MappingReader::ReadLookUp}};
    for (const auto& [key, read] : kinds) {
      if (!node[key]) continue;
      ARROW_ASSIGN_OR_RAISE(FieldRule rule, (this->*read)(node));
      ARROW_RETURN_NOT_OK(CheckType(field, rule, node));
      return rule;
    }
    return Error(node, "a field needs one of column, value, values, text, uuid5");
  }

  Result<FieldRule> ReadColumn(const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(CheckKeys(node, {"column"}, "a field by column alone"));
    FieldRule rule = RuleOf(RuleKind::kColumn);
    ARROW_ASSIGN_OR_RAISE(rule.column, Text(node, "column"));
    return rule;
  }

  Result<FieldRule> ReadValue(const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(CheckKeys(node, {"value"}, "a constant"));
    FieldRule rule = RuleOf(RuleKind::kValue);
    ARROW_ASSIGN_OR_RAISE(rule.value, Text(node, "value"));
    return rule;
  }

  Result<FieldRule> ReadLookUp(const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(
        CheckKeys(node, {"column", "field", "values", "otherwise", "modulo"}, "a look-up"));
    FieldRule rule = RuleOf(RuleKind::kLookUp);
    if (node["field"] && node["column"]) {
      return Error(node, "a look-up uses a column or a field, not both");
    }
    const char* by = node["field"] ? "field" : "column";
    ARROW_ASSIGN_OR_RAISE((node["field"] ? rule.field : rule.column), Text(node, by));
    const YAML::Node values = node["values"];
    if (!values || !values.IsMap() || values.size() == 0) {
      return Error(node, "'values' must map each value");
    }
    for (const auto& entry : values) {
      if (!entry.second.IsScalar()) return Error(entry.second, "a value must map to a text");
      rule.values[entry.first.Scalar()] = entry.second.Scalar();
    }
    if (node["otherwise"]) {
      ARROW_ASSIGN_OR_RAISE(rule.otherwise, Text(node, "otherwise"));
    }
    if (node["modulo"]) {
      rule.modulo = node["modulo"].as<int64_t>(0);
      if (rule.modulo <= 0)
        return Error(node["modulo"], "'modulo' must be a whole number above zero");
    }
    return rule;
  }

  Result<FieldRule> ReadText(const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(CheckKeys(node, {"text", "case"}, "a text"));
    FieldRule rule = RuleOf(RuleKind::kText);
    const YAML::Node text = node["text"];
    for (size_t i = 0; i < (text.IsSequence() ? text.size() : 1); ++i) {
      ARROW_ASSIGN_OR_RAISE(Template parsed, ReadTemplate(text.IsSequence() ? text[i] : text));
      rule.texts.push_back(std::move(parsed));
    }
    if (rule.texts.empty()) return Error(text, "'text' is an empty list");
    if (node["case"]) {
      if (node["case"].Scalar() != "title") return Error(node["case"], "'case' can be: title");
      rule.title_case = true;
    }
    return rule;
  }

  Result<FieldRule> ReadUuid5(const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(CheckKeys(node, {"uuid5", "namespace"}, "a uuid5"));
    FieldRule rule = RuleOf(RuleKind::kUuid5);
    ARROW_ASSIGN_OR_RAISE(Template name, ReadTemplate(node["uuid5"]));
    rule.texts.push_back(std::move(name));
    ARROW_ASSIGN_OR_RAISE(const std::string text, Text(node, "namespace"));
    const Result<Uuid> name_space = ParseUuid(text);
    if (!name_space.ok()) return Error(node["namespace"], name_space.status().message());
    rule.name_space = *name_space;
    return rule;
  }

  Result<Template> ReadTemplate(const YAML::Node& node) const {
    if (!node.IsScalar()) return Error(node, "a text is expected, such as \"{column} {column}\"");
    const std::string text = node.Scalar();
    Template made;
    size_t at = 0;
    while (true) {
      const size_t open = text.find('{', at);
      made.literals.push_back(text.substr(at, open - at));
      if (open == std::string::npos) return made;
      const size_t close = text.find('}', open);
      if (close == std::string::npos) return Error(node, "in '", text, "' a '{' is not closed");
      ARROW_ASSIGN_OR_RAISE(ColumnRef ref,
                            ReadColumnRef(node, text.substr(open + 1, close - open - 1)));
      made.columns.push_back(std::move(ref));
      at = close + 1;
    }
  }

  // "column" or "join.column".
  Result<ColumnRef> ReadColumnRef(const YAML::Node& node, const std::string& name) const {
    if (name.empty()) return Error(node, "'{}' names no column");
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return ColumnRef{-1, name};
    const std::string join = name.substr(0, dot);
    Names known;
    for (size_t i = 0; i < mapping_.joins.size(); ++i) {
      if (mapping_.joins[i].name == join)
        return ColumnRef{static_cast<int>(i), name.substr(dot + 1)};
      known.push_back(mapping_.joins[i].name);
    }
    return Error(node, "'{", name, "}': there is no join '", join, "'", DidYouMean(join, known));
  }

  // Numbers and times come from a column or a constant; restricted text must be an allowed value.
  Status CheckType(const std::string& field, const FieldRule& rule, const YAML::Node& node) const {
    const auto type = PurchaseEventSchema()->GetFieldByName(field)->type();
    const bool direct = rule.kind == RuleKind::kColumn || rule.kind == RuleKind::kValue;
    if (type->id() != arrow::Type::STRING && !direct) {
      return Error(node, "'", field, "' is a ", type->ToString(),
                   ": it comes from a column or is a constant value");
    }
    std::vector<std::string> results;
    if (rule.kind == RuleKind::kValue) results.push_back(rule.value);
    for (const auto& [from, to] : rule.values) results.push_back(to);
    if (rule.otherwise) results.push_back(*rule.otherwise);
    const Names allowed = AllowedValues(field);
    for (const std::string& result : results) {
      if (allowed.empty() || std::find(allowed.begin(), allowed.end(), result) != allowed.end()) {
        continue;
      }
      return Error(node, "'", result, "' is no ", field, DidYouMean(result, allowed),
                   " (there are ", Listed(allowed), ")");
    }
    return Status::OK();
  }

  // A field used for a look-up must not itself be looked up by a field.
  Status CheckReference(const FieldRule& rule, const YAML::Node& node) const {
    if (rule.field.empty()) return Status::OK();
    const Names fields = PurchaseEventSchema()->field_names();
    const auto other = mapping_.fields.find(rule.field);
    if (other == mapping_.fields.end()) {
      return Error(node, "there is no field '", rule.field, "'", DidYouMean(rule.field, fields));
    }
    const auto type = PurchaseEventSchema()->GetFieldByName(rule.field)->type();
    if (type->id() != arrow::Type::STRING || !other->second.field.empty()) {
      return Error(node, "a look-up by field '", rule.field,
                   "' is not possible: it must be a text that comes from columns");
    }
    return Status::OK();
  }

  SourceMapping mapping_;
};

}  // namespace

Result<SourceMapping> ParseSourceMapping(const std::string& yaml, const std::string& path) {
  try {
    return MappingReader(path).Read(YAML::Load(yaml));
  } catch (const YAML::Exception& error) {
    return Status::Invalid(path, ", line ", error.mark.line + 1, ": ", error.msg);
  }
}

Result<SourceMapping> LoadSourceMapping(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return Status::IOError(path, " cannot be read; the mappings that come with the program are in ",
                           "config/sources");
  }
  return ParseSourceMapping(text.str(), path);
}

std::vector<std::string> ColumnsOf(const SourceMapping& mapping, int join) {
  std::set<std::string> columns;
  for (const auto& [field, rule] : mapping.fields) {
    if (join < 0 && !rule.column.empty()) columns.insert(rule.column);
    for (const Template& text : rule.texts) {
      for (const ColumnRef& ref : text.columns) {
        if (ref.join == join) columns.insert(ref.column);
      }
    }
  }
  for (size_t i = 0; i < mapping.joins.size(); ++i) {
    if (join < 0) columns.insert(mapping.joins[i].on);
    if (join == static_cast<int>(i)) columns.insert(mapping.joins[i].key);
  }
  return {columns.begin(), columns.end()};
}

}  // namespace shopstream::generate
