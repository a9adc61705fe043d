#include "avro/schema.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/table_printer.h"
#include "cli/command.h"
#include "registry/client.h"

namespace shopstream::cli {
namespace {

using nlohmann::ordered_json;

struct SchemaOptions {
  std::string subject;  // Empty: <kafka.topic>-value.
  std::string file = "schemas/purchase_event.avsc";
  std::string subject_or_id;
};

std::string SubjectOf(const Context& context, const SchemaOptions& options) {
  return options.subject.empty() ? context.config.kafka.topic + "-value" : options.subject;
}

// The file's text, once it has proved to be a schema.
Result<std::string> ReadSchema(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || !text) {
    return Status::IOError("cannot read the schema file ", path,
                           ": name an .avsc file that exists");
  }
  const auto schema = avro::Schema::Parse(text.str());
  if (!schema.ok()) return Status::Invalid(path, ": ", schema.status().message());
  return text.str();
}

Result<int> Register(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const std::string schema, ReadSchema(options.file));
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  const std::string subject = SubjectOf(context, options);
  ARROW_ASSIGN_OR_RAISE(auto registered, client->Register(subject, schema));
  // Registries need not tell the version; the latest with this id is the one.
  if (registered.version == 0) {
    ARROW_ASSIGN_OR_RAISE(const auto latest, client->Latest(subject));
    if (latest.id == registered.id) registered.version = latest.version;
  }
  if (context.json) {
    std::cout << ordered_json{{"subject", subject},
                              {"id", registered.id},
                              {"version", registered.version}}
                     .dump(2)
              << "\n";
  } else {
    std::cout << options.file << " is version " << registered.version << " of subject " << subject
              << ", id " << registered.id << "\n";
  }
  return kDone;
}

Result<int> List(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto subjects, client->Subjects());
  TablePrinter table({"subject", "versions", "latest", "id"});
  for (const auto& subject : subjects) {
    ARROW_ASSIGN_OR_RAISE(const auto versions, client->Versions(subject));
    ARROW_ASSIGN_OR_RAISE(const auto latest, client->Latest(subject));
    table.AddRow({subject, versions.size(), latest.version, latest.id});
  }
  table.Print(std::cout, context.json);
  return kDone;
}

Result<registry::RegisteredSchema> Find(registry::Client& client, const SchemaOptions& options) {
  const std::string& name = options.subject_or_id;
  int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size()) return client.Latest(name);
  auto look_up = client.ById(id);
  switch (look_up.outcome) {
    case registry::LookUpOutcome::kFound:
      return look_up.schema;
    case registry::LookUpOutcome::kUnknown:
      return Status::KeyError("the registry has no schema with id ", id,
                              ": `shopstream schema list` shows those it has");
    case registry::LookUpOutcome::kUnavailable:
      break;
  }
  return Status::IOError(look_up.detail);
}

Result<int> Show(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto found, Find(*client, options));
  const auto pretty = ordered_json::parse(found.schema, nullptr, false);
  if (context.json) {
    std::cout << ordered_json{{"subject", found.subject},
                              {"version", found.version},
                              {"id", found.id},
                              {"schema", pretty}}
                     .dump(2)
              << "\n";
    return kDone;
  }
  if (!found.subject.empty()) {
    std::cout << "subject " << found.subject << ", version " << found.version << ", ";
  }
  std::cout << "id " << found.id << "\n" << pretty.dump(2) << "\n";
  return kDone;
}

Result<int> Check(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const std::string schema, ReadSchema(options.file));
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  const std::string subject = SubjectOf(context, options);
  ARROW_ASSIGN_OR_RAISE(const auto verdict, client->CheckCompatible(subject, schema));
  if (context.json) {
    std::cout << ordered_json{{"subject", subject},
                              {"compatible", verdict.compatible},
                              {"first_version", verdict.first_version},
                              {"reasons", verdict.reasons}}
                     .dump(2)
              << "\n";
  } else if (verdict.first_version) {
    std::cout << options.file << " would be the first version of subject " << subject << "\n";
  } else {
    std::cout << options.file << (verdict.compatible ? " can" : " can not")
              << " follow the latest version of subject " << subject << "\n";
    for (const auto& reason : verdict.reasons) std::cout << "  " << reason << "\n";
  }
  return verdict.compatible ? kDone : kDifferenceFound;
}

}  // namespace

void AddSchema(CLI::App& app, Job* job) {
  auto options = std::make_shared<SchemaOptions>();
  CLI::App* schema = app.add_subcommand("schema", "Work with the schemas of any registry");
  schema->require_subcommand(1);
  const auto add = [&](const char* name, const char* help,
                       Result<int> (*run)(const Context&, const SchemaOptions&)) {
    CLI::App* command = schema->add_subcommand(name, help);
    command->callback([options, job, run] {
      *job = [options, run](const Context& context) { return run(context, *options); };
    });
    return command;
  };
  const auto add_file = [&](CLI::App* command) {
    command->add_option("FILE", options->file, "Avro schema")->capture_default_str();
    command->add_option("--subject", options->subject, "Default: <kafka.topic>-value");
  };

  add_file(add("register", "Register a schema; again gives the same id", Register));
  schema->add_subcommand("list", "Subjects, their versions and ids")->callback([job] {
    *job = List;
  });
  add("show", "Print a subject's latest schema, or the schema of an id", Show)
      ->add_option("SUBJECT|ID", options->subject_or_id)
      ->required();
  add_file(add("check", "Can the schema follow the latest version? Exit 3 if not", Check));
}

}  // namespace shopstream::cli
