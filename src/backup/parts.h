#pragma once

#include <string>
#include <vector>

#include "backup/create.h"
#include "base/config.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

// Names of parts.
inline constexpr char kSettingsPart[] = "settings.txt";  // key=value, as --set takes them.
inline constexpr char kRegistryPart[] = "registry.json";
inline constexpr char kTopicsPart[] = "topics.json";
inline constexpr char kAclsPart[] = "acls.json";
inline constexpr char kSqlParts[] = "sql/";  // Followed by the path in refine.sql_folder.

// What a pipeline needs besides its tables: the settings without secrets, the files that refine
// reads, its SQL among them, the topic's settings, the brokers' ACLs and the registry's content. A
// part that cannot be read is an error in its place.
Parts ReadParts(const Config& config);

// The text of a part of a backup, checked against its hash. Gone: the backup does not have it; the
// message says why. Corrupt: it is damaged.
Result<std::string> ReadPart(lake::ObjectStore* place, const Manifest& manifest,
                             const std::string& name);

// Creates the topics that a part describes, with their partitions, replicas and own settings, or
// changes the settings of those that exist. Returns the changes, one line each.
Result<std::vector<std::string>> RestoreTopics(const KafkaConfig& config, const std::string& part);

// An ACL of a backup, and whether the brokers lacked it.
struct RestoredAcl {
  std::string text;  // See kafka::TextOf.
  bool is_new = false;
};
// Creates the ACLs of a part that the brokers lack; other ACLs stay. Invalid: the brokers have no
// authorizer.
Result<std::vector<RestoredAcl>> RestoreAcls(const KafkaConfig& config, const std::string& part,
                                             bool dry_run);

// Writes all parts that are files of the pipeline into a new folder: settings.txt, rules.yaml,
// rates.csv, categories.yaml and sql/. Returns their names. Invalid: the folder is not empty.
Result<std::vector<std::string>> RestoreFiles(lake::ObjectStore* place, const Manifest& manifest,
                                              const std::string& folder);

}  // namespace shopstream::backup
