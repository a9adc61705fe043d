#include "tables/refine_halt.h"

#include "base/json.h"

namespace shopstream::tables {
namespace {

constexpr char kHaltProperty[] = "shopstream.refine.halt";

}  // namespace

Result<std::optional<RefineHalt>> ReadRefineHalt(const lake::Snapshot& rejects, int64_t pass) {
  const std::string* text = lake::FindProperty(rejects, kHaltProperty);
  if (text == nullptr || text->empty()) return std::optional<RefineHalt>();
  try {
    const nlohmann::json json = ParseJsonOrThrow(*text);
    RefineHalt halt;
    halt.pass = json.at("pass").get<int64_t>();
    halt.rule = json.at("rule").get<std::string>();
    halt.found = json.at("found").get<int64_t>();
    halt.rows = json.at("rows").get<int64_t>();
    halt.at_ms = json.at("at").get<int64_t>();
    halt.fingerprint = json.at("fingerprint").get<std::string>();
    halt.accepted = json.at("accepted").get<std::set<std::string>>();
    return halt.pass == pass ? std::optional(halt) : std::nullopt;
  } catch (const nlohmann::json::exception& error) {
    return Status::Invalid("property ", kHaltProperty, " is damaged: ", error.what());
  }
}

std::map<std::string, std::string> RefineHaltProperty(const std::optional<RefineHalt>& halt) {
  if (!halt) return {{kHaltProperty, ""}};
  return {{kHaltProperty, DumpJson(nlohmann::json{{"pass", halt->pass},
                                                  {"rule", halt->rule},
                                                  {"found", halt->found},
                                                  {"rows", halt->rows},
                                                  {"at", halt->at_ms},
                                                  {"fingerprint", halt->fingerprint},
                                                  {"accepted", halt->accepted}})}};
}

}  // namespace shopstream::tables
