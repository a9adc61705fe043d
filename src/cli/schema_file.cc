#include "cli/schema_file.h"

#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <utility>

#include "avro/node.h"
#include "avro/schema_text.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/number.h"
#include "registry/context.h"

namespace shopstream::cli {
namespace {

Result<registry::SchemaReference> ParseReference(const std::string& subject,
                                                 const std::string& option,
                                                 registry::Client* client) {
  // A subject may contain colons, but a version cannot.
  const size_t equals = option.find('=');
  const size_t colon = option.rfind(':');
  const Status wrong =
      Status::Invalid("--reference '", option, "': write NAME=SUBJECT:VERSION, such as ",
                      "shop.Line=lines-value:1");
  if (equals == std::string::npos || colon == std::string::npos || equals == 0 ||
      colon < equals + 2 || colon + 1 == option.size()) {
    return wrong;
  }
  registry::SchemaReference reference{.name = option.substr(0, equals),
                                      .subject = option.substr(equals + 1, colon - equals - 1)};
  const std::string version = option.substr(colon + 1);
  if (version == "latest" || version == "-1") {
    ARROW_ASSIGN_OR_RAISE(const auto latest,
                          client->Latest(registry::InContextOf(subject, reference.subject)));
    reference.version = latest.version;
    return reference;
  }
  const auto number = ParseWhole<int32_t>(version);
  if (!number || *number < 1) return wrong;
  reference.version = *number;
  return reference;
}

void WarnOf(const avro::Node& node, const std::string& path, std::set<const avro::Node*>* seen) {
  if (!seen->insert(&node).second) return;
  for (const avro::Field& field : node.fields) {
    const std::string name = path.empty() ? field.name : path + "." + field.name;
    if (!field.stray_logical_type.empty()) {
      Log::Tell(LogLevel::kWarn, "the logicalType " + field.stray_logical_type + " of field " +
                                     name + " " + avro::ExplainStrayLogicalType(field));
    }
    WarnOf(*field.type, name, seen);
  }
  if (node.items != nullptr) WarnOf(*node.items, path, seen);
  for (const avro::Node* branch : node.branches) WarnOf(*branch, path, seen);
}

}  // namespace

Result<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (file && text) return text.str();
  return Status::IOError("cannot read the schema file ", path, ": name an .avsc file that exists");
}

std::string RecordName(const std::string& text) {
  const auto plain = avro::WithoutComments(text);
  const nlohmann::json schema = ParseJson(plain.ok() ? *plain : text);
  if (!schema.is_object() || !schema.value("name", nlohmann::json()).is_string()) return "";
  const std::string name = schema["name"];
  const nlohmann::json space = schema.value("namespace", nlohmann::json());
  const bool whole = name.find('.') != std::string::npos || !space.is_string() || space == "";
  return whole ? name : space.get<std::string>() + "." + name;
}

Result<std::vector<registry::SchemaReference>> ParseReferences(
    const std::string& subject, const std::vector<std::string>& options, registry::Client* client) {
  std::vector<registry::SchemaReference> references;
  for (const std::string& option : options) {
    ARROW_ASSIGN_OR_RAISE(references.emplace_back(), ParseReference(subject, option, client));
  }
  return references;
}

Result<SchemaFile> ReadSchemaFile(const std::string& subject, const std::string& path,
                                  std::string text,
                                  std::vector<registry::SchemaReference> references,
                                  Strictness strictness, registry::Client* client) {
  SchemaFile file{.text = std::move(text), .references = std::move(references), .schema = {}};
  std::string whole = file.text;
  if (!file.references.empty()) {
    ARROW_ASSIGN_OR_RAISE(whole, client->Inline(subject, file.text, file.references));
  }
  // Whether a wrong default is accepted is for the registry to decide.
  auto schema = strictness == Strictness::kAsStored
                    ? avro::Schema::ParseKept(whole)
                    : avro::Schema::Parse(whole, {.validate_defaults = false});
  if (!schema.ok()) {
    const std::string& why = schema.status().message();
    const bool undefined = why.find("unknown type") != std::string::npos;
    return Status::Invalid(
        path, ": ", why,
        undefined ? "; if it is registered, add --reference NAME=SUBJECT:VERSION" : "");
  }
  file.schema = *std::move(schema);
  return file;
}

void WarnOfStrayTypes(const SchemaFile& file) {
  std::set<const avro::Node*> seen;
  WarnOf(file.schema.root(), "", &seen);
}

}  // namespace shopstream::cli
