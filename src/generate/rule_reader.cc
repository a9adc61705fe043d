#include "generate/rule_reader.h"

#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "base/join.h"
#include "base/nearest_name.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

constexpr Epoch kEpochs[] = {{"s", 1}, {"ms", 1000}, {"us", 1'000'000}, {"ns", 1'000'000'000}};

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

// `keys`, plus the keys for missing values, which every rule except a constant takes.
Names AlsoMissing(Names keys) {
  keys.insert(keys.end(), {"default", "missing"});
  return keys;
}

bool SaysTime(const YAML::Node& node) { return node["format"] || node["zone"] || node["epoch"]; }

}  // namespace

RuleReader::RuleReader(const YamlReader& yaml, Names joins)
    : yaml_(yaml), joins_(std::move(joins)) {}

Result<FieldRule> RuleReader::Read(const std::string& field, const YAML::Node& node) const {
  ARROW_RETURN_NOT_OK(yaml_.CheckKeys(
      node,
      {"column", "field", "value", "values", "otherwise", "modulo", "text", "case", "uuid5",
       "namespace", "product", "hash", "rate", "format", "zone", "epoch", "default", "missing"},
      "a field"));
  ARROW_ASSIGN_OR_RAISE(FieldRule rule, ReadKind(node));
  if (node["default"]) {
    ARROW_ASSIGN_OR_RAISE(rule.default_value, yaml_.Text(node, "default"));
  }
  ARROW_ASSIGN_OR_RAISE(rule.skip_missing, yaml_.Word(node, "missing", "skip"));
  if (rule.skip_missing && rule.default_value) {
    return yaml_.Error(node, "a field with a 'default' has no missing values: remove 'default' or ",
                       "'missing'");
  }
  ARROW_RETURN_NOT_OK(CheckType(field, rule, node));
  ARROW_RETURN_NOT_OK(CheckAllowed(field, rule, node));
  return rule;
}

Result<FieldRule> RuleReader::ReadKind(const YAML::Node& node) const {
  const std::pair<const char*, Result<FieldRule> (RuleReader::*)(const YAML::Node&) const> kinds[] =
      {{"value", &RuleReader::ReadValue},   {"text", &RuleReader::ReadText},
       {"uuid5", &RuleReader::ReadUuid5},   {"product", &RuleReader::ReadProduct},
       {"values", &RuleReader::ReadLookUp}, {"modulo", &RuleReader::ReadLookUp},
       {"column", &RuleReader::ReadColumn}, {"field", &RuleReader::ReadLookUp}};
  for (const auto& [key, read] : kinds) {
    if (node[key]) return (this->*read)(node);
  }
  return yaml_.Error(node, "a field needs one of column, value, values, text, uuid5, product");
}

Result<FieldRule> RuleReader::ReadColumn(const YAML::Node& node) const {
  ARROW_RETURN_NOT_OK(
      yaml_.CheckKeys(node, AlsoMissing({"column", "hash", "rate", "format", "zone", "epoch"}),
                      "a field by column alone"));
  FieldRule rule = RuleOf(RuleKind::kColumn);
  ARROW_ASSIGN_OR_RAISE(rule.column, Column(node, "column"));
  ARROW_ASSIGN_OR_RAISE(rule.hash, yaml_.Word(node, "hash", "true"));
  if (node["rate"]) {
    ARROW_ASSIGN_OR_RAISE(rule.rate, ReadRate(node["rate"]));
  }
  ARROW_ASSIGN_OR_RAISE(rule.time, ReadTime(node));
  return rule;
}

Result<FieldRule> RuleReader::ReadValue(const YAML::Node& node) const {
  ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, {"value"}, "a constant"));
  FieldRule rule = RuleOf(RuleKind::kValue);
  ARROW_ASSIGN_OR_RAISE(rule.value, yaml_.Text(node, "value"));
  return rule;
}

Result<FieldRule> RuleReader::ReadLookUp(const YAML::Node& node) const {
  ARROW_RETURN_NOT_OK(yaml_.CheckKeys(
      node, AlsoMissing({"column", "field", "values", "otherwise", "modulo"}), "a look-up"));
  FieldRule rule = RuleOf(RuleKind::kLookUp);
  if (node["field"] && node["column"]) {
    return yaml_.Error(node, "a look-up uses a column or a field, not both");
  }
  if (node["field"]) {
    ARROW_ASSIGN_OR_RAISE(rule.field, yaml_.Text(node, "field"));
  } else {
    ARROW_ASSIGN_OR_RAISE(rule.column, Column(node, "column"));
  }
  const YAML::Node values = node["values"];
  if (!values || !values.IsMap() || values.size() == 0) {
    return yaml_.Error(node, "'values' must map each value to a text");
  }
  for (const auto& entry : values) {
    if (!entry.second.IsScalar()) return yaml_.Error(entry.second, "a value must map to a text");
    rule.values[entry.first.Scalar()] = entry.second.Scalar();
  }
  if (node["otherwise"]) {
    ARROW_ASSIGN_OR_RAISE(rule.otherwise, yaml_.Text(node, "otherwise"));
  }
  if (node["modulo"]) {
    rule.modulo = node["modulo"].as<int64_t>(0);
    if (rule.modulo <= 0)
      return yaml_.Error(node["modulo"], "'modulo' must be a whole number above zero");
  }
  return rule;
}

Result<FieldRule> RuleReader::ReadText(const YAML::Node& node) const {
  ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, AlsoMissing({"text", "case", "hash"}), "a text"));
  FieldRule rule = RuleOf(RuleKind::kText);
  const YAML::Node text = node["text"];
  for (size_t i = 0; i < (text.IsSequence() ? text.size() : 1); ++i) {
    ARROW_ASSIGN_OR_RAISE(Template parsed, ReadTemplate(text.IsSequence() ? text[i] : text));
    rule.texts.push_back(std::move(parsed));
  }
  if (rule.texts.empty()) return yaml_.Error(text, "'text' is an empty list");
  ARROW_ASSIGN_OR_RAISE(rule.title_case, yaml_.Word(node, "case", "title"));
  ARROW_ASSIGN_OR_RAISE(rule.hash, yaml_.Word(node, "hash", "true"));
  return rule;
}

Result<FieldRule> RuleReader::ReadUuid5(const YAML::Node& node) const {
  ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, AlsoMissing({"uuid5", "namespace"}), "a uuid5"));
  FieldRule rule = RuleOf(RuleKind::kUuid5);
  ARROW_ASSIGN_OR_RAISE(Template name, ReadTemplate(node["uuid5"]));
  rule.texts.push_back(std::move(name));
  ARROW_ASSIGN_OR_RAISE(const std::string text, yaml_.Text(node, "namespace"));
  const Result<Uuid> name_space = ParseUuid(text);
  if (!name_space.ok()) return yaml_.Error(node["namespace"], name_space.status().message());
  rule.name_space = *name_space;
  return rule;
}

Result<FieldRule> RuleReader::ReadProduct(const YAML::Node& node) const {
  ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, AlsoMissing({"product", "rate"}), "a product"));
  FieldRule rule = RuleOf(RuleKind::kProduct);
  ARROW_ASSIGN_OR_RAISE(const Names columns, yaml_.Texts(node, "product"));
  for (const std::string& column : columns) rule.factors.push_back(ToColumn(column));
  if (node["rate"]) {
    ARROW_ASSIGN_OR_RAISE(rule.rate, ReadRate(node["rate"]));
  }
  return rule;
}

Result<Rate> RuleReader::ReadRate(const YAML::Node& node) const {
  Rate rate;
  if (node.IsScalar()) {
    ARROW_ASSIGN_OR_RAISE(rate.factor, Factor(node));
    return rate;
  }
  if (!node.IsMap() || !node["by"] == !node["column"]) {
    return yaml_.Error(node, "a 'rate' is a number, or gives one for each value: ",
                       "{by: currency, USD: 1, EUR: 0.92}, or {column: ..., GBP: 1.17}");
  }
  if (node["by"]) {
    ARROW_ASSIGN_OR_RAISE(rate.field, yaml_.Text(node, "by"));
  } else {
    ARROW_ASSIGN_OR_RAISE(rate.column, Column(node, "column"));
  }
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (key == "by" || key == "column") continue;
    ARROW_ASSIGN_OR_RAISE(rate.factors[key], Factor(entry.second));
  }
  return rate;
}

Result<Decimal> RuleReader::Factor(const YAML::Node& node) const {
  const auto factor = node.IsScalar() ? ParseDecimal(node.Scalar()) : std::nullopt;
  if (!factor || factor->digits <= 0) {
    return yaml_.Error(node, "a rate must be a number above zero");
  }
  return *factor;
}

Result<TimeRule> RuleReader::ReadTime(const YAML::Node& node) const {
  TimeRule time;
  if (node["epoch"] && (node["format"] || node["zone"])) {
    return yaml_.Error(node, "'epoch' cannot be combined with 'format' or 'zone': it is always in ",
                       "UTC");
  }
  if (node["format"]) {
    ARROW_ASSIGN_OR_RAISE(const std::string text, yaml_.Text(node, "format"));
    auto pattern = TimePattern::Compile(text);
    if (!pattern.ok()) return yaml_.Error(node["format"], pattern.status().message());
    time.pattern = *std::move(pattern);
  }
  if (node["zone"]) {
    ARROW_ASSIGN_OR_RAISE(const std::string name, yaml_.Text(node, "zone"));
    auto zone = TimeZone::Load(name);
    if (!zone.ok()) return yaml_.Error(node["zone"], zone.status().message());
    time.zone = *std::move(zone);
  }
  if (node["epoch"]) {
    ARROW_ASSIGN_OR_RAISE(const std::string unit, yaml_.Text(node, "epoch"));
    for (const Epoch& epoch : kEpochs) {
      if (unit == epoch.name) time.epoch = epoch;
    }
    if (!time.epoch) return yaml_.Error(node["epoch"], "'epoch' can be: s, ms, us, ns");
  }
  return time;
}

Result<Template> RuleReader::ReadTemplate(const YAML::Node& node) const {
  if (!node.IsScalar())
    return yaml_.Error(node, "a text is expected, such as \"{column} {column}\"");
  const std::string& text = node.Scalar();
  Template made;
  size_t at = 0;
  while (true) {
    const size_t open = text.find('{', at);
    made.literals.push_back(text.substr(at, open - at));
    if (open == std::string::npos) return made;
    const size_t close = text.find('}', open);
    if (close == std::string::npos) {
      return yaml_.Error(node, "'", text, "' has a '{' without a '}'");
    }
    ARROW_ASSIGN_OR_RAISE(ColumnRef ref,
                          TemplateColumn(node, text.substr(open + 1, close - open - 1)));
    made.columns.push_back(std::move(ref));
    at = close + 1;
  }
}

// "column" or "join.column".
Result<ColumnRef> RuleReader::TemplateColumn(const YAML::Node& node,
                                             const std::string& name) const {
  if (name.empty()) return yaml_.Error(node, "'{}' does not name a column");
  const ColumnRef ref = ToColumn(name);
  if (ref.join >= 0 || name.find('.') == std::string::npos) return ref;
  const std::string join = name.substr(0, name.find('.'));
  return yaml_.Error(node, "'{", name, "}': there is no join '", join, "'",
                     DidYouMean(join, joins_));
}

Result<ColumnRef> RuleReader::Column(const YAML::Node& node, const std::string& key) const {
  ARROW_ASSIGN_OR_RAISE(const std::string name, yaml_.Text(node, key));
  return ToColumn(name);
}

ColumnRef RuleReader::ToColumn(const std::string& name) const {
  const size_t dot = name.find('.');
  const auto join = std::find(joins_.begin(), joins_.end(), name.substr(0, dot));
  if (dot == std::string::npos || join == joins_.end()) return {-1, name};
  return {static_cast<int>(join - joins_.begin()), name.substr(dot + 1)};
}

// Numbers and times come from columns or a constant.
Status RuleReader::CheckType(const std::string& field, const FieldRule& rule,
                             const YAML::Node& node) const {
  const auto type = PurchaseEventSchema()->GetFieldByName(field)->type();
  const bool is_text = type->id() == arrow::Type::STRING;
  const bool is_amount = type->id() == arrow::Type::DOUBLE;
  const bool direct = rule.kind == RuleKind::kColumn || rule.kind == RuleKind::kValue;
  if (rule.hash && type->id() != arrow::Type::INT32) {
    return yaml_.Error(node, "'", field, "' is of type ", type->ToString(),
                       ": 'hash' makes whole numbers from texts");
  }
  if ((rule.rate || rule.kind == RuleKind::kProduct) && !is_amount) {
    return yaml_.Error(node, "'", field, "' is of type ", type->ToString(),
                       ": 'product' and 'rate' make amounts");
  }
  if (SaysTime(node) && type->id() != arrow::Type::TIMESTAMP) {
    return yaml_.Error(node, "'", field,
                       "' is not a time: 'format', 'zone' and 'epoch' are for times");
  }
  if (!is_text && !direct && !rule.hash && rule.kind != RuleKind::kProduct) {
    return yaml_.Error(node, "'", field, "' is of type ", type->ToString(),
                       ": it comes from a column or is a constant value");
  }
  return Status::OK();
}

// Restricted text must be an allowed value.
Status RuleReader::CheckAllowed(const std::string& field, const FieldRule& rule,
                                const YAML::Node& node) const {
  Names results;
  if (rule.kind == RuleKind::kValue) results.push_back(rule.value);
  for (const auto& [from, to] : rule.values) results.push_back(to);
  if (rule.otherwise) results.push_back(*rule.otherwise);
  if (rule.default_value) results.push_back(*rule.default_value);
  const Names allowed = AllowedValues(field);
  for (const std::string& result : results) {
    if (allowed.empty() || std::find(allowed.begin(), allowed.end(), result) != allowed.end()) {
      continue;
    }
    return yaml_.Error(node, "'", result, "' is not a value of ", field,
                       DidYouMean(result, allowed), " (there are ", Joined(allowed, ", "), ")");
  }
  return Status::OK();
}

}  // namespace shopstream::generate
