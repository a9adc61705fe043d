#include "avro/schema.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "avro/node.h"
#include "avro/schema_change.h"
#include "base/json.h"
#include "base/log.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "cli/schema_file.h"
#include "registry/canonical.h"
#include "registry/client.h"
#include "registry/subject.h"

namespace shopstream::cli {
namespace {

using nlohmann::ordered_json;

struct SchemaOptions {
  std::string subject;  // Empty: see registry.subject_strategy.
  std::vector<std::string> references;
  std::string output;  // Of `show`: a file, or - for stdout.
  std::string file = "schemas/purchase_event.avsc";
  std::string subject_or_id;
  int32_t version = 0;  // 0: the latest.
  std::string folder = "schemas";
};

// The schema of the program's own event, which belongs to the configured topic.
constexpr const char* kEventFile = "purchase_event.avsc";

Result<std::string> SubjectOfRecord(const registry::SubjectNaming& naming, const std::string& topic,
                                    const std::string& file, const std::string& record) {
  if (naming.needs_record() && record.empty()) {
    return Status::Invalid("registry.subject_strategy ", naming.strategy,
                           " needs a record's name, ", "and ", file, " has none; use --subject");
  }
  return SubjectFor(naming, topic, record);
}

// The subject of the configured topic for this record, or the one given.
Result<std::string> SubjectOf(const Context& context, const SchemaOptions& options,
                              const std::string& record) {
  if (!options.subject.empty()) return options.subject;
  return SubjectOfRecord(registry::SubjectNaming::From(context.config.registry),
                         context.config.kafka.topic, options.file, record);
}

// The file of the options with the references of the options.
Result<SchemaFile> ReadFile(const Context& context, const SchemaOptions& options,
                            registry::Client* client) {
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadText(options.file));
  ARROW_ASSIGN_OR_RAISE(const std::string subject, SubjectOf(context, options, RecordName(text)));
  ARROW_ASSIGN_OR_RAISE(auto references, ParseReferences(subject, options.references, client));
  return ReadSchemaFile(subject, options.file, std::move(text), std::move(references),
                        Strictness::kAsNew, client);
}

Result<int> Register(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(const SchemaFile file, ReadFile(context, options, client.get()));
  WarnOfStrayTypes(file);
  ARROW_ASSIGN_OR_RAISE(const std::string subject,
                        SubjectOf(context, options, file.schema.root().name));
  ARROW_ASSIGN_OR_RAISE(auto registered, client->Register(subject, file.text, file.references));
  // Registries need not return the version; it is the latest one with this id.
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

Result<int> ListSubjects(const Context& context) {
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

Result<registry::RegisteredSchema> FindVersion(registry::Client& client, const std::string& subject,
                                               int32_t version) {
  return version == 0 ? client.Latest(subject) : client.Version(subject, version);
}

Result<registry::RegisteredSchema> Find(registry::Client& client, const SchemaOptions& options) {
  const std::string& name = options.subject_or_id;
  int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size()) {
    return FindVersion(client, name, options.version);
  }
  if (options.version != 0) {
    return Status::Invalid("--version is a version of a subject, and ", name, " is an id");
  }
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

// Avro is made readable; any other text is as it is.
std::string FileText(const registry::RegisteredSchema& schema) {
  if (schema.schema_type != "AVRO") return schema.raw;
  return ParseOrderedJson(schema.schema).dump(2) + "\n";
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return file ? Status::OK() : Status::IOError("cannot write ", path);
}

Result<int> Show(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto found, Find(*client, options));
  if (context.json) {
    const bool avro = found.schema_type == "AVRO";
    std::cout << ordered_json{{"subject", found.subject},
                              {"version", found.version},
                              {"id", found.id},
                              {"schema",
                               avro ? ParseOrderedJson(found.schema) : ordered_json(found.raw)}}
                     .dump(2)
              << "\n";
    return kDone;
  }
  // Not on stdout, which is a schema file: `schema show S > s.avsc`.
  const std::string subject = found.subject.empty() ? ""
                                                    : "subject " + found.subject + ", version " +
                                                          std::to_string(found.version) + ", ";
  const std::string type = found.schema_type == "AVRO" ? "" : ", " + found.schema_type;
  Log::Tell(LogLevel::kInfo, subject + "id " + std::to_string(found.id) + type);
  if (options.output.empty() || options.output == "-") {
    std::cout << FileText(found);
    return kDone;
  }
  ARROW_RETURN_NOT_OK(WriteFile(options.output, FileText(found)));
  return kDone;
}

void PrintReaders(const char* who, const char* data,
                  const std::vector<avro::Incompatibility>& reasons) {
  std::cout << who << (reasons.empty() ? " can read " : " can NOT read ") << data
            << (reasons.empty() ? ".\n" : ":\n");
  for (const auto& one : reasons) {
    std::cout << "  at " << (one.path.empty() ? "/" : one.path) << ": " << one.message << "; "
              << one.remedy << "\n";
  }
}

void Print(const avro::SchemaChange& change) {
  if (change.changes.empty()) std::cout << "No change that readers or writers would notice.\n";
  for (const auto& line : change.changes) std::cout << "  " << line << "\n";
  PrintReaders("New readers", "old data", change.to_new_reader);
  PrintReaders("Old readers", "new data", change.to_old_reader);
  std::cout << avro::UpgradeOrder(change) << "\n";
}

// The changes from a registered schema to the file.
Result<avro::SchemaChange> CompareWith(const registry::RegisteredSchema& registered,
                                       const avro::Schema& after) {
  const std::string what =
      "version " + std::to_string(registered.version) + " of subject " + registered.subject;
  if (registered.schema_type != "AVRO") {
    return Status::Invalid(what, " is ", registered.schema_type, ": only Avro can be compared");
  }
  const auto before = avro::Schema::ParseKept(registered.schema);
  if (!before.ok()) return Status::Invalid(what, ": ", before.status().message());
  return avro::CompareSchemas(*before, after);
}

// "version 4", "versions 1-4", "versions 1, 2, 5".
std::string ShowVersions(const std::vector<int32_t>& versions) {
  if (versions.empty()) return "no version";
  if (versions.size() == 1) return "version " + std::to_string(versions.front());
  std::string text = "versions ";
  const bool dense = versions.back() - versions.front() + 1 == std::ssize(versions);
  if (dense) return text + std::to_string(versions.front()) + "-" + std::to_string(versions.back());
  for (size_t i = 0; i < versions.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(versions[i]);
  }
  return text;
}

void PrintVerdict(const registry::CompatibilityVerdict& verdict, const std::string& file,
                  const std::string& subject) {
  if (verdict.first_version) {
    std::cout << file << " would be the first version of subject " << subject << "\n";
    return;
  }
  std::cout << file << (verdict.compatible ? " can" : " cannot")
            << " follow the latest version of subject " << subject << ": "
            << (verdict.compatible ? "" : "in") << "compatible under " << Printable(verdict.level)
            << " with " << ShowVersions(verdict.versions) << "\n";
  for (const auto& reason : verdict.reasons) std::cout << "  " << Printable(reason) << "\n";
}

Result<int> Check(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(const SchemaFile file, ReadFile(context, options, client.get()));
  WarnOfStrayTypes(file);
  ARROW_ASSIGN_OR_RAISE(const std::string subject,
                        SubjectOf(context, options, file.schema.root().name));
  ARROW_ASSIGN_OR_RAISE(const auto verdict,
                        client->CheckCompatible(subject, file.text, file.references));
  std::optional<avro::SchemaChange> change;
  if (!verdict.first_version) {
    ARROW_ASSIGN_OR_RAISE(const auto latest, client->Latest(subject));
    // The registry's verdict counts; another type only cannot be shown as a change.
    if (latest.schema_type == "AVRO") {
      ARROW_ASSIGN_OR_RAISE(change, CompareWith(latest, file.schema));
    }
  }
  if (context.json) {
    ordered_json out = {{"subject", subject},
                        {"compatible", verdict.compatible},
                        {"first_version", verdict.first_version},
                        {"level", verdict.level},
                        {"versions", verdict.versions},
                        {"reasons", verdict.reasons}};
    if (change.has_value()) out["change"] = avro::ToJson(*change);
    std::cout << out.dump(2) << "\n";
  } else {
    PrintVerdict(verdict, options.file, subject);
    if (change.has_value()) Print(*change);
  }
  return verdict.compatible ? kDone : kDifferenceFound;
}

// The file, with the references of the registered version unless others were given: a file that
// was registered with references can be compared without naming them again.
Result<SchemaFile> ReadFileLike(const registry::RegisteredSchema& registered,
                                const std::string& path, std::string text,
                                const SchemaOptions& options, registry::Client* client) {
  const std::string& subject = registered.subject;
  auto references = registered.references;
  if (!options.references.empty()) {
    ARROW_ASSIGN_OR_RAISE(references, ParseReferences(subject, options.references, client));
  }
  return ReadSchemaFile(subject, path, std::move(text), std::move(references),
                        Strictness::kAsStored, client);
}

Result<int> Diff(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadText(options.file));
  ARROW_ASSIGN_OR_RAISE(const std::string subject, SubjectOf(context, options, RecordName(text)));
  ARROW_ASSIGN_OR_RAISE(const auto registered, FindVersion(*client, subject, options.version));
  ARROW_ASSIGN_OR_RAISE(
      const SchemaFile file,
      ReadFileLike(registered, options.file, std::move(text), options, client.get()));
  ARROW_ASSIGN_OR_RAISE(const auto change, CompareWith(registered, file.schema));
  if (context.json) {
    std::cout << avro::ToJson(change).dump(2) << "\n";
  } else {
    std::cout << "From version " << registered.version << " of subject " << registered.subject
              << " to " << options.file << ":\n";
    Print(change);
  }
  return change.changes.empty() ? kDone : kDifferenceFound;
}

// The subject whose schema is in the given file of the folder.
Result<std::string> SubjectOfFile(const Context& context, const std::filesystem::path& file,
                                  const std::string& record) {
  auto naming = registry::SubjectNaming::From(context.config.registry);
  const bool own = file.filename() == kEventFile;
  if (!own) naming.subject.clear();
  return SubjectOfRecord(naming, own ? context.config.kafka.topic : file.stem().string(),
                         file.string(), record);
}

struct Verified {
  std::string file, subject, state;  // "same", "not registered", "differs".
  int32_t version = 0;
};

Result<Verified> VerifyFile(registry::Client& client, const Context& context,
                            const std::filesystem::path& file) {
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadText(file.string()));
  ARROW_ASSIGN_OR_RAISE(const std::string subject, SubjectOfFile(context, file, RecordName(text)));
  Verified verified{file.string(), subject, "same", 0};
  const auto latest = client.Latest(verified.subject);
  if (latest.status().IsKeyError()) {
    verified.state = "not registered";
    return verified;
  }
  ARROW_RETURN_NOT_OK(latest);
  verified.version = latest->version;
  ARROW_ASSIGN_OR_RAISE(const SchemaFile ours_whole,
                        ReadFileLike(*latest, file.string(), std::move(text), {}, &client));
  ARROW_ASSIGN_OR_RAISE(const std::string ours, registry::CanonicalText(ours_whole.schema.text()));
  ARROW_ASSIGN_OR_RAISE(const std::string theirs, registry::CanonicalText(latest->schema));
  if (ours != theirs) verified.state = "differs: see `shopstream schema diff`";
  return verified;
}

Result<int> Verify(const Context& context, const SchemaOptions& options) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options.folder, error)) {
    if (entry.path().extension() == ".avsc") files.push_back(entry.path());
  }
  if (error || files.empty()) {
    return Status::IOError("there are no .avsc files in ", options.folder,
                           ": name a folder of schemas");
  }
  std::ranges::sort(files);
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  TablePrinter table({"file", "subject", "version", "state"});
  bool same = true;
  for (const auto& file : files) {
    ARROW_ASSIGN_OR_RAISE(const Verified one, VerifyFile(*client, context, file));
    table.AddRow({one.file, one.subject, one.version, one.state});
    same = same && one.state == "same";
  }
  table.Print(std::cout, context.json);
  return same ? kDone : kDifferenceFound;
}

}  // namespace

Command SchemaCommand() {
  auto options = std::make_shared<SchemaOptions>();
  const Option file{
      .name = "FILE", .target = &options->file, .meaning = "Avro schema", .show_default = true};
  const Option subject{
      .name = "--subject",
      .target = &options->subject,
      .meaning = "Default: <kafka.topic>-value, or as registry.subject_strategy says"};
  const Option reference{.name = "--reference",
                         .target = &options->references,
                         .meaning =
                             "Schema that defines a type FILE refers to; repeatable. "
                             "VERSION may be `latest`",
                         .value = "NAME=SUBJECT:VERSION"};
  const Option version{.name = "--version",
                       .target = &options->version,
                       .meaning = "Default: the latest",
                       .bounds = Bounds{1, std::numeric_limits<int32_t>::max()}};
  Command enter{"register",
                "Register a schema; registering it again returns the same id",
                {file, subject, reference},
                Running(options, Register)};
  Command list{"list", "List subjects with their versions and ids", {}, ListSubjects};
  Command show{"show",
               "Print a subject's latest schema, or the schema of an id",
               {{.name = "SUBJECT|ID", .target = &options->subject_or_id, .required = true},
                version,
                {.name = "-o,--output",
                 .target = &options->output,
                 .meaning = "Write the schema to this file; -: to stdout",
                 .value = "FILE"}},
               Running(options, Show)};
  Command check{
      "check",
      "Ask the registry whether a schema can be the next version, and show who must upgrade first; "
      "exits with 3 if it cannot",
      {file, subject, reference},
      Running(options, Check)};
  Command diff{
      "diff",
      "Show the changes from a registered version to a file, and their effect on old and new "
      "readers; exits with 3 if there are any",
      {file, subject, reference, version},
      Running(options, Diff)};
  Command verify{
      "verify",
      "Check that the latest version of each subject equals its file in the folder; exits with 3 "
      "if not",
      {{.name = "FOLDER",
        .target = &options->folder,
        .meaning = "purchase_event.avsc belongs to <kafka.topic>-value, NAME.avsc to NAME-value",
        .show_default = true}},
      Running(options, Verify)};
  return {.name = "schema",
          .meaning = "Register, compare and check schemas in any registry",
          .commands = {std::move(enter), std::move(list), std::move(show), std::move(check),
                       std::move(diff), std::move(verify)}};
}

}  // namespace shopstream::cli
