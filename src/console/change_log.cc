#include "console/change_log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/read_file.h"

namespace shopstream::console {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

ordered_json ToJson(const ChangeRecord& record) {
  return {{"id", record.id},
          {"at_ms", record.at_ms},
          {"who", record.who},
          {"from", record.from},
          {"what", record.what},
          {"subject", record.subject},
          {"before", ordered_json(*record.before)},
          {"after", ordered_json(*record.after)},
          {"error", record.error.empty() ? ordered_json() : ordered_json(record.error)}};
}

std::string MemberText(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

ChangeRecord FromJson(const nlohmann::json& object) {
  return {.id = object.value("id", int64_t{0}),
          .at_ms = object.value("at_ms", int64_t{0}),
          .who = MemberText(object, "who"),
          .from = MemberText(object, "from"),
          .what = MemberText(object, "what"),
          .subject = MemberText(object, "subject"),
          .before = object.value("before", nlohmann::json()),
          .after = object.value("after", nlohmann::json()),
          .error = MemberText(object, "error")};
}

bool IsRecord(const nlohmann::json& value) {
  return value.is_object() && value.contains("id") && value["id"].is_number_integer() &&
         value.contains("at_ms") && value["at_ms"].is_number_integer();
}

// Not within a character of UTF-8.
void Cut(std::string* text) {
  if (text->size() <= ChangeLog::kMostTextBytes) return;
  size_t end = ChangeLog::kMostTextBytes;
  while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xC0) == 0x80) --end;
  text->resize(end);
  *text += "...";
}

void ReplaceIfLarge(JsonValue* value) {
  const size_t size = DumpJson(**value).size();
  if (size <= ChangeLog::kMostValueBytes) return;
  *value = nlohmann::json("left out: it has " + std::to_string(size) + " bytes");
}

void Bound(ChangeRecord* record) {
  for (std::string* text :
       {&record->who, &record->from, &record->what, &record->subject, &record->error}) {
    Cut(text);
  }
  ReplaceIfLarge(&record->before);
  ReplaceIfLarge(&record->after);
}

Status CannotWrite(const std::string& path) {
  return Unavailable("cannot write the log of changes ", path,
                     ": correct console.change_log, or the permissions of its folder");
}

}  // namespace

Result<std::unique_ptr<ChangeLog>> ChangeLog::Open(std::string path) {
  std::unique_ptr<ChangeLog> log(new ChangeLog(std::move(path)));
  for (const std::string& file : {log->path_ + ".1", log->path_}) {
    std::error_code unknown;
    if (!fs::exists(file, unknown)) continue;
    ARROW_ASSIGN_OR_RAISE(const std::string text, ReadFile(file));
    log->Load(text);
  }
  return log;
}

void ChangeLog::Load(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const nlohmann::json value = ParseJson(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!IsRecord(value)) continue;
    newest_.push_back(FromJson(value));
    last_id_ = std::max(last_id_, newest_.back().id);
    if (newest_.size() > kMostShown) newest_.pop_front();
  }
}

Status ChangeLog::Writable() {
  const std::lock_guard lock(mutex_);
  return Write("");
}

Status ChangeLog::Write(const std::string& line) {
  std::error_code ignored;  // Opening the file reports what is wrong.
  fs::create_directories(fs::path(path_).parent_path(), ignored);
  const auto size = fs::file_size(path_, ignored);
  if (!ignored && static_cast<int64_t>(size) > kMostFileBytes) {
    fs::rename(path_, path_ + ".1", ignored);
  }
  std::ofstream file(path_, std::ios::app | std::ios::binary);
  file << line << std::flush;
  return file ? Status::OK() : CannotWrite(path_);
}

Status ChangeLog::Append(ChangeRecord record) {
  Bound(&record);
  const std::lock_guard lock(mutex_);
  record.id = ++last_id_;
  Log::Info("console: {} at {}: {}{}{}", record.who.empty() ? "somebody" : Printable(record.who),
            record.from, Printable(record.what),
            record.subject.empty() ? "" : " (" + Printable(record.subject) + ")",
            record.error.empty() ? "" : ": failed: " + Printable(record.error));
  const Status written = Write(DumpJson(ToJson(record)) + "\n");
  if (!written.ok()) Log::Error("console: {}", written.message());
  newest_.push_back(std::move(record));
  if (newest_.size() > kMostShown) newest_.pop_front();
  return written;
}

ordered_json ChangeLog::Newest(size_t limit) const {
  const std::lock_guard lock(mutex_);
  ordered_json changes = ordered_json::array();
  for (auto record = newest_.rbegin(); record != newest_.rend() && changes.size() < limit;
       ++record) {
    changes.push_back(ToJson(*record));
  }
  return changes;
}

}  // namespace shopstream::console
