#pragma once

#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"
#include "registry/client.h"
#include "registry/schema_source.h"

namespace shopstream::cli {

// A schema file, and what it refers to.
struct SchemaFile {
  std::string text;  // As it is in the file.
  std::vector<registry::SchemaReference> references;
  avro::Schema schema;  // With the referenced schemas inlined.
};

// The file's text.
Result<std::string> ReadText(const std::string& path);

// The full name of the record that the text defines; empty if it is none.
std::string RecordName(const std::string& text);

// The references of a schema of `subject`, in whose context they are. Invalid: an option is not
// NAME=SUBJECT:VERSION. The version may be "latest" or -1.
Result<std::vector<registry::SchemaReference>> ParseReferences(
    const std::string& subject, const std::vector<std::string>& options, registry::Client* client);

enum class Strictness {
  kAsNew,     // As registries check a schema that is registered; they decide about its defaults.
  kAsStored,  // As what a registry has stored, of any age.
};

// Parses `text`, the content of the file at `path`, as a schema of `subject`; fetches what it
// refers to.
Result<SchemaFile> ReadSchemaFile(const std::string& subject, const std::string& path,
                                  std::string text,
                                  std::vector<registry::SchemaReference> references,
                                  Strictness strictness, registry::Client* client);

// Prints a warning for each field whose logicalType is beside its type, where Avro ignores it.
void WarnOfStrayTypes(const SchemaFile& file);

}  // namespace shopstream::cli
