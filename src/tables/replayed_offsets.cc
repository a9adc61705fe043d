#include "tables/replayed_offsets.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "lake/delta/table.h"
#include "tables/names.h"
#include "tables/progress.h"

namespace shopstream::tables {
namespace {

constexpr int64_t kMaxOffset = std::numeric_limits<int64_t>::max() / 4;

class TextReader {
 public:
  explicit TextReader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  bool done() const { return at_ == end_; }
  bool Skip(char wanted) {
    if (done() || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  Result<int64_t> Number() {
    int64_t number = 0;
    const auto [stop, error] = std::from_chars(at_, end_, number);
    if (error != std::errc() || number < 0 || number > kMaxOffset) {
      return Status::Invalid("a number is missing");
    }
    at_ = stop;
    return number;
  }

 private:
  const char* at_;
  const char* end_;
};

}  // namespace

Result<ReplayedOffsets> ReplayedOffsets::Parse(std::string_view text) {
  ReplayedOffsets offsets;
  TextReader reader(text);
  while (!reader.done()) {
    ARROW_ASSIGN_OR_RAISE(const int64_t partition, reader.Number());
    if (partition > std::numeric_limits<int32_t>::max() || !reader.Skip(':')) {
      return Status::Invalid("a partition is missing");
    }
    Runs& runs = offsets.partitions_[static_cast<int32_t>(partition)];
    int64_t end = 0;
    do {
      ARROW_ASSIGN_OR_RAISE(const int64_t gap, reader.Number());
      int64_t more = 0;
      if (reader.Skip('+')) {
        ARROW_ASSIGN_OR_RAISE(more, reader.Number());
      }
      if (end > kMaxOffset) return Status::Invalid("an offset is larger than Kafka allows");
      const int64_t begin = end + gap;
      end = begin + more + 1;
      Add(begin, end, &runs);
    } while (reader.Skip(','));
    if (!reader.done() && !reader.Skip(';')) return Status::Invalid("a run ends in the middle");
  }
  return offsets;
}

std::string ReplayedOffsets::Format() const {
  std::string text;
  for (const auto& [partition, runs] : partitions_) {
    text += (text.empty() ? "" : ";") + std::to_string(partition) + ":";
    int64_t end = 0;
    for (const auto& [run_begin, run_end] : runs) {
      if (end > 0) text += ',';
      text += std::to_string(run_begin - end);
      if (run_end - run_begin > 1) text += "+" + std::to_string(run_end - run_begin - 1);
      end = run_end;
    }
  }
  return text;
}

bool ReplayedOffsets::Contains(int32_t partition, int64_t offset) const {
  const auto runs = partitions_.find(partition);
  if (runs == partitions_.end()) return false;
  const auto after = runs->second.upper_bound(offset);
  return after != runs->second.begin() && offset < std::prev(after)->second;
}

bool ReplayedOffsets::Insert(int32_t partition, int64_t offset) {
  return Add(offset, offset + 1, &partitions_[partition]);
}

void ReplayedOffsets::InsertRun(int32_t partition, int64_t begin, int64_t end) {
  Add(begin, end, &partitions_[partition]);
}

// False: part of it was present already.
bool ReplayedOffsets::Add(int64_t begin, int64_t end, Runs* runs) {
  bool is_new = true;
  auto run = runs->upper_bound(begin);
  if (run != runs->begin() && std::prev(run)->second >= begin) --run;
  while (run != runs->end() && run->first <= end) {
    is_new = is_new && (run->second == begin || run->first == end);
    begin = std::min(begin, run->first);
    end = std::max(end, run->second);
    run = runs->erase(run);
  }
  runs->emplace_hint(run, begin, end);
  return is_new;
}

void ReplayedOffsets::Merge(const ReplayedOffsets& other) {
  for (const auto& [partition, runs] : other.partitions_) {
    for (const auto& [begin, end] : runs) Add(begin, end, &partitions_[partition]);
  }
}

ReplayedOffsets ReplayedOffsets::Without(const ReplayedOffsets& other) const {
  ReplayedOffsets rest;
  for (const auto& [partition, runs] : partitions_) {
    const auto found = other.partitions_.find(partition);
    if (found == other.partitions_.end()) {
      rest.partitions_.emplace(partition, runs);
      continue;
    }
    auto hole = found->second.begin();
    const auto end_of_holes = found->second.end();
    for (const auto& run : runs) {
      int64_t begin = run.first;
      const int64_t end = run.second;
      while (hole != end_of_holes && hole->second <= begin) ++hole;
      for (auto at = hole; at != end_of_holes && at->first < end; ++at) {
        if (begin < at->first) rest.InsertRun(partition, begin, at->first);
        begin = std::min(at->second, end);
      }
      if (begin < end) rest.InsertRun(partition, begin, end);
    }
  }
  return rest;
}

int64_t ReplayedOffsets::size() const {
  int64_t count = 0;
  for (const auto& entry : partitions_) {
    for (const auto& [begin, end] : entry.second) count += end - begin;
  }
  return count;
}

Result<ReplayedOffsets> ReadReplayed(const lake::Snapshot& table, const std::string& topic_id) {
  const std::string name = ReplayedProperty(topic_id);
  const std::string* property = lake::FindProperty(table, name);
  if (property == nullptr) {
    if (!table.Txn(ReplayAppId(topic_id))) return ReplayedOffsets();
    return Status::Invalid("the table counts replays of topic id ", topic_id,
                           " but has lost its property ", name,
                           ", which lists their records: restore it from an older version's "
                           "metaData, otherwise records would be added twice");
  }
  Result<ReplayedOffsets> offsets = ReplayedOffsets::Parse(*property);
  if (offsets.ok()) return offsets;
  return offsets.status().WithMessage("the table's property ", name,
                                      " is damaged: ", offsets.status().message());
}

}  // namespace shopstream::tables
