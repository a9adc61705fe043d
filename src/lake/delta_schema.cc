#include "lake/delta_schema.h"

#include <arrow/util/key_value_metadata.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace shopstream::lake {
namespace {

using nlohmann::json;

Result<std::string> DeltaType(const arrow::Field& field) {
  const arrow::DataType& type = *field.type();
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
  return Status::NotImplemented("column ", field.name(), ": ", type.ToString(),
                                " cannot be a column of a Delta table here");
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
      {"date", arrow::date32()},
      {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")}};
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

Result<std::shared_ptr<arrow::Field>> ParseField(const json& field) {
  if (!field.is_object() || !field.contains("name") || !field["name"].is_string() ||
      !field.contains("type")) {
    return Status::Invalid("schemaString holds a field without name and type: ", field.dump());
  }
  const std::string name = field["name"];
  ARROW_ASSIGN_OR_RAISE(auto type, ArrowType(name, field["type"]));
  const bool nullable = !field.contains("nullable") || field["nullable"] != false;
  std::shared_ptr<arrow::KeyValueMetadata> metadata;
  if (field.contains("metadata") && field["metadata"].is_object() && !field["metadata"].empty()) {
    metadata = std::make_shared<arrow::KeyValueMetadata>();
    for (const auto& [key, value] : field["metadata"].items()) metadata->Append(key, value.dump());
  }
  return arrow::field(name, std::move(type), nullable, std::move(metadata));
}

}  // namespace

Result<std::string> FormatDeltaSchema(const arrow::Schema& schema) {
  json fields = json::array();
  for (const auto& field : schema.fields()) {
    ARROW_ASSIGN_OR_RAISE(const std::string type, DeltaType(*field));
    json metadata = json::object();
    for (int64_t i = 0; field->metadata() != nullptr && i < field->metadata()->size(); ++i) {
      const json value = json::parse(field->metadata()->value(i), nullptr, false);
      if (!value.is_discarded()) metadata[field->metadata()->key(i)] = value;
    }
    fields.push_back({{"name", field->name()},
                      {"type", type},
                      {"nullable", field->nullable()},
                      {"metadata", std::move(metadata)}});
  }
  return json({{"type", "struct"}, {"fields", std::move(fields)}}).dump();
}

Result<std::shared_ptr<arrow::Schema>> ParseDeltaSchema(const std::string& schema_string) {
  const json schema = json::parse(schema_string, nullptr, /*allow_exceptions=*/false);
  if (!schema.is_object() || !schema.contains("fields") || !schema["fields"].is_array()) {
    return Status::Invalid("schemaString is not a struct in JSON: ", schema_string.substr(0, 200));
  }
  arrow::FieldVector fields;
  for (const json& field : schema["fields"]) {
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), ParseField(field));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace shopstream::lake
