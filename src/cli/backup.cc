#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "backup/create.h"
#include "backup/manifest.h"
#include "backup/parts.h"
#include "backup/prune.h"
#include "backup/registry_copy.h"
#include "backup/restore.h"
#include "backup/verify.h"
#include "base/clock.h"
#include "base/join.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress_line.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "cli/copy_line.h"
#include "cli/place.h"
#include "lake/store/object_store.h"

namespace shopstream::cli {
namespace {

constexpr int64_t kBackupDayMs = int64_t{24} * 3600 * 1000;
constexpr size_t kListedDamages = 50;

struct BackupFlags {
  std::string place;
  std::string backup;  // Empty: the newest, or all.
  std::string part = "lake";
  std::optional<std::string> folder;  // For --part files.
  bool in_place = false;
  bool sizes_only = false;
  bool dry_run = false;
  std::optional<uint64_t> keep;
  std::optional<uint64_t> older_than_days;
};

constexpr char kPlaceOfBackups[] = "the place of the backups";

// ---- create

Result<int> RunBackupCreate(const Context& context, const BackupFlags& flags) {
  ARROW_RETURN_NOT_OK(CheckApart(context.config.lake.uri, flags.place, "the backups"));
  ARROW_ASSIGN_OR_RAISE(const auto lake, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto place, OpenPlace(context, flags.place, kPlaceOfBackups));
  backup::CreateOptions options;
  options.threads = CopyThreads(*lake, *place);
  options.parts = [&context] { return backup::ReadParts(context.config); };
  options.stop = ShutdownRequested;
  CopyLine line("backup create");
  options.on_progress = [&line](const backup::CopyProgress& progress) { line.Show(progress); };
  ARROW_ASSIGN_OR_RAISE(
      const backup::Manifest manifest,
      backup::Create(lake.get(), place.get(), context.config.lake, context.config.refine, options));
  for (const auto& [part, why] : manifest.parts_missing) {
    Log::Warn("{} is not in this backup: {}", part, why);
  }
  const int code = manifest.damaged.empty() ? kDone : kDifferenceFound;
  if (context.json) {
    PrintReport(std::cout, backup::ToJson(manifest));
    return code;
  }
  std::cout << fmt::format("Backup {}: {}, {}, {}. Copied {}, {}, in {}.\n", manifest.id,
                           Counted(static_cast<int64_t>(manifest.tables.size()), "table"),
                           Counted(manifest.files(), "file"), FormatBytes(manifest.bytes()),
                           Counted(manifest.copied_files, "file"),
                           FormatBytes(manifest.copied_bytes),
                           FormatMillis(manifest.finished_ms - manifest.started_ms));
  return code;
}

// ---- list

std::string VersionsOf(const backup::Manifest& manifest) {
  std::vector<std::string> texts;
  for (const backup::BackedUpTable& table : manifest.tables) {
    texts.push_back(table.path + " " + std::to_string(table.version));
  }
  return Joined(texts, ", ");
}

void PrintBackups(const backup::Backups& backups) {
  nlohmann::ordered_json out;
  out["backups"] = nlohmann::ordered_json::array();
  for (const backup::Manifest& manifest : backups.finished) {
    out["backups"].push_back(backup::ToJson(manifest));
  }
  out["unfinished"] = backups.unfinished;
  PrintReport(std::cout, out);
}

Result<int> RunBackupList(const Context& context, const BackupFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto place, OpenPlace(context, flags.place, kPlaceOfBackups));
  ARROW_ASSIGN_OR_RAISE(const backup::Backups backups, backup::ReadBackups(place.get()));
  if (context.json) {
    PrintBackups(backups);
    return kDone;
  }
  TablePrinter table({"backup", "finished", "files", "size", "copied", "lake", "versions"});
  for (const backup::Manifest& manifest : backups.finished) {
    table.AddRow({manifest.id, FormatTimestamp(manifest.finished_ms), manifest.files(),
                  FormatBytes(manifest.bytes()), FormatBytes(manifest.copied_bytes),
                  Printable(manifest.source), Printable(VersionsOf(manifest))});
  }
  if (backups.finished.empty()) {
    std::cout << "There is no finished backup in " << place->Describe() << ".\n";
  } else {
    table.Print(std::cout, false);
  }
  for (const std::string& id : backups.unfinished) {
    std::cout << "Unfinished: " << id << "; the next `backup prune` removes it.\n";
  }
  return kDone;
}

// ---- verify

Result<int> RunBackupVerify(const Context& context, const BackupFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto place, OpenPlace(context, flags.place, kPlaceOfBackups));
  backup::VerifyOptions options;
  options.backup = flags.backup;
  options.sizes_only = flags.sizes_only;
  options.threads = CopyThreads(*place, *place);
  options.stop = ShutdownRequested;
  CopyLine line("backup verify");
  options.on_progress = [&line](const backup::CopyProgress& progress) { line.Show(progress); };
  ARROW_ASSIGN_OR_RAISE(const auto report, backup::Verify(place.get(), options));
  const int code = report.damages.empty() ? kDone : kDifferenceFound;
  if (context.json) {
    PrintReport(std::cout, backup::ToJson(report));
    return code;
  }
  if (code != kDone) {
    TablePrinter table({"object", "backup", "what"});
    for (size_t i = 0; i < std::min(report.damages.size(), kListedDamages); ++i) {
      const backup::Damage& damage = report.damages[i];
      table.AddRow({Printable(damage.object), damage.backup, Printable(damage.what)});
    }
    table.Print(std::cout, false);
  }
  std::cout << fmt::format(
      "{}: {}, {}; {}.\n", Counted(static_cast<int64_t>(report.backups.size()), "backup"),
      Counted(report.files, "file"), FormatBytes(report.bytes),
      code == kDone ? "all are as they were written"
                    : Counted(static_cast<int64_t>(report.damages.size()), "damage") +
                          " found: delete those under data/, then `backup create` copies again "
                          "what the lake still has");
  return code;
}

// ---- prune

Result<int> RunBackupPrune(const Context& context, const BackupFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto place, OpenPlace(context, flags.place, kPlaceOfBackups));
  backup::PruneOptions options;
  if (flags.keep) options.rule.keep = static_cast<int64_t>(*flags.keep);
  if (flags.older_than_days) {
    options.rule.before_ms =
        WallClockMillis() - static_cast<int64_t>(*flags.older_than_days) * kBackupDayMs;
  }
  options.dry_run = flags.dry_run;
  options.stop = ShutdownRequested;
  ProgressLine line({Millis{200}, Millis{10'000}}, BootClock::now());
  options.on_progress = [&line](int64_t done, int64_t of) {
    const auto now = BootClock::now();
    if (!line.IsDue(now)) return;
    line.Show(
        fmt::format("backup prune: {} of {} deleted", FormatCount(done), Counted(of, "object")),
        now);
  };
  const auto result = backup::Prune(place.get(), options);
  line.End();
  ARROW_ASSIGN_OR_RAISE(const backup::PruneReport report, result);
  if (context.json) {
    PrintReport(std::cout, backup::ToJson(report));
    return kDone;
  }
  for (const std::string& id : report.removed) std::cout << id << "\n";
  for (const std::string& id : report.unfinished) std::cout << id << " (unfinished)\n";
  const auto count = static_cast<int64_t>(report.removed.size() + report.unfinished.size());
  std::cout << fmt::format("{} {} and {} ({}) that no other backup needs; {} kept.\n",
                           report.dry_run ? "Would remove" : "Removed", Counted(count, "backup"),
                           Counted(report.files, "file"), FormatBytes(report.bytes),
                           Counted(static_cast<int64_t>(report.kept.size()), "backup"));
  return kDone;
}

// ---- restore

void PrintForPerson(const backup::RestoreReport& report, const std::string& lake) {
  TablePrinter table({"table", "version", "backed_up_version", "files"});
  for (const backup::RestoredTable& restored : report.tables) {
    table.AddRow(
        {Printable(restored.path), restored.version, restored.backed_up_version, restored.files});
  }
  table.Print(std::cout, false);
  for (const std::string& path : report.removed) {
    std::cout << "Removed " << Printable(path) << ", which is younger than the backup.\n";
  }
  std::cout << fmt::format(
      "Restored backup {} into {} in {}: {}, {}.\nStart ingest and refine: they continue from what "
      "the restored tables hold. Then run `shopstream audit`.\n",
      report.backup, lake, FormatMillis(report.milliseconds), Counted(report.files, "file"),
      FormatBytes(report.bytes));
}

Result<int> RestoreAclsOf(const Context& context, const backup::Manifest& manifest,
                          lake::ObjectStore* place, bool dry_run) {
  ARROW_ASSIGN_OR_RAISE(const auto text, backup::ReadPart(place, manifest, backup::kAclsPart));
  ARROW_ASSIGN_OR_RAISE(const auto acls, backup::RestoreAcls(context.config.kafka, text, dry_run));
  TablePrinter table({"backup", "acl", "state"});
  for (const backup::RestoredAcl& acl : acls) {
    const char* const created = dry_run ? "missing" : "created";
    table.AddRow({manifest.id, Printable(acl.text), acl.is_new ? created : "exists"});
  }
  if (acls.empty() && !context.json) {
    std::cout << "Backup " << manifest.id << " has no ACLs.\n";
    return kDone;
  }
  table.Print(std::cout, context.json);
  return kDone;
}

Result<int> RestoreOnePart(const Context& context, const BackupFlags& flags,
                           lake::ObjectStore* place) {
  ARROW_ASSIGN_OR_RAISE(const auto manifest, backup::FindBackup(place, flags.backup));
  if (flags.part == "registry") {
    ARROW_ASSIGN_OR_RAISE(const auto text,
                          backup::ReadPart(place, manifest, backup::kRegistryPart));
    ARROW_ASSIGN_OR_RAISE(const auto done, backup::ImportRegistry(context.config.registry, text));
    TablePrinter table({"backup", "registered", "present"});
    table.AddRow({manifest.id, done.versions, done.present});
    table.Print(std::cout, context.json);
    return kDone;
  }
  if (flags.part == "acls") return RestoreAclsOf(context, manifest, place, flags.dry_run);
  if (flags.part == "files") {
    ARROW_ASSIGN_OR_RAISE(const auto names, backup::RestoreFiles(place, manifest, *flags.folder));
    TablePrinter table({"backup", "file"});
    for (const std::string& name : names) table.AddRow({manifest.id, Printable(name)});
    table.Print(std::cout, context.json);
    return kDone;
  }
  ARROW_ASSIGN_OR_RAISE(const auto text, backup::ReadPart(place, manifest, backup::kTopicsPart));
  ARROW_ASSIGN_OR_RAISE(const auto changes, backup::RestoreTopics(context.config.kafka, text));
  TablePrinter table({"backup", "change"});
  for (const std::string& change : changes) table.AddRow({manifest.id, change});
  if (changes.empty() && !context.json) {
    std::cout << "The topics are as in backup " << manifest.id << ".\n";
    return kDone;
  }
  table.Print(std::cout, context.json);
  return kDone;
}

Result<int> RunBackupRestore(const Context& context, const BackupFlags& flags) {
  ARROW_RETURN_NOT_OK(CheckApart(context.config.lake.uri, flags.place, "the backups"));
  ARROW_ASSIGN_OR_RAISE(const auto place, OpenPlace(context, flags.place, kPlaceOfBackups));
  if (flags.part != "lake") return RestoreOnePart(context, flags, place.get());
  ARROW_ASSIGN_OR_RAISE(const auto lake, lake::OpenObjectStore(context.config));
  backup::RestoreOptions options;
  options.backup = flags.backup;
  options.in_place = flags.in_place;
  options.threads = CopyThreads(*lake, *place);
  options.stop = ShutdownRequested;
  CopyLine line("backup restore");
  options.on_progress = [&line](const backup::CopyProgress& progress) { line.Show(progress); };
  ARROW_ASSIGN_OR_RAISE(const auto report,
                        backup::Restore(place.get(), lake.get(), context.config.lake,
                                        context.config.refine, options));
  context.json ? PrintReport(std::cout, backup::ToJson(report))
               : PrintForPerson(report, lake->Describe());
  return kDone;
}

// ---- the table of commands

Option PlaceOption(std::string* place) {
  return {.name = "PLACE",
          .target = place,
          .meaning = "Where the backups are: a path, file:///... or s3://bucket/prefix",
          .required = true};
}

Option BackupOption(std::string* backup, const char* meaning) {
  return {.name = "BACKUP", .target = backup, .meaning = meaning};
}

Command BackupCreateCommand() {
  const auto flags = std::make_shared<BackupFlags>();
  return {.name = "create",
          .meaning =
              "Copy all tables at versions that belong together; only what is not there yet; "
              "exits with 3 if a table of another program is damaged",
          .options = {PlaceOption(&flags->place)},
          .run = Running(flags, RunBackupCreate)};
}

Command BackupListCommand() {
  const auto flags = std::make_shared<BackupFlags>();
  return {.name = "list",
          .meaning = "Show the backups with their times, sizes and table versions",
          .options = {PlaceOption(&flags->place)},
          .run = Running(flags, RunBackupList)};
}

Command BackupVerifyCommand() {
  const auto flags = std::make_shared<BackupFlags>();
  return {.name = "verify",
          .meaning = "Read every file and compare its SHA-256; exits with 3 if any is damaged",
          .options = {PlaceOption(&flags->place),
                      BackupOption(&flags->backup, "The only one to verify [all]"),
                      {.name = "--sizes",
                       .target = &flags->sizes_only,
                       .meaning = "Compare only names and sizes, without reading the files"}},
          .run = Running(flags, RunBackupVerify)};
}

Command BackupPruneCommand() {
  const auto flags = std::make_shared<BackupFlags>();
  return {
      .name = "prune",
      .meaning = "Remove old backups, and the files that only they use",
      .options = {PlaceOption(&flags->place),
                  {.name = "--keep",
                   .target = &flags->keep,
                   .meaning = "Keep the newest N",
                   .value = "N",
                   .bounds = Bounds{1}},
                  {.name = "--older-than",
                   .target = &flags->older_than_days,
                   .meaning = "Remove only those older than this; the newest always stays",
                   .value = "DAYS",
                   .bounds = Bounds{0, 36'500}},
                  {.name = "--dry-run",
                   .target = &flags->dry_run,
                   .meaning = "Show what would be removed; nothing changes"}},
      .run = Running(flags, RunBackupPrune),
      .check = [flags] {
        if (flags->keep || flags->older_than_days) return Status::OK();
        return Status::Invalid("name the backups to remove: --keep N, --older-than DAYS, or both");
      }};
}

Status CheckRestoreFlags(const BackupFlags& flags) {
  const std::set<std::string> parts = {"lake", "registry", "topics", "acls", "files"};
  if (!parts.contains(flags.part)) {
    return Status::Invalid("--part: '", flags.part,
                           "' is not lake, registry, topics, acls or files");
  }
  if ((flags.part == "files") != flags.folder.has_value()) {
    return Status::Invalid("--part files needs --to FOLDER, and only it has one");
  }
  if (flags.dry_run && flags.part != "acls") {
    return Status::Invalid("--dry-run is for --part acls");
  }
  return Status::OK();
}

Command BackupRestoreCommand() {
  const auto flags = std::make_shared<BackupFlags>();
  return {
      .name = "restore",
      .meaning = "Make the lake, or another part, what it was when the backup was taken",
      .options = {PlaceOption(&flags->place),
                  BackupOption(&flags->backup, "The one to restore [the newest]"),
                  {.name = "--part",
                   .target = &flags->part,
                   .meaning = "lake, registry (schemas with their ids), topics (settings), acls "
                              "(Kafka's), or files (settings, rules, SQL)",
                   .value = "PART",
                   .show_default = true},
                  {.name = "--to",
                   .target = &flags->folder,
                   .meaning = "With --part files: a new folder for them",
                   .value = "FOLDER"},
                  {.name = "--dry-run",
                   .target = &flags->dry_run,
                   .meaning = "With --part acls: show which are missing; nothing changes"},
                  {.name = "--in-place",
                   .target = &flags->in_place,
                   .meaning = "Replace the tables that the lake has; stop all writers first"}},
      .run = Running(flags, RunBackupRestore),
      .check = [flags] { return CheckRestoreFlags(*flags); }};
}

}  // namespace

Command BackupCommand() {
  return {.name = "backup",
          .meaning = "Copy the lake to another place, and bring it back",
          .commands = {BackupCreateCommand(), BackupListCommand(), BackupVerifyCommand(),
                       BackupPruneCommand(), BackupRestoreCommand()}};
}

}  // namespace shopstream::cli
