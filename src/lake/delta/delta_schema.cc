#include "lake/delta/delta_schema.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "base/unicode_names.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

// For a type without members.
Result<json> PrimitiveType(const arrow::DataType& type, const std::string& path) {
  switch (type.id()) {
    case arrow::Type::STRING:
      return "string";
    case arrow::Type::INT64:
      return "long";
    case arrow::Type::INT32:
      return "integer";
    case arrow::Type::INT16:
      return "short";
    case arrow::Type::INT8:
      return "byte";
    case arrow::Type::BINARY:
      return "binary";
    case arrow::Type::FLOAT:
      return "float";
    case arrow::Type::DOUBLE:
      return "double";
    case arrow::Type::BOOL:
      return "boolean";
    case arrow::Type::NA:
      return "void";
    case arrow::Type::DATE32:
      return "date";
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (timestamp.unit() == arrow::TimeUnit::MICRO && timestamp.timezone() == "UTC") {
        return "timestamp";
      }
      break;
    }
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return "decimal(" + std::to_string(decimal.precision()) + "," +
             std::to_string(decimal.scale()) + ")";
    }
    default:
      break;
  }
  return Status::NotImplemented("column ", path, ": ", type.ToString(),
                                " cannot be a column of a Delta table here");
}

std::string Inside(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

Result<json> DeltaType(const arrow::DataType& type, const std::string& path);

// Delta readers compare names case-insensitively.
Status CheckNames(const arrow::FieldVector& fields, const std::string& path) {
  std::map<std::string, std::string> seen;
  for (const auto& field : fields) {
    const auto [other, is_new] = seen.emplace(FoldCase(field->name()), field->name());
    if (is_new) continue;
    return Status::Invalid("columns ", Inside(path, field->name()), " and ", other->second,
                           " have names that a Delta table does not distinguish; rename one");
  }
  return Status::OK();
}

Result<json> StructType(const arrow::FieldVector& fields, const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckNames(fields, path));
  json members = json::array();
  for (const auto& field : fields) {
    ARROW_ASSIGN_OR_RAISE(json type, DeltaType(*field->type(), Inside(path, field->name())));
    json metadata = json::object();
    for (int64_t i = 0; field->metadata() != nullptr && i < field->metadata()->size(); ++i) {
      json value = ParseJson(field->metadata()->value(i));
      // Arrow's Parquet readers add their own field ids there.
      const std::string& key = field->metadata()->key(i);
      if (value.is_discarded() || key.starts_with("PARQUET:")) continue;
      metadata[key] = std::move(value);
    }
    members.push_back({{"name", field->name()},
                       {"type", std::move(type)},
                       {"nullable", field->nullable()},
                       {"metadata", std::move(metadata)}});
  }
  return json{{"type", "struct"}, {"fields", std::move(members)}};
}

Result<json> DeltaType(const arrow::DataType& type, const std::string& path) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
      if (type.num_fields() > 0) return StructType(type.fields(), path);
      return Status::NotImplemented("column ", path, ": Parquet has no struct without members");
    case arrow::Type::LIST: {
      const arrow::Field& item = *type.field(0);
      ARROW_ASSIGN_OR_RAISE(json items, DeltaType(*item.type(), path + "[]"));
      return json{
          {"type", "array"}, {"elementType", std::move(items)}, {"containsNull", item.nullable()}};
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      ARROW_ASSIGN_OR_RAISE(json keys, DeltaType(*map.key_type(), path + "{}"));
      ARROW_ASSIGN_OR_RAISE(json values, DeltaType(*map.item_type(), path + "{}"));
      return json{{"type", "map"},
                  {"keyType", std::move(keys)},
                  {"valueType", std::move(values)},
                  {"valueContainsNull", map.item_field()->nullable()}};
    }
    default:
      return PrimitiveType(type, path);
  }
}

Result<std::shared_ptr<arrow::DataType>> ArrowType(const std::string& column, const json& type);
Result<arrow::FieldVector> ParseFields(const json& type, const std::string& path);

Result<std::shared_ptr<arrow::DataType>> NestedType(const std::string& column, const json& type) {
  const std::string kind = type.value("type", json()).is_string() ? type["type"] : json("");
  const auto contains_null = [&](const char* key) {
    return !type.contains(key) || type[key] != false;
  };
  if (kind == "struct" && type.contains("fields") && type["fields"].is_array()) {
    ARROW_ASSIGN_OR_RAISE(auto fields, ParseFields(type, column));
    return arrow::struct_(std::move(fields));
  }
  if (kind == "array" && type.contains("elementType")) {
    ARROW_ASSIGN_OR_RAISE(auto items, ArrowType(column + "[]", type["elementType"]));
    return arrow::list(arrow::field("element", std::move(items), contains_null("containsNull")));
  }
  if (kind == "map" && type.contains("keyType") && type.contains("valueType")) {
    ARROW_ASSIGN_OR_RAISE(auto keys, ArrowType(column + "{}", type["keyType"]));
    ARROW_ASSIGN_OR_RAISE(auto values, ArrowType(column + "{}", type["valueType"]));
    return arrow::map(std::move(keys),
                      arrow::field("value", std::move(values), contains_null("valueContainsNull")));
  }
  return Status::NotImplemented("column ", column, ": Delta type ", type.dump(),
                                " is not supported");
}

Result<std::shared_ptr<arrow::DataType>> ArrowType(const std::string& column, const json& type) {
  static const std::vector<std::pair<std::string, std::shared_ptr<arrow::DataType>>> kTypes = {
      {"string", arrow::utf8()},
      {"long", arrow::int64()},
      {"integer", arrow::int32()},
      {"short", arrow::int16()},
      {"byte", arrow::int8()},
      {"binary", arrow::binary()},
      {"float", arrow::float32()},
      {"double", arrow::float64()},
      {"boolean", arrow::boolean()},
      {"void", arrow::null()},
      {"date", arrow::date32()},
      {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")}};
  if (type.is_object()) return NestedType(column, type);
  if (type.is_string()) {
    const auto& name = type.get_ref<const std::string&>();
    for (const auto& [delta, arrow_type] : kTypes) {
      if (delta == name) return arrow_type;
    }
    int precision = 0;
    int scale = 0;
    if (std::sscanf(name.c_str(), "decimal(%d,%d)", &precision, &scale) == 2) {
      return arrow::Decimal128Type::Make(precision, scale);
    }
  }
  return Status::NotImplemented("column ", column, ": Delta type ", type.dump(),
                                " is not supported");
}

Result<std::shared_ptr<arrow::Field>> ParseField(const json& field, const std::string& path) {
  if (!field.is_object() || !field.contains("name") || !field["name"].is_string() ||
      !field.contains("type")) {
    return Status::Invalid("schemaString holds a field without name and type: ", field.dump());
  }
  const std::string name = field["name"];
  ARROW_ASSIGN_OR_RAISE(auto type, ArrowType(Inside(path, name), field["type"]));
  const bool nullable = !field.contains("nullable") || field["nullable"] != false;
  std::shared_ptr<arrow::KeyValueMetadata> metadata;
  if (field.contains("metadata") && field["metadata"].is_object() && !field["metadata"].empty()) {
    metadata = std::make_shared<arrow::KeyValueMetadata>();
    for (const auto& [key, value] : field["metadata"].items()) metadata->Append(key, value.dump());
  }
  return arrow::field(name, std::move(type), nullable, std::move(metadata));
}

Result<arrow::FieldVector> ParseFields(const json& type, const std::string& path) {
  arrow::FieldVector fields;
  for (const json& field : type["fields"]) {
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), ParseField(field, path));
  }
  return fields;
}

// Null: files do not store the field.
std::shared_ptr<arrow::Field> StoredField(const std::shared_ptr<arrow::Field>& field) {
  const arrow::DataType& type = *field->type();
  switch (type.id()) {
    case arrow::Type::NA:
      return nullptr;
    case arrow::Type::STRUCT: {
      auto members = StoredFields(type.fields());
      return members.empty() ? nullptr : field->WithType(arrow::struct_(std::move(members)));
    }
    case arrow::Type::LIST: {
      const auto item = StoredField(type.field(0));
      return item == nullptr ? nullptr : field->WithType(arrow::list(item));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      const auto key = StoredField(map.key_field());
      const auto item = StoredField(map.item_field());
      if (key == nullptr || item == nullptr) return nullptr;
      return field->WithType(std::make_shared<arrow::MapType>(key, item));
    }
    default:
      return field;
  }
}

}  // namespace

arrow::FieldVector StoredFields(const arrow::FieldVector& fields) {
  arrow::FieldVector stored;
  for (const auto& field : fields) {
    if (auto kept = StoredField(field)) stored.push_back(std::move(kept));
  }
  return stored;
}

std::shared_ptr<arrow::Schema> StoredSchema(const arrow::Schema& table,
                                            const std::vector<std::string>& partition_columns) {
  arrow::FieldVector fields;
  for (const auto& field : table.fields()) {
    if (std::ranges::find(partition_columns, field->name()) == partition_columns.end()) {
      fields.push_back(field);
    }
  }
  return arrow::schema(StoredFields(fields));
}

Status CheckDataFormat(const std::optional<std::string>& provider) {
  if (!provider || ToLower(*provider) == "parquet") return Status::OK();
  return Status::NotImplemented("the table's data files are ", *provider,
                                " (metaData.format.provider), this program reads Parquet: write a "
                                "new table");
}

Result<std::string> FormatDeltaSchema(const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(const json type, StructType(schema.fields(), ""));
  return type.dump();
}

Result<std::shared_ptr<arrow::Schema>> ParseDeltaSchema(const std::string& schema_string) {
  const json schema = ParseJson(schema_string);
  if (!schema.is_object() || !schema.contains("fields") || !schema["fields"].is_array()) {
    return Status::Invalid("schemaString is not a struct in JSON: ", schema_string.substr(0, 200));
  }
  ARROW_ASSIGN_OR_RAISE(auto fields, ParseFields(schema, ""));
  return arrow::schema(std::move(fields));
}

}  // namespace shopstream::lake
