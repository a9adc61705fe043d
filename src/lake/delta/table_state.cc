#include "lake/delta/table_state.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/format.h"
#include "base/join.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/retention.h"
#include "lake/parquet/partition_path.h"

namespace shopstream::lake {
namespace {

constexpr int kReaderVersion = 1;
constexpr int kWriterVersion = 2;

// Values of the packed maps: fixed 8-byte numbers, and strings after a 4-byte size; -1 is null.
class Packer {
 public:
  Packer& Number(int64_t value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  Packer& Text(const std::optional<std::string>& text) {
    const int32_t size = text ? static_cast<int32_t>(text->size()) : -1;
    out_.append(reinterpret_cast<const char*>(&size), sizeof(size));
    if (text) out_ += *text;
    return *this;
  }
  Packer& Values(const PartitionValues& values) {
    Number(static_cast<int64_t>(values.size()));
    for (const auto& [column, value] : values) Text(column).Text(value);
    return *this;
  }
  std::string Finish() { return std::move(out_); }

 private:
  std::string out_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}
  int64_t Number() { return Fixed<int64_t>(); }
  std::optional<std::string> Text() {
    const auto size = Fixed<int32_t>();
    if (size < 0) return std::nullopt;
    std::string text(bytes_.substr(0, static_cast<size_t>(size)));
    bytes_.remove_prefix(static_cast<size_t>(size));
    return text;
  }
  PartitionValues Values() {
    PartitionValues values;
    for (int64_t left = Number(); left > 0; --left) {
      std::string column = *Text();
      values.emplace_back(std::move(column), Text());
    }
    return values;
  }

 private:
  template <typename T>
  T Fixed() {
    T value;
    std::memcpy(&value, bytes_.data(), sizeof(value));
    bytes_.remove_prefix(sizeof(value));
    return value;
  }

  std::string_view bytes_;
};

// The log's spelling of a path is stored only if it differs from the one we would write.
std::optional<std::string> Spelling(const std::string& path, const std::string& log_path) {
  return EncodeLogPath(path) == log_path ? std::nullopt : std::optional(log_path);
}

std::string PackAdd(const AddFile& add) {
  return Packer()
      .Number(add.file.size_bytes)
      .Number(add.file.rows)
      .Number(add.file.modified_ms)
      .Values(add.file.partition_values)
      .Text(Spelling(add.file.path, add.log_path))
      .Text(add.tags)
      .Text(add.file.statistics)
      .Finish();
}

AddFile UnpackAdd(std::string_view path, std::string_view packed) {
  Unpacker in(packed);
  AddFile add;
  add.file.path = path;
  add.file.size_bytes = in.Number();
  add.file.rows = in.Number();
  add.file.modified_ms = in.Number();
  add.file.partition_values = in.Values();
  add.log_path = in.Text().value_or(EncodeLogPath(path));
  add.tags = in.Text().value_or("");
  add.file.statistics = in.Text().value_or("");
  return add;
}

std::string PackRemove(const RemoveFile& remove) {
  return Packer()
      .Number(remove.deleted_ms)
      .Number(remove.size_bytes.value_or(-1))
      .Number(remove.data_change)
      .Values(remove.partition_values)
      .Text(Spelling(remove.path, remove.log_path))
      .Finish();
}

RemoveFile UnpackRemove(std::string_view path, std::string_view packed) {
  Unpacker in(packed);
  RemoveFile remove;
  remove.path = path;
  remove.deleted_ms = in.Number();
  if (const int64_t size = in.Number(); size >= 0) remove.size_bytes = size;
  remove.data_change = in.Number() != 0;
  remove.partition_values = in.Values();
  remove.log_path = in.Text().value_or(EncodeLogPath(path));
  return remove;
}

Status CheckReadable(const Protocol& protocol) {
  if (protocol.min_reader_version <= kReaderVersion) return Status::OK();
  const std::string features =
      protocol.min_reader_version == 2 ? "columnMapping" : Joined(protocol.reader_features, ", ");
  return Status::NotImplemented(
      "the table requires Delta reader version ", protocol.min_reader_version,
      " (features: ", features.empty() ? "none named" : features, "), this program reads version ",
      kReaderVersion, ": drop the features (ALTER TABLE ... DROP FEATURE), or write a new table");
}

Status CheckProperties(const std::map<std::string, std::string>& properties) {
  for (const auto& [key, value] : properties) {
    // Delta compares these user-chosen names case-insensitively.
    if (ToLower(key).starts_with("delta.constraints.")) {
      return Status::NotImplemented("the table has the constraint ", key, " (", value,
                                    "), which this writer cannot check: drop the constraint");
    }
    if (key == "delta.setTransactionRetentionDuration") {
      return Status::NotImplemented("the table's property ", key, "=", value,
                                    " would delete its Kafka progress: unset the property");
    }
    if (key == "delta.enableChangeDataFeed" && MayBeOn(properties, key)) {
      return Status::NotImplemented("the table's change data feed is on (", key, "=", value,
                                    "), which this writer does not support: unset the property");
    }
    if (key == "delta.columnMapping.mode" && value != "none") {
      return Status::NotImplemented("the table maps its columns (", key, "=", value,
                                    "), which is not supported: write a new table");
    }
  }
  return Status::OK();
}

// `parent`: the owner of these fields, followed by a dot. They are a schema's columns, or the
// members of a struct, a list or a map.
Status CheckColumnRules(const arrow::FieldVector& fields, const std::string& parent) {
  for (const auto& field : fields) {
    for (int64_t i = 0; field->metadata() != nullptr && i < field->metadata()->size(); ++i) {
      const std::string& key = field->metadata()->key(i);
      if (key == "delta.invariants" || key == "delta.generationExpression" ||
          key.starts_with("delta.identity.") || key.starts_with("delta.columnMapping.")) {
        return Status::NotImplemented("column ", parent, field->name(), " has the rule ", key,
                                      ", which this writer cannot enforce: drop the rule");
      }
    }
    ARROW_RETURN_NOT_OK(CheckColumnRules(field->type()->fields(), parent + field->name() + "."));
  }
  return Status::OK();
}

}  // namespace

Status TableState::Replay(int64_t version, const LogEntry& entry) {
  if (version != version_ + 1) {
    return Status::Invalid("version ", version, " does not follow version ", version_);
  }
  version_ = version;
  entry_digest_ = entry.digest;
  if (entry.protocol) protocol_ = std::make_shared<Protocol>(*entry.protocol);
  if (entry.metadata) {
    metadata_ = std::make_shared<Metadata>(*entry.metadata);
    schema_ = nullptr;
  }
  for (const lake::Txn& txn : entry.txns) {
    txns_[txn.app_id] = txn.version;
    txns_updated_ms_.erase(txn.app_id);
    if (txn.last_updated_ms) txns_updated_ms_[txn.app_id] = *txn.last_updated_ms;
  }
  std::vector<std::string> removed;
  std::vector<PackedMap::Entry> tombstones;
  for (const RemoveFile& remove : entry.removes) {
    removed.push_back(remove.path);
    tombstones.emplace_back(remove.path, PackRemove(remove));
  }
  std::vector<std::string> added;
  std::vector<PackedMap::Entry> files;
  for (AddFile add : entry.adds) {
    OrderPartitionValues(&add.file.partition_values);
    added.push_back(add.file.path);
    files.emplace_back(add.file.path, PackAdd(add));
  }
  files_.Erase(removed);
  tombstones_.Put(tombstones);
  tombstones_.Erase(added);
  files_.Put(files);
  return Status::OK();
}

Status TableState::ReplayCheckpoint(int64_t version, const LogEntry& actions) {
  if (version_ != -1 && version_ != version) return Status::Invalid("two checkpoints replayed");
  version_ = version;
  if (actions.protocol) protocol_ = std::make_shared<Protocol>(*actions.protocol);
  if (actions.metadata) metadata_ = std::make_shared<Metadata>(*actions.metadata);
  for (const lake::Txn& txn : actions.txns) {
    txns_[txn.app_id] = txn.version;
    if (txn.last_updated_ms) txns_updated_ms_[txn.app_id] = *txn.last_updated_ms;
  }
  std::vector<PackedMap::Entry> files;
  for (AddFile add : actions.adds) {
    OrderPartitionValues(&add.file.partition_values);
    files.emplace_back(add.file.path, PackAdd(add));
  }
  std::vector<PackedMap::Entry> tombstones;
  for (const RemoveFile& remove : actions.removes) {
    tombstones.emplace_back(remove.path, PackRemove(remove));
  }
  files_.PutNew(files);
  tombstones_.PutNew(tombstones);
  return Status::OK();
}

Status TableState::Finish() {
  if (protocol_ == nullptr || metadata_ == nullptr) {
    return Status::Invalid("the log has no ", protocol_ == nullptr ? "protocol" : "metaData",
                           " up to version ", version_, ": it is damaged");
  }
  ARROW_RETURN_NOT_OK(CheckReadable(*protocol_));
  if (schema_ != nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(schema_, ParseDeltaSchema(metadata_->schema_string));
  for (const std::string& column : metadata_->partition_columns) {
    if (schema_->GetFieldIndex(column) < 0) {
      return Status::Invalid("partition column ", column, " is not in the table's schema");
    }
  }
  return Status::OK();
}

std::optional<int64_t> TableState::Txn(const std::string& app_id) const {
  const auto it = txns_.find(app_id);
  return it == txns_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<DataFile> TableState::Files() const {
  std::vector<DataFile> files;
  files.reserve(files_.size());
  ForEachAdd([&files](const AddFile& add) { files.push_back(add.file); });
  std::sort(files.begin(), files.end(),
            [](const DataFile& a, const DataFile& b) { return a.path < b.path; });
  return files;
}

std::vector<lake::Txn> TableState::TxnActions() const {
  std::vector<lake::Txn> actions;
  for (const auto& [app_id, version] : txns_) {
    const auto updated = txns_updated_ms_.find(app_id);
    actions.push_back(
        {app_id, version,
         updated == txns_updated_ms_.end() ? std::nullopt : std::optional(updated->second)});
  }
  return actions;
}

void TableState::ForEachAdd(const std::function<void(const AddFile&)>& visit) const {
  files_.ForEach(
      [&visit](std::string_view path, std::string_view packed) { visit(UnpackAdd(path, packed)); });
}

void TableState::VisitRemoved(
    const std::function<void(const std::string& path, int64_t removed_ms)>& visit) const {
  ForEachTombstone([&visit](const RemoveFile& remove) { visit(remove.path, remove.deleted_ms); });
}

void TableState::ForEachTombstone(const std::function<void(const RemoveFile&)>& visit) const {
  tombstones_.ForEach([&visit](std::string_view path, std::string_view packed) {
    visit(UnpackRemove(path, packed));
  });
}

std::vector<std::optional<AddFile>> TableState::FindFiles(
    const std::vector<std::string>& paths) const {
  std::vector<std::optional<AddFile>> found;
  found.reserve(paths.size());
  const auto packed = files_.Find(paths);
  for (size_t i = 0; i < paths.size(); ++i) {
    found.push_back(packed[i] ? std::optional(UnpackAdd(paths[i], *packed[i])) : std::nullopt);
  }
  return found;
}

bool MayBeLive(Table* table, const std::string& path) {
  const auto snapshot = table->Refresh();
  if (!snapshot.ok()) return true;
  bool live = false;
  (*snapshot)->VisitFiles([&](const DataFile& file) { live |= file.path == path; });
  return live;
}

void TableState::DropExpiredTombstones(int64_t now_ms) {
  const int64_t oldest = now_ms - TombstoneRetentionMs(properties());
  std::vector<std::string> expired;
  ForEachTombstone([&](const RemoveFile& remove) {
    if (remove.deleted_ms < oldest) expired.push_back(remove.path);
  });
  tombstones_.Erase(expired);
}

void TableState::OrderPartitionValues(PartitionValues* values) const {
  if (metadata_ == nullptr) return;  // A damaged log: Finish says so.
  PartitionValues ordered;
  ordered.reserve(metadata_->partition_columns.size());
  for (const std::string& column : metadata_->partition_columns) {
    const auto it = std::find_if(values->begin(), values->end(),
                                 [&column](const auto& value) { return value.first == column; });
    ordered.emplace_back(column, it == values->end() ? std::nullopt : std::move(it->second));
  }
  *values = std::move(ordered);
}

Status CheckWritable(const TableState& state) {
  const Protocol& protocol = state.protocol();
  if (protocol.min_writer_version > kWriterVersion) {
    const std::string features = Joined(protocol.writer_features, ", ");
    return Status::NotImplemented(
        "the table requires Delta writer version ", protocol.min_writer_version,
        " (features: ", features.empty() ? "those of that version" : features,
        "), this program writes version ", kWriterVersion,
        ": drop the features (ALTER TABLE ... DROP FEATURE)");
  }
  ARROW_RETURN_NOT_OK(CheckProperties(state.properties()));
  return CheckColumnRules(state.schema()->fields(), "");
}

int64_t CountProperty(const std::map<std::string, std::string>& properties, const std::string& name,
                      int64_t otherwise) {
  const auto it = properties.find(name);
  if (it == properties.end()) return otherwise;
  int64_t value = 0;
  const char* end = it->second.data() + it->second.size();
  const auto [stop, error] = std::from_chars(it->second.data(), end, value);
  return error == std::errc() && stop == end && value >= 1 ? value : otherwise;
}

}  // namespace shopstream::lake
