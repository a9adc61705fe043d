#include "lake/delta/log_entry.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/json.h"
#include "lake/delta/delta_schema.h"
#include "lake/parquet/partition_path.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

// Readers of optional fields: a field of another type counts as absent.
std::optional<std::string> OptionalString(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

std::optional<int64_t> OptionalInt(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return std::nullopt;
  return it->get<int64_t>();
}

bool BoolOr(const json& object, const char* key, bool otherwise) {
  const auto it = object.find(key);
  return it == object.end() || !it->is_boolean() ? otherwise : it->get<bool>();
}

std::vector<std::string> Strings(const json& object, const char* key) {
  std::vector<std::string> out;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return out;
  for (const json& item : *it) {
    if (item.is_string()) out.push_back(item);
  }
  return out;
}

PartitionValues ParsePartitionValues(const json& action) {
  PartitionValues values;
  const auto it = action.find("partitionValues");
  if (it == action.end() || !it->is_object()) return values;
  for (const auto& [column, value] : it->items()) {
    // Null and the empty string are the same value.
    const bool present = value.is_string() && !value.get_ref<const std::string&>().empty();
    values.emplace_back(column, present ? std::optional(value.get<std::string>()) : std::nullopt);
  }
  return values;
}

json FormatPartitionValues(const PartitionValues& values) {
  json out = json::object();
  for (const auto& [column, value] : values) {
    out[column] = value && !value->empty() ? json(*value) : json(nullptr);
  }
  return out;
}

Result<std::string> DecodeRelative(const std::string& log_path) {
  if (log_path.empty()) return Status::Invalid("an add or remove action without a path");
  const size_t colon = log_path.find(':');
  const bool has_scheme = colon != std::string::npos && colon < log_path.find('/');
  if (log_path.starts_with('/') || has_scheme) {
    return Status::NotImplemented("file ", log_path,
                                  " is outside the table (a shallow clone), which is not "
                                  "supported: clone the table in full");
  }
  return DecodeLogPath(log_path);
}

Status RefuseDeletionVector(const json& action) {
  const auto it = action.find("deletionVector");
  if (it == action.end() || it->is_null()) return Status::OK();
  return Status::NotImplemented(
      "file ", OptionalString(action, "path").value_or("?"),
      " has a deletion vector, which is not supported: rewrite the table "
      "without (delta.enableDeletionVectors=false, then REORG ... PURGE)");
}

Protocol ParseProtocol(const json& action) {
  return {static_cast<int>(OptionalInt(action, "minReaderVersion").value_or(1)),
          static_cast<int>(OptionalInt(action, "minWriterVersion").value_or(1)),
          Strings(action, "readerFeatures"), Strings(action, "writerFeatures")};
}

std::map<std::string, std::string> Texts(const json& object, const char* key) {
  std::map<std::string, std::string> out;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_object()) return out;
  for (const auto& [name, value] : it->items()) {
    out[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return out;
}

Result<Metadata> ParseMetadata(const json& action) {
  Metadata metadata;
  metadata.id = OptionalString(action, "id").value_or("");
  metadata.name = OptionalString(action, "name").value_or("");
  metadata.description = OptionalString(action, "description").value_or("");
  const auto schema = OptionalString(action, "schemaString");
  if (!schema) return Status::Invalid("a metaData action without schemaString");
  metadata.schema_string = *schema;
  if (const auto format = action.find("format"); format != action.end() && format->is_object()) {
    ARROW_RETURN_NOT_OK(CheckDataFormat(OptionalString(*format, "provider")));
    metadata.format_options = Texts(*format, "options");
  }
  metadata.partition_columns = Strings(action, "partitionColumns");
  metadata.configuration = Texts(action, "configuration");
  metadata.created_ms = OptionalInt(action, "createdTime");
  return metadata;
}

Result<AddFile> ParseAdd(const json& action) {
  ARROW_RETURN_NOT_OK(RefuseDeletionVector(action));
  AddFile add;
  add.file.partition_values = ParsePartitionValues(action);
  add.file.size_bytes = OptionalInt(action, "size").value_or(0);
  add.file.modified_ms = OptionalInt(action, "modificationTime").value_or(0);
  add.file.statistics = OptionalString(action, "stats").value_or("");
  add.data_change = BoolOr(action, "dataChange", true);
  if (const auto it = action.find("tags"); it != action.end() && it->is_object()) {
    add.tags = it->dump();
  }
  ARROW_RETURN_NOT_OK(SetLogPath(OptionalString(action, "path").value_or(""), &add));
  return add;
}

Result<RemoveFile> ParseRemove(const json& action) {
  ARROW_RETURN_NOT_OK(RefuseDeletionVector(action));
  RemoveFile remove;
  remove.log_path = OptionalString(action, "path").value_or("");
  ARROW_ASSIGN_OR_RAISE(remove.path, DecodeRelative(remove.log_path));
  remove.deleted_ms = OptionalInt(action, "deletionTimestamp").value_or(0);
  remove.data_change = BoolOr(action, "dataChange", true);
  remove.partition_values = ParsePartitionValues(action);
  remove.size_bytes = OptionalInt(action, "size");
  return remove;
}

Result<Txn> ParseTxn(const json& action) {
  const auto app_id = OptionalString(action, "appId");
  const auto version = OptionalInt(action, "version");
  if (!app_id || !version) return Status::Invalid("a txn action without appId and version");
  return Txn{*app_id, *version, OptionalInt(action, "lastUpdated")};
}

Status ParseAction(const std::string& kind, const json& action, LogEntry* entry) {
  if (kind == "add") {
    ARROW_ASSIGN_OR_RAISE(entry->adds.emplace_back(), ParseAdd(action));
  } else if (kind == "remove") {
    ARROW_ASSIGN_OR_RAISE(entry->removes.emplace_back(), ParseRemove(action));
  } else if (kind == "txn") {
    ARROW_ASSIGN_OR_RAISE(entry->txns.emplace_back(), ParseTxn(action));
  } else if (kind == "metaData") {
    ARROW_ASSIGN_OR_RAISE(entry->metadata, ParseMetadata(action));
  } else if (kind == "protocol") {
    entry->protocol = ParseProtocol(action);
  } else if (kind == "commitInfo") {
    entry->commit_info = action;
  }
  return Status::OK();
}

json FormatProtocol(const Protocol& protocol) {
  json out = {{"minReaderVersion", protocol.min_reader_version},
              {"minWriterVersion", protocol.min_writer_version}};
  if (protocol.min_reader_version >= 3) out["readerFeatures"] = protocol.reader_features;
  if (protocol.min_writer_version >= 7) out["writerFeatures"] = protocol.writer_features;
  return out;
}

json FormatMetadata(const Metadata& metadata) {
  json out = {{"id", metadata.id},
              {"format", {{"provider", "parquet"}, {"options", metadata.format_options}}},
              {"schemaString", metadata.schema_string},
              {"partitionColumns", metadata.partition_columns},
              {"configuration", metadata.configuration}};
  if (!metadata.name.empty()) out["name"] = metadata.name;
  if (!metadata.description.empty()) out["description"] = metadata.description;
  if (metadata.created_ms) out["createdTime"] = *metadata.created_ms;
  return out;
}

json FormatAdd(const AddFile& add) {
  json out = {{"path", add.log_path},
              {"partitionValues", FormatPartitionValues(add.file.partition_values)},
              {"size", add.file.size_bytes},
              {"modificationTime", add.file.modified_ms},
              {"dataChange", add.data_change}};
  if (!add.file.statistics.empty()) out["stats"] = add.file.statistics;
  if (!add.tags.empty()) out["tags"] = ParseJson(add.tags);
  return out;
}

json FormatRemove(const RemoveFile& remove) {
  json out = {{"path", remove.log_path},
              {"deletionTimestamp", remove.deleted_ms},
              {"dataChange", remove.data_change},
              {"extendedFileMetadata", remove.size_bytes.has_value()}};
  if (remove.size_bytes) {
    out["partitionValues"] = FormatPartitionValues(remove.partition_values);
    out["size"] = *remove.size_bytes;
  }
  return out;
}

json FormatTxn(const Txn& txn) {
  json out = {{"appId", txn.app_id}, {"version", txn.version}};
  if (txn.last_updated_ms) out["lastUpdated"] = *txn.last_updated_ms;
  return out;
}

// Stops as soon as the number is found: it comes first, before the long lists of bounds.
class RowCountFinder : public nlohmann::json_sax<json> {
 public:
  int64_t rows() const { return rows_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override { return Number(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(static_cast<int64_t>(value));
  }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool key(string_t& key) override {
    at_count_ = depth_ == 1 && key == "numRecords";
    return true;
  }
  bool end_object() override { return --depth_ > 0; }
  bool start_array(std::size_t) override { return ++depth_ > 0; }
  bool end_array() override { return --depth_ > 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool Number(int64_t value) {
    if (!at_count_) return true;
    rows_ = value;
    return false;
  }

  int depth_ = 0;
  bool at_count_ = false;
  int64_t rows_ = -1;
};

}  // namespace

Result<LogEntry> ParseLogEntry(std::string_view text, const std::string& name) {
  LogEntry entry;
  entry.digest = EntryDigest(text);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const json actions = ParseJson(line);
    if (!actions.is_object()) {
      return Status::Invalid(name, " is damaged: '", line.substr(0, 80), "' is not a JSON object");
    }
    for (const auto& [kind, action] : actions.items()) {
      if (!action.is_object()) continue;
      const Status status = ParseAction(kind, action, &entry);
      if (!status.ok()) return status.WithMessage(name, ": ", status.message());
    }
  }
  return entry;
}

std::string FormatLogEntry(const LogEntry& entry) {
  std::string out;
  const auto append = [&out](const char* kind, json action) {
    // Bytes that are not UTF-8 cannot occur in JSON; a replacement beats an exception.
    out += DumpJson(json({{kind, std::move(action)}}));
    out += '\n';
  };
  if (!entry.commit_info->is_null()) append("commitInfo", *entry.commit_info);
  if (entry.protocol) append("protocol", FormatProtocol(*entry.protocol));
  if (entry.metadata) append("metaData", FormatMetadata(*entry.metadata));
  for (const Txn& txn : entry.txns) append("txn", FormatTxn(txn));
  for (const RemoveFile& remove : entry.removes) append("remove", FormatRemove(remove));
  for (const AddFile& add : entry.adds) append("add", FormatAdd(add));
  return out;
}

uint64_t EntryDigest(std::string_view text) {
  return std::max<uint64_t>(std::hash<std::string_view>{}(text), 1);
}

std::string CommitId(const LogEntry& entry) {
  if (!entry.commit_info->is_object()) return "";
  return OptionalString(*entry.commit_info, "txnId").value_or("");
}

std::optional<int64_t> CommitTimestamp(const LogEntry& entry) {
  if (!entry.commit_info->is_object()) return std::nullopt;
  const auto found = entry.commit_info->find("timestamp");
  if (found == entry.commit_info->end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

int64_t RowsFromStatistics(std::string_view statistics) {
  if (statistics.empty()) return -1;
  RowCountFinder finder;
  json::sax_parse(statistics, &finder);
  return finder.rows();
}

Status SetLogPath(const std::string& log_path, AddFile* add) {
  ARROW_ASSIGN_OR_RAISE(add->file.path, DecodeRelative(log_path));
  add->log_path = log_path;
  add->file.rows = RowsFromStatistics(add->file.statistics);
  return Status::OK();
}

std::string LogFolder(const std::string& table_path) { return table_path + "/_delta_log/"; }

std::string LogEntryPath(const std::string& table_path, int64_t version) {
  return LogFolder(table_path) + ZeroPadded(version, 20) + ".json";
}

std::string ZeroPadded(int64_t number, int width) {
  std::string digits = std::to_string(number);
  return std::string(static_cast<size_t>(width) - digits.size(), '0') + digits;
}

}  // namespace shopstream::lake
