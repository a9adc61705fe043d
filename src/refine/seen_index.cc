#include "refine/seen_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/error_kind.h"
#include "base/log.h"
#include "base/number.h"
#include "base/runtime.h"

namespace shopstream::refine {
namespace {

constexpr char kNullDate[] = "null";

}  // namespace

std::string SeenIndex::NameOf(const SetKey& key) {
  return key.name + "." + (key.date ? std::to_string(*key.date) : kNullDate);
}

std::optional<SeenIndex::SetKey> SeenIndex::ParseName(const std::string& set) {
  const size_t dot = set.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string date = set.substr(dot + 1);
  const auto days = ParseWhole<int32_t>(date);
  if (!days && date != kNullDate) return std::nullopt;
  return SetKey{set.substr(0, dot), days};
}

Result<std::unique_ptr<SeenIndex>> SeenIndex::Open(PageFolder* folder,
                                                   const SeenIndexOptions& options) {
  auto index = std::unique_ptr<SeenIndex>(new SeenIndex(folder, options));
  ARROW_ASSIGN_OR_RAISE(auto label, ReadLabel(folder));
  ARROW_ASSIGN_OR_RAISE(const std::string boot_id, folder->BootId());
  const bool is_usable = label && label->table_id == options.table_id &&
                         (label->is_clean || label->boot_id == boot_id);
  if (!is_usable) {
    ARROW_RETURN_NOT_OK(index->DropAll());
    label = SeenLabel{.table_id = options.table_id, .key = {RandomBits(), RandomBits()}};
  }
  label->boot_id = boot_id;
  label->is_clean = false;
  index->key_ = label->key;
  // Before anything else is written.
  ARROW_RETURN_NOT_OK(WriteLabel(folder, *label));
  ARROW_RETURN_NOT_OK(index->Load());
  return index;
}

Status SeenIndex::DropAll() {
  ARROW_ASSIGN_OR_RAISE(const auto files, files_.List());
  for (const auto& file : files) {
    if (file.name != kLabelFile) ARROW_RETURN_NOT_OK(files_.Remove(file.name));
  }
  return Status::OK();
}

// Finds what there is. Dates of a set without a stamp are useless.
Status SeenIndex::Load() {
  ARROW_ASSIGN_OR_RAISE(auto files, files_.List());
  std::ranges::sort(files, {},
                    [](const auto& file) { return std::tuple(file.modified, file.name); });
  for (const auto& file : files) {
    const auto name = ParseStampFile(file.name);
    if (!name) continue;
    ARROW_ASSIGN_OR_RAISE(const auto stamp, ReadStamp(&files_, *name));
    if (stamp) stamps_.emplace(*name, *stamp);
  }
  for (const auto& file : files) {
    const auto set = SeenSet::SetOf(file.name);
    const auto key = set ? ParseName(*set) : std::nullopt;
    if (!key) continue;
    if (!stamps_.contains(key->name)) {
      ARROW_RETURN_NOT_OK(files_.Remove(file.name));
      continue;
    }
    Shelf& shelf = shelves_[*key];
    shelf.bytes += file.bytes;
    shelf.used = ++uses_;
  }
  return Status::OK();
}

std::optional<SeenStamp> SeenIndex::stamp(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = stamps_.find(name);
  return found == stamps_.end() ? std::nullopt : std::optional(found->second);
}

Status SeenIndex::Stamp(const std::string& name, const SeenStamp& stamp) {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(WriteStamp(&files_, name, stamp));
  stamps_[name] = stamp;
  return Status::OK();
}

Status SeenIndex::Drop(const SetKey& key) {
  shelves_.erase(key);
  const std::string name = NameOf(key);
  ARROW_ASSIGN_OR_RAISE(const auto files, files_.BeginningWith(name + "."));
  for (const std::string& file : files) {
    if (SeenSet::SetOf(file) == name) ARROW_RETURN_NOT_OK(files_.Remove(file));
  }
  return Status::OK();
}

template <typename IsMeant>
Status SeenIndex::DropIf(const IsMeant& is_meant) {
  std::vector<SetKey> meant;
  for (const auto& [key, shelf] : shelves_) {
    if (is_meant(key)) meant.push_back(key);
  }
  for (const SetKey& key : meant) ARROW_RETURN_NOT_OK(Drop(key));
  return Status::OK();
}

Status SeenIndex::Used(const SetKey& key, const Status& status) {
  if (status.ok()) return KeepLimits(key);
  const auto shelf = shelves_.find(key);
  if (shelf != shelves_.end()) shelf->second.set.reset();
  if (KindOf(status) != ErrorKind::kCorrupt) return status;
  Log::Warn("the index of seen ids: {}; this date is built again from the table", status.message());
  return Drop(key);
}

Result<SeenSet*> SeenIndex::Find(const SetKey& key) {
  const auto shelf = shelves_.find(key);
  if (shelf == shelves_.end()) return nullptr;
  shelf->second.used = ++uses_;
  if (shelf->second.set != nullptr) return shelf->second.set.get();
  const std::string name = NameOf(key);
  ARROW_ASSIGN_OR_RAISE(const auto files, files_.BeginningWith(name + "."));
  auto opened = SeenSet::Open(&files_, name, files);
  if (!opened.ok()) {
    ARROW_RETURN_NOT_OK(Used(key, opened.status()));
    return nullptr;
  }
  if (*opened == nullptr) {
    shelves_.erase(shelf);
    return nullptr;
  }
  shelf->second.set = *std::move(opened);
  return shelf->second.set.get();
}

Result<SeenSet*> SeenIndex::FindOrBuild(const SetKey& key, const Rebuild& rebuild) {
  ARROW_ASSIGN_OR_RAISE(SeenSet* const found, Find(key));
  if (found != nullptr) return found;
  ARROW_RETURN_NOT_OK(Drop(key));
  ARROW_ASSIGN_OR_RAISE(auto set, SeenSet::Build(&files_, NameOf(key), rebuild));
  Shelf& shelf = shelves_[key];
  shelf.used = ++uses_;
  shelf.set = std::move(set);
  return shelf.set.get();
}

Result<std::vector<bool>> SeenIndex::Contains(const std::string& name, Date date,
                                              const std::vector<Hash128>& hashes,
                                              const Rebuild& rebuild) {
  const std::lock_guard lock(mutex_);
  if (!stamps_.contains(name)) return Status::Invalid("set ", name, " follows no commit");
  const SetKey key{name, date};
  ARROW_ASSIGN_OR_RAISE(SeenSet * set, FindOrBuild(key, rebuild));
  auto found = set->Contains(hashes);
  if (!found.ok()) {
    ARROW_RETURN_NOT_OK(Used(key, found.status()));
    // It was damaged.
    ARROW_ASSIGN_OR_RAISE(set, FindOrBuild(key, rebuild));
    found = set->Contains(hashes);
  }
  ARROW_RETURN_NOT_OK(Used(key, found.status()));
  return found;
}

Status SeenIndex::Insert(const std::string& name, Date date, const std::vector<Hash128>& hashes) {
  const std::lock_guard lock(mutex_);
  const SetKey key{name, date};
  ARROW_ASSIGN_OR_RAISE(SeenSet* const set, Find(key));
  return set == nullptr ? Status::OK() : Used(key, set->Insert(hashes));
}

Status SeenIndex::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  stamps_.erase(name);
  ARROW_RETURN_NOT_OK(files_.Remove(StampFile(name)));
  return DropIf([&name](const SetKey& key) { return key.name == name; });
}

Status SeenIndex::Forget(const std::string& name, Date date) {
  const std::lock_guard lock(mutex_);
  return DropIf([&](const SetKey& key) { return key == SetKey{name, date}; });
}

Status SeenIndex::Forget(Date date) {
  const std::lock_guard lock(mutex_);
  return DropIf([date](const SetKey& key) { return key.date == date; });
}

Status SeenIndex::KeepLimits(const SetKey& key) {
  int64_t disk = 0, memory = 0, open = 0;
  for (auto& [each, shelf] : shelves_) {
    if (shelf.set != nullptr) {
      shelf.bytes = shelf.set->disk_bytes();
      memory += shelf.set->memory_bytes();
      ++open;
    }
    disk += shelf.bytes;
  }
  const auto exceeds_disk = [&] { return disk > options_.disk_bytes; };
  const auto exceeds = [&] {
    return exceeds_disk() || memory > options_.memory_bytes || open > options_.open_dates;
  };
  if (!exceeds()) return Status::OK();
  std::vector<std::pair<int64_t, SetKey>> others;
  for (const auto& [each, shelf] : shelves_) {
    if (each != key) others.emplace_back(shelf.used, each);
  }
  std::ranges::sort(others);
  for (auto at = others.begin(); at != others.end() && exceeds(); ++at) {
    Shelf& shelf = shelves_.at(at->second);
    if (shelf.set != nullptr) {
      memory -= shelf.set->memory_bytes();
      --open;
      shelf.set.reset();
    }
    if (!exceeds_disk()) continue;
    disk -= shelf.bytes;
    ARROW_RETURN_NOT_OK(Drop(at->second));
  }
  return Status::OK();
}

int64_t SeenIndex::disk_bytes() const {
  const std::lock_guard lock(mutex_);
  int64_t bytes = 0;
  for (const auto& [key, shelf] : shelves_) {
    bytes += shelf.set == nullptr ? shelf.bytes : shelf.set->disk_bytes();
  }
  return bytes;
}

Status SeenIndex::Close() {
  const std::lock_guard lock(mutex_);
  shelves_.clear();
  ARROW_ASSIGN_OR_RAISE(const auto files, files_.List());
  for (const auto& entry : files) {
    ARROW_ASSIGN_OR_RAISE(const auto file, files_.Open(entry.name));
    ARROW_RETURN_NOT_OK(file->Sync());
  }
  ARROW_RETURN_NOT_OK(files_.Sync());
  ARROW_ASSIGN_OR_RAISE(auto label, ReadLabel(&files_));
  if (!label) return Corrupt("the label of the index of seen ids is damaged");
  label->is_clean = true;
  return WriteLabel(&files_, *label);
}

}  // namespace shopstream::refine
