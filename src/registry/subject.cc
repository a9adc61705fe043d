#include "registry/subject.h"

namespace shopstream::registry {

SubjectNaming SubjectNaming::From(const RegistryConfig& config) {
  return {.subject = config.subject, .strategy = config.subject_strategy};
}

std::string SubjectFor(const SubjectNaming& naming, std::string_view topic,
                       std::string_view record_name) {
  if (!naming.subject.empty()) return naming.subject;
  if (naming.strategy == "record") return std::string(record_name);
  std::string subject(topic);
  if (naming.strategy == "topic_record") return subject.append("-").append(record_name);
  return subject.append("-value");
}

}  // namespace shopstream::registry
