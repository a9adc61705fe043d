#include "base/report.h"

#include "base/json.h"

namespace shopstream {
namespace {

void PrintList(std::ostream& out, const nlohmann::ordered_json& list) {
  out << '[';
  for (size_t i = 0; i < list.size(); ++i) out << (i == 0 ? "\n" : ",\n") << DumpJson(list[i]);
  out << (list.empty() ? "]\n" : "\n]\n");
}

}  // namespace

void PrintReport(std::ostream& out, const nlohmann::ordered_json& report) {
  if (report.is_array()) return PrintList(out, report);
  // Only a spooled list can fail.
  static_cast<void>(PrintReport(out, report, "", nullptr));
}

Status PrintReport(std::ostream& out, const nlohmann::ordered_json& report,
                   const std::string& list_name, SpooledList* list) {
  if (list != nullptr) ARROW_RETURN_NOT_OK(list->Flush());
  out << '{';
  const char* separator = "";
  for (const auto& [name, value] : report.items()) {
    out << separator << DumpJson(nlohmann::json(name)) << ':';
    separator = ",";
    if (list != nullptr && name == list_name) {
      ARROW_RETURN_NOT_OK(list->Print(out));
    } else {
      value.is_array() ? PrintList(out, value) : static_cast<void>(out << DumpJson(value));
    }
  }
  out << "}\n";
  return Status::OK();
}

}  // namespace shopstream
