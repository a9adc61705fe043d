#include "tables/refine_task.h"

#include <utility>

#include "base/json.h"
#include "model/calendar.h"

namespace shopstream::tables {
namespace {

constexpr char kTaskProperty[] = "shopstream.refine.task";
constexpr char kHorizonProperty[] = "shopstream.horizon";
constexpr TaskKind kTaskKinds[] = {TaskKind::kRestate, TaskKind::kErase, TaskKind::kRetain,
                                   TaskKind::kArchive};

nlohmann::json ToJson(const std::optional<int32_t>& date) {
  return date ? nlohmann::json(*date) : nlohmann::json();
}

std::optional<int32_t> DateFrom(const nlohmann::json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<int32_t>());
}

Result<TaskKind> KindFrom(const std::string& name) {
  for (const TaskKind kind : kTaskKinds) {
    if (name == Name(kind)) return kind;
  }
  return Status::Invalid("property ", kTaskProperty,
                         " names a task that this version does not know: ", name,
                         ". Finish it with the version that reserved it");
}

}  // namespace

const char* Name(TaskKind kind) {
  switch (kind) {
    case TaskKind::kRestate:
      return "restate";
    case TaskKind::kErase:
      return "erase";
    case TaskKind::kRetain:
      return "retain";
    case TaskKind::kArchive:
      return "archive";
  }
  return "unknown";
}

Result<std::optional<RefineTask>> ReadRefineTask(const lake::Snapshot& rejects) {
  const std::string* text = lake::FindProperty(rejects, kTaskProperty);
  if (text == nullptr || text->empty()) return std::optional<RefineTask>();
  try {
    const nlohmann::json json = ParseJsonOrThrow(*text);
    RefineTask task;
    task.pass = json.at("pass").get<int64_t>();
    ARROW_ASSIGN_OR_RAISE(task.kind, KindFrom(json.at("kind").get<std::string>()));
    for (const nlohmann::json& date : json.at("dates")) task.dates.insert(DateFrom(date));
    task.predicate = json.at("predicate").get<std::string>();
    task.table = json.at("table").get<std::string>();
    task.horizon = DateFrom(json.at("horizon"));
    task.at_ms = json.at("at").get<int64_t>();
    if (task.kind == TaskKind::kArchive) {
      task.archive_run = json.at("archiveRun").get<int64_t>();
      task.files_digest = json.at("filesDigest").get<std::string>();
    }
    return task;
  } catch (const nlohmann::json::exception& error) {
    return Status::Invalid("property ", kTaskProperty, " is damaged: ", error.what());
  }
}

std::map<std::string, std::string> RefineTaskProperty(const std::optional<RefineTask>& task) {
  if (!task) return {{kTaskProperty, ""}};
  nlohmann::json dates = nlohmann::json::array();
  for (const RefineTask::Date& date : task->dates) dates.push_back(ToJson(date));
  nlohmann::json json{{"pass", task->pass},        {"kind", Name(task->kind)},
                      {"dates", std::move(dates)}, {"predicate", task->predicate},
                      {"table", task->table},      {"horizon", ToJson(task->horizon)},
                      {"at", task->at_ms}};
  if (task->kind == TaskKind::kArchive) {
    json["archiveRun"] = task->archive_run;
    json["filesDigest"] = task->files_digest;
  }
  return {{kTaskProperty, DumpJson(json)}};
}

Result<std::optional<int32_t>> ReadHorizon(const lake::Snapshot& table) {
  const std::string* text = lake::FindProperty(table, kHorizonProperty);
  if (text == nullptr) return std::optional<int32_t>();
  const std::optional<int32_t> date = ParseDate(*text);
  if (!date) return Status::Invalid("property ", kHorizonProperty, " is no date: ", *text);
  return date;
}

std::map<std::string, std::string> HorizonProperty(int32_t first_date) {
  return {{kHorizonProperty, FormatDate(first_date)}};
}

}  // namespace shopstream::tables
