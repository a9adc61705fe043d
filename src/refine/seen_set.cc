#include "refine/seen_set.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/number.h"

namespace shopstream::refine {
namespace {

constexpr char kRun[] = "run";
constexpr char kLog[] = "log";
constexpr char kPart[] = "part";  // Of a run that is being built.

// A merge rewrites this many hashes of the run for each new one, in sets of 1 to 40 million. The
// new ones take 27 to 54 bytes of memory each.
constexpr int64_t kShareOfNew = 16;
constexpr int64_t kLeastNew = 1 << 16;
constexpr int64_t kMostNew = 2'500'000;  // What 64 MiB hold.
// A merge is complete before half of the next one's hashes have come.
constexpr int64_t kHaste = 2;

constexpr size_t kPartHashes = 1 << 21;
constexpr int64_t kLogReadHashes = 1 << 14;

struct SetFile {
  std::string set;
  int64_t generation = 0;
  std::string kind;
};

std::optional<SetFile> ParseSetFile(const std::string& file) {
  const size_t kind_at = file.rfind('.');
  if (kind_at == std::string::npos || kind_at == 0) return std::nullopt;
  const size_t number_at = file.rfind('.', kind_at - 1);
  if (number_at == std::string::npos) return std::nullopt;
  const auto number =
      ParseWhole<int64_t>(std::string_view(file).substr(number_at + 1, kind_at - number_at - 1));
  const std::string kind = file.substr(kind_at + 1);
  if (!number || (kind != kRun && kind != kLog && kind != kPart)) return std::nullopt;
  return SetFile{file.substr(0, number_at), *number, kind};
}

Result<std::unique_ptr<HashRun>> OpenRun(PageFolder* folder, const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(auto file, folder->Open(name));
  auto run = HashRun::Open(std::move(file));
  if (run.ok()) return run;
  return run.status().WithMessage(name, ": ", run.status().message());
}

// Sorts what comes, a part at a time, and merges the parts.
class RunBuilder {
 public:
  RunBuilder(PageFolder* folder, std::string set) : folder_(folder), set_(std::move(set)) {}

  Status Take(std::vector<Hash128> hashes) {
    for (size_t begin = 0; begin < hashes.size();) {
      const size_t count = std::min(hashes.size() - begin, kPartHashes - collected_.size());
      const auto from = hashes.begin() + static_cast<ptrdiff_t>(begin);
      collected_.insert(collected_.end(), from, from + static_cast<ptrdiff_t>(count));
      begin += count;
      if (collected_.size() == kPartHashes) ARROW_RETURN_NOT_OK(WritePart());
    }
    return Status::OK();
  }

  Status Finish(const std::string& target) {
    ARROW_RETURN_NOT_OK(WritePart());
    collected_ = {};
    std::vector<std::unique_ptr<HashRun>> runs;
    std::vector<std::unique_ptr<HashSource>> sources;
    for (const std::string& part : parts_) {
      ARROW_ASSIGN_OR_RAISE(runs.emplace_back(), OpenRun(folder_, part));
      sources.push_back(SourceOf(runs.back().get()));
    }
    ARROW_ASSIGN_OR_RAISE(auto file, folder_->Open(target));
    HashMerge merge(std::move(sources), std::move(file));
    ARROW_RETURN_NOT_OK(merge.Advance(std::numeric_limits<int64_t>::max()).status());
    for (const std::string& part : parts_) ARROW_RETURN_NOT_OK(folder_->Remove(part));
    return Status::OK();
  }

 private:
  Status WritePart() {
    std::ranges::sort(collected_);
    const auto repeated = std::ranges::unique(collected_);
    collected_.erase(repeated.begin(), repeated.end());
    parts_.push_back(set_ + "." + std::to_string(parts_.size()) + "." + kPart);
    ARROW_ASSIGN_OR_RAISE(auto file, folder_->Open(parts_.back()));
    HashRunWriter writer(std::move(file));
    ARROW_RETURN_NOT_OK(writer.Append(collected_));
    collected_.clear();
    return writer.Finish();
  }

  PageFolder* const folder_;
  const std::string set_;
  std::vector<Hash128> collected_;
  std::vector<std::string> parts_;
};

}  // namespace

std::optional<std::string> SeenSet::SetOf(const std::string& file) {
  auto parsed = ParseSetFile(file);
  return parsed ? std::optional(std::move(parsed->set)) : std::nullopt;
}

std::string SeenSet::FileName(int64_t generation, const char* kind) const {
  return name_ + "." + std::to_string(generation) + "." + kind;
}

Result<std::unique_ptr<SeenSet>> SeenSet::Open(PageFolder* folder, const std::string& name,
                                               const std::vector<std::string>& files) {
  auto set = std::unique_ptr<SeenSet>(new SeenSet(folder, name));
  std::set<int64_t> logs, runs;
  for (const std::string& file : files) {
    const auto parsed = ParseSetFile(file);
    if (!parsed || parsed->set != name) continue;
    if (parsed->kind == kLog) logs.insert(parsed->generation);
    if (parsed->kind == kRun) runs.insert(parsed->generation);
    if (parsed->kind == kPart) ARROW_RETURN_NOT_OK(folder->Remove(file));
  }
  for (auto run = runs.rbegin(); run != runs.rend() && set->run_ == nullptr; ++run) {
    ARROW_ASSIGN_OR_RAISE(set->run_, OpenRun(folder, set->FileName(*run, kRun)));
    if (set->run_ != nullptr) set->generation_ = *run;
  }
  for (const int64_t run : runs) {
    if (set->run_ != nullptr && run == set->generation_) continue;
    ARROW_RETURN_NOT_OK(folder->Remove(set->FileName(run, kRun)));
  }
  for (const int64_t log : logs) {
    if (set->run_ != nullptr && log >= set->generation_) continue;
    ARROW_RETURN_NOT_OK(folder->Remove(set->FileName(log, kLog)));
  }
  if (set->run_ == nullptr) return nullptr;
  if (!logs.contains(set->generation_)) {
    return Corrupt(set->FileName(set->generation_, kLog), " is missing");
  }
  ARROW_RETURN_NOT_OK(set->ReadLog(set->generation_, &set->new_));
  if (logs.contains(set->generation_ + 1)) ARROW_RETURN_NOT_OK(set->BeginMerge());
  return set;
}

Result<std::unique_ptr<SeenSet>> SeenSet::Build(PageFolder* folder, const std::string& name,
                                                const Rebuild& rebuild) {
  auto set = std::unique_ptr<SeenSet>(new SeenSet(folder, name));
  RunBuilder builder(folder, name);
  ARROW_RETURN_NOT_OK(
      rebuild([&](std::vector<Hash128> hashes) { return builder.Take(std::move(hashes)); }));
  ARROW_RETURN_NOT_OK(set->OpenLog(0));
  ARROW_RETURN_NOT_OK(builder.Finish(set->FileName(0, kRun)));
  ARROW_ASSIGN_OR_RAISE(set->run_, OpenRun(folder, set->FileName(0, kRun)));
  return set;
}

// Of a log whose last write was cut off, the whole hashes count.
Status SeenSet::ReadLog(int64_t generation, HashTable* table) {
  ARROW_RETURN_NOT_OK(OpenLog(generation));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, log_->Size());
  std::vector<Hash128> hashes;
  const int64_t whole = size / int64_t{sizeof(Hash128)};
  for (int64_t at = 0; at < whole; at += std::ssize(hashes)) {
    hashes.resize(static_cast<size_t>(std::min(whole - at, kLogReadHashes)));
    ARROW_RETURN_NOT_OK(
        log_->Read(at * int64_t{sizeof(Hash128)}, std::as_writable_bytes(std::span(hashes))));
    for (const Hash128& hash : hashes) {
      if (hash != Hash128()) table->Insert(hash);
    }
  }
  log_bytes_ = whole * int64_t{sizeof(Hash128)};
  return Status::OK();
}

Status SeenSet::OpenLog(int64_t generation) {
  log_bytes_ = 0;
  return folder_->Open(FileName(generation, kLog)).Value(&log_);
}

int64_t SeenSet::MostNew() const {
  return std::clamp(run_->count() / kShareOfNew, kLeastNew, kMostNew);
}

Result<std::vector<bool>> SeenSet::Contains(const std::vector<Hash128>& hashes) {
  std::vector<bool> found(hashes.size());
  std::vector<size_t> open;  // Not found in memory.
  for (size_t i = 0; i < hashes.size(); ++i) {
    found[i] = new_.Contains(hashes[i]) || merging_.Contains(hashes[i]);
    if (!found[i]) open.push_back(i);
  }
  std::ranges::sort(open, {}, [&hashes](size_t i) { return hashes[i]; });
  std::vector<Hash128> sorted;
  sorted.reserve(open.size());
  for (const size_t i : open) sorted.push_back(hashes[i]);
  std::vector<bool> in_run(sorted.size());
  const Status status = run_->Find(sorted, &in_run);
  if (!status.ok()) {
    return status.WithMessage(FileName(generation_, kRun), ": ", status.message());
  }
  for (size_t i = 0; i < open.size(); ++i) found[open[i]] = in_run[i];
  return found;
}

Status SeenSet::Insert(const std::vector<Hash128>& hashes) {
  std::vector<Hash128> fresh;
  for (const Hash128& hash : hashes) {
    if (!merging_.Contains(hash) && new_.Insert(hash)) fresh.push_back(hash);
  }
  ARROW_RETURN_NOT_OK(log_->Write(log_bytes_, std::as_bytes(std::span(fresh))));
  log_bytes_ += std::ssize(fresh) * int64_t{sizeof(Hash128)};
  if (merge_ == nullptr && new_.size() >= MostNew()) ARROW_RETURN_NOT_OK(BeginMerge());
  return merge_ == nullptr ? Status::OK() : AdvanceMerge(std::ssize(fresh));
}

// What was new is merged; what comes now goes to the next log, which may exist already.
Status SeenSet::BeginMerge() {
  merging_ = std::exchange(new_, {});
  merging_bytes_ = log_bytes_;
  ARROW_RETURN_NOT_OK(ReadLog(generation_ + 1, &new_));
  ARROW_ASSIGN_OR_RAISE(auto target, folder_->Open(FileName(generation_ + 1, kRun)));
  std::vector<std::unique_ptr<HashSource>> sources;
  sources.push_back(SourceOf(run_.get()));
  sources.push_back(SourceOf(&merging_));
  merge_ = std::make_unique<HashMerge>(std::move(sources), std::move(target));
  return Status::OK();
}

Status SeenSet::AdvanceMerge(int64_t inserted) {
  const int64_t total = run_->count() + merging_.size();
  // Repeated restarts begin a merge anew each time.
  const bool is_overdue = new_.size() >= MostNew();
  const int64_t part = kHaste * (inserted * (total / MostNew() + 1));
  ARROW_ASSIGN_OR_RAISE(const bool is_complete, merge_->Advance(is_overdue ? total + 1 : part));
  return is_complete ? EndMerge() : Status::OK();
}

Status SeenSet::EndMerge() {
  merge_.reset();
  merging_ = {};
  merging_bytes_ = 0;
  ARROW_ASSIGN_OR_RAISE(run_, OpenRun(folder_, FileName(generation_ + 1, kRun)));
  if (run_ == nullptr) return Corrupt(FileName(generation_ + 1, kRun), " is incomplete");
  ARROW_RETURN_NOT_OK(folder_->Remove(FileName(generation_, kRun)));
  ARROW_RETURN_NOT_OK(folder_->Remove(FileName(generation_, kLog)));
  ++generation_;
  return Status::OK();
}

int64_t SeenSet::disk_bytes() const {
  return run_->bytes() + log_bytes_ + merging_bytes_ + (merge_ == nullptr ? 0 : merge_->bytes());
}

int64_t SeenSet::memory_bytes() const {
  return run_->memory_bytes() + new_.memory_bytes() + merging_.memory_bytes();
}

}  // namespace shopstream::refine
