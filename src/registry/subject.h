#pragma once

#include <string>
#include <string_view>

#include "base/config.h"

namespace shopstream::registry {

// How the subjects of a topic's schemas are named.
struct SubjectNaming {
  std::string subject = "";        // If not empty, it is this one.
  std::string strategy = "topic";  // topic, record or topic_record.

  static SubjectNaming From(const RegistryConfig& config);
  // Whether the subject depends on the record, so that a topic alone has none.
  bool needs_record() const { return subject.empty() && strategy != "topic"; }
};

// The subject of a record's schema in a topic, as Confluent's clients name it: <topic>-value, the
// record's full name, or <topic>-<record's full name>.
std::string SubjectFor(const SubjectNaming& naming, std::string_view topic,
                       std::string_view record_name);

}  // namespace shopstream::registry
