#include "lake/upkeep/verify_entry.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/unicode_names.h"
#include "lake/delta/retention.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

constexpr int kNewestWriter = 7;

enum class Form { kText, kCount, kVersion, kBoolean, kTexts, kTextMap, kValueMap };

struct FieldForm {
  const char* name;
  Form form;
};

// The fields that the protocol requires of each action. Wrongly typed optional ones are faults too.
const std::map<std::string, std::vector<FieldForm>>& RequiredFields() {
  static const std::map<std::string, std::vector<FieldForm>> kFields = {
      {"protocol", {{"minReaderVersion", Form::kVersion}, {"minWriterVersion", Form::kVersion}}},
      {"metaData",
       {{"id", Form::kText},
        {"schemaString", Form::kText},
        {"partitionColumns", Form::kTexts},
        {"configuration", Form::kTextMap}}},
      {"add",
       {{"path", Form::kText},
        {"partitionValues", Form::kValueMap},
        {"size", Form::kCount},
        {"modificationTime", Form::kCount},
        {"dataChange", Form::kBoolean}}},
      {"remove", {{"path", Form::kText}, {"dataChange", Form::kBoolean}}},
      {"txn", {{"appId", Form::kText}, {"version", Form::kCount}}},
  };
  return kFields;
}

bool IsText(const json& value) { return value.is_string(); }
bool IsTextOrNull(const json& value) { return value.is_string() || value.is_null(); }

bool Has(const json& value, Form form) {
  switch (form) {
    case Form::kText:
      return value.is_string();
    case Form::kCount:
      return value.is_number_integer();
    case Form::kVersion:
      return value.is_number_integer() && value.get<int64_t>() >= 1;
    case Form::kBoolean:
      return value.is_boolean();
    case Form::kTexts:
      return value.is_array() && std::all_of(value.begin(), value.end(), IsText);
    case Form::kTextMap:
      return value.is_object() && std::all_of(value.begin(), value.end(), IsText);
    case Form::kValueMap:
      return value.is_object() && std::all_of(value.begin(), value.end(), IsTextOrNull);
  }
  return false;
}

std::string Shown(const json& value) { return value.dump().substr(0, 80); }

const json* Find(const json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

class SchemaCheck {
 public:
  std::vector<std::string> Run(const std::string& schema_string) {
    const json schema = ParseJson(schema_string);
    const json* fields = schema.is_object() ? Find(schema, "fields") : nullptr;
    if (fields == nullptr || !fields->is_array()) {
      return {"schemaString is not a JSON struct: " + schema_string.substr(0, 80)};
    }
    CheckFields(*fields, "");
    return std::move(faults_);
  }

 private:
  void CheckFields(const json& fields, const std::string& parent) {
    std::set<std::string> names;
    for (const json& field : fields) {
      const json* name = field.is_object() ? Find(field, "name") : nullptr;
      if (name == nullptr || !name->is_string()) {
        faults_.push_back("schemaString has a field without a name: " + Shown(field));
        continue;
      }
      const std::string path = parent + name->get<std::string>();
      if (!names.insert(FoldCase(name->get<std::string>())).second) {
        faults_.push_back("column " + path + " is in the schema twice if case is ignored");
      }
      Require(field, "nullable", path, [](const json& value) { return value.is_boolean(); });
      Require(field, "metadata", path, [](const json& value) { return value.is_object(); });
      if (Require(field, "type", path,
                  [](const json& value) { return value.is_string() || value.is_object(); })) {
        CheckType(field["type"], path);
      }
    }
  }

  void CheckType(const json& type, const std::string& path) {
    if (type.is_string()) {  // Opening the table checks whether its name is known.
      int precision = 0;
      int scale = 0;
      const std::string name = type.get<std::string>();
      if (std::sscanf(name.c_str(), "decimal(%d,%d)", &precision, &scale) == 2 &&
          (precision < 1 || precision > 38 || scale < 0 || scale > precision)) {
        faults_.push_back("column " + path + " has the type " + name + ", which is not possible");
      }
      return;
    }
    const json* kind = Find(type, "type");
    if (kind == nullptr) {
      faults_.push_back("column " + path + " has a type without a name: " + Shown(type));
    } else if (*kind == "struct") {
      if (Require(type, "fields", path, [](const json& value) { return value.is_array(); })) {
        CheckFields(type["fields"], path + ".");
      }
    } else if (*kind == "array") {
      CheckItem(type, "elementType", "containsNull", path + "[]");
    } else if (*kind == "map") {
      CheckItem(type, "keyType", nullptr, path + "{}");
      CheckItem(type, "valueType", "valueContainsNull", path + "{}");
    }
  }

  void CheckItem(const json& type, const char* item, const char* nullable,
                 const std::string& path) {
    if (nullable != nullptr) {
      Require(type, nullable, path, [](const json& value) { return value.is_boolean(); });
    }
    if (Require(type, item, path,
                [](const json& value) { return value.is_string() || value.is_object(); })) {
      CheckType(type[item], path);
    }
  }

  template <typename IsGood>
  bool Require(const json& object, const char* name, const std::string& path,
               const IsGood& is_good) {
    const json* value = Find(object, name);
    if (value != nullptr && is_good(*value)) return true;
    faults_.push_back("column " + path + (value == nullptr ? " lacks " : " has a wrong ") + name +
                      " in the schema");
    return false;
  }

  std::vector<std::string> faults_;
};

class EntryCheck {
 public:
  EntryCheck(std::optional<std::vector<std::string>>* partition_columns,
             const std::function<void(const std::string&)>& find)
      : partition_columns_(partition_columns), find_(find) {}

  void Run(std::string_view text) {
    std::vector<std::pair<std::string, json>> actions;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const json line = ParseJson(text.substr(begin, end - begin));
      begin = end + 1;
      if (!line.is_object()) continue;  // Reading the entry reports it.
      for (const auto& [kind, action] : line.items()) {
        if (!action.is_null()) actions.emplace_back(kind, action);
      }
    }
    if (actions.empty()) find_("it has no action");
    // An entry's metaData applies to all of its files.
    for (const auto& [kind, action] : actions) {
      if (kind == "metaData") CheckMetadata(action);
      if (kind == "protocol") CheckProtocol(action);
    }
    for (const auto& [kind, action] : actions) Check(kind, action);
  }

 private:
  void Check(const std::string& kind, const json& action) {
    if (!action.is_object()) {
      find_("its " + kind + " is not a JSON object: " + Shown(action));
      return;
    }
    const auto required = RequiredFields().find(kind);
    if (required == RequiredFields().end()) return;
    const json* path = Find(action, "path");
    const std::string name =
        path != nullptr && path->is_string() ? kind + " " + path->get<std::string>() : kind;
    for (const auto& [field, form] : required->second) {
      const json* value = Find(action, field);
      if (value == nullptr) {
        find_("its " + name + " lacks " + field);
      } else if (!Has(*value, form)) {
        find_("its " + name + " has a wrong " + field + ": " + Shown(*value));
      }
    }
    if (kind == "add") CheckAdd(name, action);
    const bool is_file = kind == "add" || kind == "remove";
    if (is_file && path != nullptr && path->is_string() &&
        !files_.insert(path->get<std::string>()).second) {
      find_("it adds or removes " + path->get<std::string>() + " more than once");
    }
  }

  void CheckAdd(const std::string& name, const json& add) {
    if (const json* stats = Find(add, "stats"); stats != nullptr && !stats->is_string()) {
      find_("its " + name + " has statistics that are not a string: " + Shown(*stats));
    }
    const json* values = Find(add, "partitionValues");
    if (values == nullptr || !values->is_object() || !*partition_columns_) return;
    for (const std::string& column : **partition_columns_) {
      if (!values->contains(column)) find_("its " + name + " has no value of partition " + column);
    }
    for (const auto& [column, value] : values->items()) {
      if (std::ranges::find(**partition_columns_, column) == (*partition_columns_)->end()) {
        find_("its " + name + " has a value of " + column + ", which is not a partition column");
      }
    }
  }

  void CheckMetadata(const json& metadata) {
    if (!metadata.is_object()) return;
    if (++metadatas_ > 1) find_("it has more than one metaData");
    const json* format = Find(metadata, "format");
    if (format == nullptr || !format->is_object()) {
      find_("its metaData lacks format");
    } else {
      const json* provider = Find(*format, "provider");
      if (provider == nullptr || !provider->is_string())
        find_("its metaData lacks format.provider");
      const json* options = Find(*format, "options");
      if (options == nullptr || !Has(*options, Form::kTextMap)) {
        find_("its metaData lacks format.options");
      }
    }
    const json* columns = Find(metadata, "partitionColumns");
    if (columns == nullptr || !Has(*columns, Form::kTexts)) {
      partition_columns_->reset();
      return;
    }
    *partition_columns_ = columns->get<std::vector<std::string>>();
  }

  // Only reader version 3 and writer version 7 have lists of features.
  void CheckProtocol(const json& protocol) {
    if (!protocol.is_object()) return;
    if (++protocols_ > 1) find_("it has more than one protocol");
    const std::set<std::string> readers =
        Features(protocol, "minReaderVersion", 3, "readerFeatures");
    const std::set<std::string> writers =
        Features(protocol, "minWriterVersion", 7, "writerFeatures");
    static const std::set<std::string> kBoth = {
        "columnMapping", "deletionVectors",      "timestampNtz",
        "typeWidening",  "typeWidening-preview", "v2Checkpoint",
        "variantType",   "variantType-preview",  "vacuumProtocolCheck"};
    for (const std::string& feature : readers) {
      if (!writers.contains(feature)) {
        find_("its protocol has the reader feature " + feature + ", but not as a writer feature");
      }
    }
    for (const std::string& feature : writers) {
      if (kBoth.contains(feature) && !readers.contains(feature)) {
        find_("its protocol has the writer feature " + feature + ", but not as a reader feature");
      }
    }
  }

  std::set<std::string> Features(const json& protocol, const char* version, int64_t with_features,
                                 const char* list) {
    const json* number = Find(protocol, version);
    const json* features = Find(protocol, list);
    if (number == nullptr || !Has(*number, Form::kVersion)) return {};
    const bool has_features = *number == with_features;
    const std::string of = std::string(version) + " " + std::to_string(number->get<int64_t>());
    if (has_features && features == nullptr)
      find_("its protocol lacks " + std::string(list) + ", which " + of + " demands");
    if (features == nullptr) return {};
    if (!has_features)
      find_("its protocol has " + std::string(list) + ", which " + of + " does not have");
    if (Has(*features, Form::kTexts)) return features->get<std::set<std::string>>();
    find_("its protocol has a wrong " + std::string(list) + ": " + Shown(*features));
    return {};
  }

  std::optional<std::vector<std::string>>* const partition_columns_;
  const std::function<void(const std::string&)>& find_;
  std::set<std::string> files_;
  int metadatas_ = 0;
  int protocols_ = 0;
};

}  // namespace

void CheckEntryForm(std::string_view text,
                    std::optional<std::vector<std::string>>* partition_columns,
                    const std::function<void(const std::string& reason)>& find) {
  EntryCheck(partition_columns, find).Run(text);
}

std::vector<std::string> MetadataFaults(const TableState& state) {
  std::vector<std::string> faults = SchemaCheck().Run(state.metadata().schema_string);
  std::set<std::string> names;
  for (const std::string& column : state.partition_columns()) {
    if (!names.insert(FoldCase(column)).second) {
      faults.push_back("partition column " + column + " is named twice");
    }
    const auto field = state.schema()->GetFieldByName(column);
    if (field != nullptr && arrow::is_nested(field->type()->id())) {
      faults.push_back("partition column " + column + " is " + field->type()->ToString() +
                       ", and no partition can have such a value");
    }
  }
  if (state.protocol().min_writer_version > kNewestWriter) {
    faults.push_back("its protocol has minWriterVersion " +
                     std::to_string(state.protocol().min_writer_version) +
                     ", which is not a version of the Delta protocol");
  }
  // The protocols that this program supports have no column mapping.
  const auto mapping = state.properties().find("delta.columnMapping.mode");
  if (mapping != state.properties().end() && mapping->second != "none") {
    faults.push_back("the property " + mapping->first + "=" + mapping->second +
                     " is not one of minReaderVersion " +
                     std::to_string(state.protocol().min_reader_version));
  }
  for (std::string& warning : RetentionWarnings(state.properties())) {
    faults.push_back(std::move(warning));
  }
  if (state.partition_columns().size() == state.schema()->fields().size()) {
    faults.push_back("each of its columns is a partition column");
  }
  return faults;
}

std::string PathFault(const std::string& path) {
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    if (part.empty()) return "its path has an empty part";
    if (part == "." || part == "..") return "its path has the part " + part;
    begin = end + 1;
  }
  return "";
}

}  // namespace shopstream::lake
