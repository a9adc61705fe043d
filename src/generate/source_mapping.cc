#include "generate/source_mapping.h"

#include <arrow/type.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "base/join.h"
#include "base/nearest_name.h"
#include "base/yaml_reader.h"
#include "generate/rule_reader.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

using Test = Condition::Test;

constexpr std::pair<const char*, Test> kTests[] = {
    {"is", Test::kIs},       {"is_not", Test::kIsNot},
    {"like", Test::kLike},   {"not_like", Test::kNotLike},
    {"above", Test::kAbove}, {"at_least", Test::kAtLeast},
    {"below", Test::kBelow}, {"at_most", Test::kAtMost}};

// Reads one mapping. Every function that returns a Status names the line concerned.
class MappingReader {
 public:
  MappingReader(const std::string& path, std::string folder)
      : yaml_(path), folder_(std::move(folder)) {
    mapping_.path = path;
  }

  Result<SourceMapping> Read(const YAML::Node& root) {
    ARROW_RETURN_NOT_OK(
        yaml_.CheckKeys(root, {"file", "csv", "nulls", "joins", "where", "event"}, "a mapping"));
    ARROW_ASSIGN_OR_RAISE(const std::string file, yaml_.Text(root, "file"));
    mapping_.file = Resolve(file);
    ARROW_ASSIGN_OR_RAISE(mapping_.format, ReadFormat(root));
    if (root["joins"]) ARROW_RETURN_NOT_OK(ReadJoins(root["joins"]));
    if (root["where"]) ARROW_RETURN_NOT_OK(ReadWhere(root["where"]));
    if (!root["event"]) return yaml_.Error(root, "there is no 'event', which defines each field");
    ARROW_RETURN_NOT_OK(ReadFields(root["event"]));
    return std::move(mapping_);
  }

 private:
  std::string Resolve(const std::string& file) const {
    const std::filesystem::path path(file);
    if (!folder_.empty()) return (std::filesystem::path(folder_) / path.filename()).string();
    if (path.is_absolute()) return file;
    return (std::filesystem::path(mapping_.path).parent_path() / path).lexically_normal().string();
  }

  // `csv` and `nulls`.
  Result<FileFormat> ReadFormat(const YAML::Node& node) const {
    FileFormat format;
    if (node["nulls"]) {
      ARROW_ASSIGN_OR_RAISE(format.nulls, yaml_.Texts(node, "nulls"));
    }
    const YAML::Node csv = node["csv"];
    if (!csv) return format;
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(
        csv, {"delimiter", "encoding", "quote", "decimal", "short_lines", "long_lines"}, "csv"));
    if (csv["delimiter"]) {
      ARROW_ASSIGN_OR_RAISE(format.delimiter, yaml_.Character(csv, "delimiter"));
    }
    if (csv["quote"]) {
      ARROW_ASSIGN_OR_RAISE(format.quote, yaml_.Character(csv, "quote"));
    }
    if (csv["decimal"]) {
      ARROW_ASSIGN_OR_RAISE(const std::string decimal, yaml_.Text(csv, "decimal"));
      if (decimal != "." && decimal != ",") {
        return yaml_.Error(csv["decimal"], "'decimal' can be: . or ,");
      }
      format.decimal = decimal[0];
    }
    if (csv["encoding"]) {
      ARROW_ASSIGN_OR_RAISE(const std::string encoding, yaml_.Text(csv, "encoding"));
      format.encoding = ParseEncoding(encoding);
      if (!format.encoding) {
        return yaml_.Error(csv["encoding"], "'encoding' can be: utf-8, latin-1, cp1252, utf-16");
      }
    }
    ARROW_ASSIGN_OR_RAISE(format.skip_short_lines, yaml_.Word(csv, "short_lines", "skip"));
    ARROW_ASSIGN_OR_RAISE(format.skip_long_lines, yaml_.Word(csv, "long_lines", "skip"));
    return format;
  }

  RuleReader Rules() const {
    Names joins;
    for (const Join& join : mapping_.joins) joins.push_back(join.name);
    return {yaml_, std::move(joins)};
  }

  Status ReadJoins(const YAML::Node& joins) {
    if (!joins.IsMap()) return yaml_.Error(joins, "'joins' must map a name to each joined file");
    for (const auto& entry : joins) {
      Join join;
      join.name = entry.first.Scalar();
      ARROW_RETURN_NOT_OK(
          yaml_.CheckKeys(entry.second, {"file", "key", "on", "csv", "nulls"}, "a join"));
      ARROW_ASSIGN_OR_RAISE(const std::string file, yaml_.Text(entry.second, "file"));
      join.file = Resolve(file);
      ARROW_ASSIGN_OR_RAISE(join.format, ReadFormat(entry.second));
      ARROW_ASSIGN_OR_RAISE(join.key, yaml_.Text(entry.second, "key"));
      // Only earlier joins are known, so a join cannot refer to itself.
      ARROW_ASSIGN_OR_RAISE(join.on, Rules().Column(entry.second, "on"));
      for (const auto& other : joins) {
        if (join.on.join < 0 && join.on.column.starts_with(other.first.Scalar() + ".")) {
          return yaml_.Error(entry.second["on"], "'", join.on.column,
                             "' must come from a join that is listed before '", join.name, "'");
        }
      }
      mapping_.joins.push_back(std::move(join));
    }
    return Status::OK();
  }

  Status ReadWhere(const YAML::Node& where) {
    if (!where.IsSequence()) return yaml_.Error(where, "'where' is a list of conditions");
    for (const YAML::Node& node : where) {
      ARROW_ASSIGN_OR_RAISE(Condition condition, ReadCondition(node));
      mapping_.where.push_back(std::move(condition));
    }
    return Status::OK();
  }

  Result<Condition> ReadCondition(const YAML::Node& node) const {
    Names tests, known = {"column"};
    for (const auto& [name, test] : kTests) tests.emplace_back(name);
    known.insert(known.end(), tests.begin(), tests.end());
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, known, "a condition"));
    Condition condition;
    ARROW_ASSIGN_OR_RAISE(condition.column, Rules().Column(node, "column"));
    if (node.size() != 2) {
      return yaml_.Error(node, "a condition is a column and one of ", Joined(tests, ", "));
    }
    for (const auto& [name, test] : kTests) {
      if (!node[name]) continue;
      condition.test = test;
      ARROW_ASSIGN_OR_RAISE(condition.values, yaml_.Texts(node, name));
      if (test < Test::kAbove) continue;
      const auto bound = ParseDecimal(condition.values[0]);
      if (!bound || condition.values.size() > 1) {
        return yaml_.Error(node[name], "'", name, "' must be a number");
      }
      condition.bound = *bound;
    }
    return condition;
  }

  Status ReadFields(const YAML::Node& event) {
    const Names fields = PurchaseEventSchema()->field_names();
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(event, fields, "the event"));
    const RuleReader rules = Rules();
    for (const std::string& field : fields) {
      const YAML::Node node = event[field];
      if (!node) return yaml_.Error(event, "the event's field '", field, "' is missing");
      ARROW_ASSIGN_OR_RAISE(mapping_.fields[field], rules.Read(field, node));
    }
    for (const auto& [field, rule] : mapping_.fields) {
      ARROW_RETURN_NOT_OK(CheckReference(rule.field, true, event[field]));
      if (rule.rate) ARROW_RETURN_NOT_OK(CheckReference(rule.rate->field, false, event[field]));
    }
    return Status::OK();
  }

  // A field used for a look-up must be a text, which does not itself come from a field.
  Status CheckReference(const std::string& name, bool from_columns, const YAML::Node& node) const {
    if (name.empty()) return Status::OK();
    const Names fields = PurchaseEventSchema()->field_names();
    const auto other = mapping_.fields.find(name);
    if (other == mapping_.fields.end()) {
      return yaml_.Error(node, "there is no field '", name, "'", DidYouMean(name, fields));
    }
    const auto type = PurchaseEventSchema()->GetFieldByName(name)->type();
    if (type->id() != arrow::Type::STRING || (from_columns && !other->second.field.empty())) {
      return yaml_.Error(node, "a look-up by field '", name,
                         "' is not possible: it must be a text that comes from columns");
    }
    return Status::OK();
  }

  const YamlReader yaml_;
  const std::string folder_;
  SourceMapping mapping_;
};

template <typename Visit>
void ForEachColumn(const FieldRule& rule, const Visit& visit) {
  if (rule.column) visit(*rule.column);
  if (rule.rate && rule.rate->column) visit(*rule.rate->column);
  for (const ColumnRef& ref : rule.factors) visit(ref);
  for (const Template& text : rule.texts) {
    for (const ColumnRef& ref : text.columns) visit(ref);
  }
}

}  // namespace

std::string SourceMapping::NameOf(const ColumnRef& ref) const {
  return ref.join < 0 ? ref.column : joins[static_cast<size_t>(ref.join)].name + "." + ref.column;
}

Result<SourceMapping> ParseSourceMapping(const std::string& yaml, const std::string& path,
                                         const std::string& folder) {
  try {
    return MappingReader(path, folder).Read(YAML::Load(yaml));
  } catch (const YAML::Exception& error) {
    return Status::Invalid(path, ", line ", error.mark.line + 1, ": ", error.msg);
  }
}

Result<SourceMapping> LoadSourceMapping(const std::string& path, const std::string& folder) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return Status::IOError(path, " cannot be read; the mappings that come with the program are in ",
                           "config/sources");
  }
  return ParseSourceMapping(text.str(), path, folder);
}

std::vector<std::string> ColumnsOf(const SourceMapping& mapping, int join) {
  std::set<std::string> columns;
  const auto visit = [&](const ColumnRef& ref) {
    if (ref.join == join || (ref.join < 0 && join < 0)) columns.insert(ref.column);
  };
  for (const auto& [field, rule] : mapping.fields) ForEachColumn(rule, visit);
  for (const Condition& condition : mapping.where) visit(condition.column);
  for (const Join& other : mapping.joins) visit(other.on);
  if (join >= 0) columns.insert(mapping.joins[static_cast<size_t>(join)].key);
  return {columns.begin(), columns.end()};
}

std::vector<std::string> TimeColumnsOf(const SourceMapping& mapping) {
  std::set<std::string> columns;
  const auto visit = [&](const ColumnRef& ref) {
    ColumnRef main = ref;
    while (main.join >= 0) main = mapping.joins[static_cast<size_t>(main.join)].on;
    columns.insert(main.column);
  };
  ForEachColumn(mapping.fields.at("timestamp"), visit);
  for (const Condition& condition : mapping.where) visit(condition.column);
  return {columns.begin(), columns.end()};
}

}  // namespace shopstream::generate
