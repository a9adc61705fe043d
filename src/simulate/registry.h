#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error_kind.h"
#include "registry/schema_source.h"
#include "simulate/scheduler.h"

namespace shopstream::simulate {

// Schemas of one subject. If its name is empty, every subject name matches. The schema with the
// highest id is the newest.
class SimulatedRegistry : public registry::SchemaSource {
 public:
  explicit SimulatedRegistry(Scheduler* scheduler, std::string subject = "")
      : scheduler_(scheduler), subject_(std::move(subject)) {}

  bool out = false;           // It does not answer.
  double denies_wrongly = 0;  // As if it lagged behind its writer: once per program and id.

  void Register(int32_t id, std::string schema) { schemas_[id] = std::move(schema); }
  // Under a subject that nobody asks for.
  void RegisterElsewhere(int32_t id, std::string schema) { elsewhere_[id] = std::move(schema); }

  registry::LookUp ById(int32_t id) override {
    Pass();
    registry::LookUp answer;
    if (out || scheduler_->dead()) {
      answer.detail = "simulated: the registry does not answer";
      scheduler_->Count("registry: no answer");
      return answer;
    }
    auto found = schemas_.find(id);
    if (found == schemas_.end()) found = elsewhere_.find(id);
    const bool unknown = found == elsewhere_.end();
    const bool denied = scheduler_->chance()->Once(denies_wrongly) &&
                        denied_.emplace(scheduler_->program(), id).second;
    if (unknown || denied) {
      scheduler_->Count(denied ? "registry: a known id denied" : "registry: unknown id");
      answer.outcome = registry::LookUpOutcome::kUnknown;
      return answer;
    }
    answer.outcome = registry::LookUpOutcome::kFound;
    answer.schema = {.id = id, .version = 0, .subject = "", .schema = found->second};
    return answer;
  }

  Result<registry::RegisteredSchema> Latest(const std::string& subject) override {
    Pass();
    if (out || scheduler_->dead()) return Unavailable("simulated: the registry is out");
    const bool other = !subject_.empty() && subject != subject_;
    if (schemas_.empty() || other) return Status::KeyError("simulated: no subject ", subject);
    const auto& [id, schema] = *schemas_.rbegin();
    return registry::RegisteredSchema{
        .id = id, .version = id, .subject = subject, .schema = schema};
  }

 private:
  void Pass() { scheduler_->Pass(std::chrono::microseconds(scheduler_->chance()->Below(5000))); }

  Scheduler* const scheduler_;
  const std::string subject_;
  std::map<int32_t, std::string> schemas_, elsewhere_;
  std::set<std::pair<int, int32_t>> denied_;  // Program, id.
};

}  // namespace shopstream::simulate
