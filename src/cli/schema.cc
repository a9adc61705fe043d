#include "avro/schema.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>

#include "avro/schema_change.h"
#include "base/json.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "registry/canonical.h"
#include "registry/client.h"

namespace shopstream::cli {
namespace {

using nlohmann::ordered_json;

struct SchemaOptions {
  std::string subject;  // Empty: <kafka.topic>-value.
  std::string file = "schemas/purchase_event.avsc";
  std::string subject_or_id;
  int32_t version = 0;  // 0: the latest.
  std::string folder = "schemas";
};

// The schema of the program's own event, which belongs to the configured topic.
constexpr const char* kEventFile = "purchase_event.avsc";

std::string SubjectOf(const Context& context, const SchemaOptions& options) {
  return options.subject.empty() ? context.config.kafka.topic + "-value" : options.subject;
}

// The file's text, if it is a valid schema.
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
  const auto pretty = ParseOrderedJson(found.schema);
  if (context.json) {
    std::cout << ordered_json{{"subject", found.subject},
                              {"version", found.version},
                              {"id", found.id},
                              {"schema", pretty}}
                     .dump(2)
              << "\n";
    return kDone;
  }
  // Not on stdout, which is a schema file: `schema show S > s.avsc`.
  if (!found.subject.empty()) {
    std::cerr << "subject " << found.subject << ", version " << found.version << ", ";
  }
  std::cerr << "id " << found.id << "\n";
  std::cout << pretty.dump(2) << "\n";
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
                                       const std::string& text) {
  const auto before = avro::Schema::ParseKept(registered.schema);
  if (!before.ok()) {
    return Status::Invalid("version ", registered.version, " of subject ", registered.subject, ": ",
                           before.status().message());
  }
  ARROW_ASSIGN_OR_RAISE(const auto after, avro::Schema::Parse(text));
  return avro::CompareSchemas(*before, after);
}

Result<registry::RegisteredSchema> FindVersion(registry::Client& client, const std::string& subject,
                                               int32_t version) {
  // Looked up by id, which includes the schemas that it refers to.
  ARROW_ASSIGN_OR_RAISE(auto found,
                        version == 0 ? client.Latest(subject) : client.Version(subject, version));
  const auto whole = client.ById(found.id);
  if (whole.outcome == registry::LookUpOutcome::kFound) found.schema = whole.schema.schema;
  return found;
}

Result<int> Check(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const std::string schema, ReadSchema(options.file));
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  const std::string subject = SubjectOf(context, options);
  ARROW_ASSIGN_OR_RAISE(const auto verdict, client->CheckCompatible(subject, schema));
  std::optional<avro::SchemaChange> change;
  if (!verdict.first_version) {
    ARROW_ASSIGN_OR_RAISE(const auto latest, FindVersion(*client, subject, 0));
    ARROW_ASSIGN_OR_RAISE(change, CompareWith(latest, schema));
  }
  if (context.json) {
    ordered_json out = {{"subject", subject},
                        {"compatible", verdict.compatible},
                        {"first_version", verdict.first_version},
                        {"reasons", verdict.reasons}};
    if (change.has_value()) out["change"] = avro::ToJson(*change);
    std::cout << out.dump(2) << "\n";
  } else if (verdict.first_version) {
    std::cout << options.file << " would be the first version of subject " << subject << "\n";
  } else {
    std::cout << options.file << (verdict.compatible ? " can" : " cannot")
              << " follow the latest version of subject " << subject << "\n";
    for (const auto& reason : verdict.reasons) std::cout << "  " << reason << "\n";
    Print(*change);
  }
  return verdict.compatible ? kDone : kDifferenceFound;
}

Result<int> Diff(const Context& context, const SchemaOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const std::string schema, ReadSchema(options.file));
  ARROW_ASSIGN_OR_RAISE(auto client, registry::Client::Open(context.config.registry));
  const std::string subject = SubjectOf(context, options);
  ARROW_ASSIGN_OR_RAISE(const auto registered, FindVersion(*client, subject, options.version));
  ARROW_ASSIGN_OR_RAISE(const auto change, CompareWith(registered, schema));
  if (context.json) {
    std::cout << avro::ToJson(change).dump(2) << "\n";
  } else {
    std::cout << "From version " << registered.version << " of subject " << subject << " to "
              << options.file << ":\n";
    Print(change);
  }
  return change.changes.empty() ? kDone : kDifferenceFound;
}

// The subject whose schema is in the given file of the folder.
std::string SubjectOfFile(const Context& context, const std::filesystem::path& file) {
  const std::string topic =
      file.filename() == kEventFile ? context.config.kafka.topic : file.stem().string();
  return topic + "-value";
}

struct Verified {
  std::string file, subject, state;  // "same", "not registered", "differs".
  int32_t version = 0;
};

Result<Verified> VerifyFile(registry::Client& client, const Context& context,
                            const std::filesystem::path& file) {
  Verified verified{file.string(), SubjectOfFile(context, file), "same", 0};
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadSchema(file.string()));
  const auto latest = client.Latest(verified.subject);
  if (latest.status().IsKeyError()) {
    verified.state = "not registered";
    return verified;
  }
  ARROW_RETURN_NOT_OK(latest);
  verified.version = latest->version;
  ARROW_ASSIGN_OR_RAISE(const std::string ours, registry::CanonicalText(text));
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
      .name = "--subject", .target = &options->subject, .meaning = "Default: <kafka.topic>-value"};
  Command enter{"register",
                "Register a schema; registering it again returns the same id",
                {file, subject},
                Running(options, Register)};
  Command list{"list", "List subjects with their versions and ids", {}, ListSubjects};
  Command show{"show",
               "Print a subject's latest schema, or the schema of an id",
               {{.name = "SUBJECT|ID", .target = &options->subject_or_id, .required = true}},
               Running(options, Show)};
  Command check{"check",
                "Check whether a schema can follow the latest version, and who must upgrade first; "
                "exits with 3 if not",
                {file, subject},
                Running(options, Check)};
  Command diff{
      "diff",
      "Show the changes from a registered version to a file, and their effect on old and new "
      "readers; exits with 3 if there are any",
      {file,
       subject,
       {.name = "--version",
        .target = &options->version,
        .meaning = "Default: the latest",
        .bounds = Bounds{1, std::numeric_limits<int32_t>::max()}}},
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
