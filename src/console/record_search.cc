#include "console/record_search.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::console {
namespace {

constexpr Millis kPoll{50};
// A live tail answers this long after a first record.
constexpr Millis kTailPatience{100};
// A round has a fixed cost, until its first record arrives. Blocks grow until the rest takes this
// long, faster while it takes a quarter, and shrink if it takes longer than a slice.
constexpr Millis kLongRound{500};
constexpr int64_t kFirstBlock = 4000;

kafka::ConsumerOptions ReaderOptions(const SearchRequest& request) {
  kafka::ConsumerOptions options;
  const bool newest = request.order == SearchOrder::kNewest;
  // Newest first, what is fetched beyond the end of a block is wasted.
  options.queue_kbytes = newest ? 4 << 10 : 16 << 10;
  options.fetch_kbytes = newest ? 256 : 1024;
  options.poll_records = 10'000;
  if (!request.follow) options.fetch_wait_ms = 20;  // A round may start while a fetch waits.
  return options;
}

bool IsOlder(const FoundRecord& one, const FoundRecord& other) {
  return std::tuple(one.view.timestamp_ms, one.view.partition, one.view.offset) <
         std::tuple(other.view.timestamp_ms, other.view.partition, other.view.offset);
}

int64_t BytesOf(const kafka::RecordView& record) {
  constexpr int64_t kOverhead = 200;
  return kOverhead + static_cast<int64_t>((record.key ? record.key->size() : 0) +
                                          (record.value ? record.value->size() : 0));
}

KafkaConfig OfTopic(const KafkaConfig& config, const std::string& topic) {
  KafkaConfig kafka = config;
  kafka.topic = topic;
  return kafka;
}

}  // namespace

Result<bool> ReadRecord(const KafkaConfig& config, const std::string& topic, int32_t partition,
                        int64_t offset, Millis timeout,
                        const std::function<void(const kafka::RecordView&)>& use) {
  const std::vector<OffsetRange> range = {{partition, offset, offset + 1}};
  kafka::ConsumerOptions options = ReaderOptions({});
  options.queue_kbytes = 1 << 10;
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        kafka::Reader::Open(OfTopic(config, topic), range, options));
  const BootClock::time_point deadline = BootClock::now() + timeout;
  while (!reader->done()) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(kPoll));
    if (!batch.records.empty()) {
      use(batch.records.front());
      return true;
    }
    if (BootClock::now() < deadline) continue;
    return Unavailable("Kafka did not return offset ", offset, " of partition ", partition,
                       " of topic ", topic, " within ", timeout.count() / 1000,
                       " s: check that its leader is up, then try again");
  }
  for (const auto& [failed, why] : reader->failed()) return why;
  return false;
}

RecordSearch::RecordSearch(const SearchRequest& request, const Config& config,
                           const SearchProgress& progress)
    : request_(request), kafka_(OfTopic(config.kafka, request.topic)), progress_(progress) {}

Result<std::unique_ptr<RecordSearch>> RecordSearch::Open(const SearchRequest& request,
                                                         const Config& config,
                                                         const SearchProgress& progress) {
  std::unique_ptr<RecordSearch> search(new RecordSearch(request, config, progress));
  ARROW_ASSIGN_OR_RAISE(search->registry_, registry::Client::Open(config.registry));
  search->decoder_ = records::RecordDecoder(search->registry_.get());
  ARROW_ASSIGN_OR_RAISE(search->matcher_,
                        records::RecordMatcher::Open(request.query, config, request.topic,
                                                     search->registry_.get(), &search->decoder_));
  return search;
}

PartitionScan* RecordSearch::ScanOf(int32_t partition) {
  return &*std::ranges::find(progress_.partitions, partition, &PartitionScan::partition);
}

Status RecordSearch::StartReader(const std::vector<OffsetRange>& ranges) {
  if (reader_ != nullptr) return reader_->ReadNext(ranges);
  return kafka::Reader::Open(kafka_, ranges, ReaderOptions(request_)).Value(&reader_);
}

std::map<int32_t, int64_t> RecordSearch::FollowLogStarts(
    const std::map<int32_t, kafka::OffsetSpan>& spans) {
  std::map<int32_t, int64_t> removed;
  for (PartitionScan& scan : progress_.partitions) {
    const auto span = spans.find(scan.partition);
    if (span == spans.end() || IsScanned(scan, request_.order)) continue;
    int64_t& left = request_.order == SearchOrder::kNewest ? scan.from : scan.next;
    const int64_t most = request_.order == SearchOrder::kNewest ? scan.next : scan.to;
    const int64_t start = std::min(span->second.log_start, most);
    if (start <= left) continue;
    removed[scan.partition] = start - left;
    left = start;
  }
  return removed;
}

Result<SearchSlice> RecordSearch::NextSlice(int64_t limit) {
  return request_.order == SearchOrder::kNewest ? ScanBackward(limit) : ScanForward(limit);
}

// ---- oldest first

bool RecordSearch::IsFull(const SearchSlice& slice, int64_t limit) const {
  return std::ssize(slice.records) >= limit || slice.bytes >= kMostHeldBytes;
}

// Looks at the records of the pending batch, until the slice is full.
Status RecordSearch::TakePending(int64_t limit, SearchSlice* slice) {
  for (; pending_.place < pending_.batch.records.size(); ++pending_.place) {
    if (IsFull(*slice, limit)) return Status::OK();
    const kafka::RecordView& record = pending_.batch.records[pending_.place];
    int64_t& next = ScanOf(record.partition)->next;
    next = std::max(next, record.offset + 1);
    ++progress_.scanned;
    if (!pending_.matches[pending_.place]) continue;
    ++progress_.matched;
    slice->bytes += BytesOf(record);
    slice->records.push_back({record, std::move(pending_.batch.messages[pending_.place])});
  }
  pending_ = {};
  FinishEnded();
  return Status::OK();
}

// Ranges may end in offsets without a record.
void RecordSearch::FinishEnded() {
  for (PartitionScan& scan : progress_.partitions) {
    if (reader_->failed().contains(scan.partition)) {
      failed_.insert(*reader_->failed().find(scan.partition));
    } else if (!reader_->reads(scan.partition) && !failed_.contains(scan.partition)) {
      scan.next = scan.to;
    }
  }
}

Result<SearchSlice> RecordSearch::ScanForward(int64_t limit) {
  SearchSlice slice;
  if (reader_ == nullptr) {
    std::vector<OffsetRange> ranges;
    for (const PartitionScan& scan : progress_.partitions) {
      ranges.push_back({scan.partition, scan.next, scan.to});
    }
    ARROW_RETURN_NOT_OK(StartReader(ranges));
  }
  BootClock::time_point deadline = BootClock::now() + kSlice;
  while (true) {
    ARROW_RETURN_NOT_OK(TakePending(limit, &slice));
    const bool full = IsFull(slice, limit);
    const bool done = reader_->done() && pending_.batch.records.empty();
    slice.ended = done ? SearchEnd::kEnd : (full ? SearchEnd::kLimit : SearchEnd::kTime);
    const BootClock::time_point now = BootClock::now();
    if (done || full || now >= deadline) break;
    if (request_.follow && !slice.records.empty()) {
      deadline = std::min(deadline, now + kTailPatience);
    }
    ARROW_ASSIGN_OR_RAISE(pending_.batch, reader_->Next(kPoll));
    ARROW_ASSIGN_OR_RAISE(pending_.matches, matcher_->Matches(pending_.batch));
  }
  std::ranges::sort(slice.records, IsOlder);
  slice.failed = failed_;
  return slice;
}

// ---- newest first

// A block of each partition that is left, up to what was searched before.
Status RecordSearch::StartRound(int64_t limit) {
  // Without a condition the newest records of each partition are enough.
  const bool takes_all = !request_.query.key && !request_.query.text && !request_.query.condition;
  if (block_records_ == 0) block_records_ = takes_all ? limit : std::max(limit, kFirstBlock);
  const auto parts = std::ranges::count_if(progress_.partitions, [&](const PartitionScan& scan) {
    return !IsScanned(scan, request_.order) && !failed_.contains(scan.partition);
  });
  const int64_t records = std::max<int64_t>(
      1, std::min(block_records_, kMostRoundRecords / std::max<int64_t>(1, parts)));
  std::vector<OffsetRange> ranges;
  for (const PartitionScan& scan : progress_.partitions) {
    if (IsScanned(scan, request_.order) || failed_.contains(scan.partition)) continue;
    const int64_t begin = std::max(scan.from, scan.next - records);
    ranges.push_back({scan.partition, begin, scan.next});
    round_[scan.partition].begin = begin;
    round_[scan.partition].end = scan.next;
  }
  return ranges.empty() ? Status::OK() : StartReader(ranges);
}

void RecordSearch::Hold(FoundRecord record, Block* block, int64_t limit) const {
  const int64_t share = kMostHeldBytes / static_cast<int64_t>(round_.size());
  block->bytes += BytesOf(record.view);
  block->found.push_back(std::move(record));
  while (block->found.size() > 1 &&
         (static_cast<int64_t>(block->found.size()) > limit || block->bytes > share)) {
    block->bytes -= BytesOf(block->found.front().view);
    block->found.pop_front();
    block->dropped = true;
  }
}

Status RecordSearch::ReadRound(BootClock::time_point deadline, int64_t limit) {
  while (!reader_->done() && BootClock::now() < deadline) {
    BootClock::time_point since = BootClock::now();
    ARROW_ASSIGN_OR_RAISE(kafka::RecordBatch batch, reader_->Next(kPoll));
    if (!round_reading_) since = BootClock::now();
    ARROW_ASSIGN_OR_RAISE(const std::vector<bool> matches, matcher_->Matches(batch));
    for (size_t i = 0; i < batch.records.size(); ++i) {
      Block& block = round_.at(batch.records[i].partition);
      ++block.scanned;
      if (matches[i]) Hold({batch.records[i], std::move(batch.messages[i])}, &block, limit);
    }
    if (round_reading_ || !batch.records.empty()) {
      round_reading_ = round_reading_.value_or(BootClock::duration{0}) + (BootClock::now() - since);
    }
  }
  return Status::OK();
}

// Takes the newest of all blocks, up to the limit. What is searched of a partition then ends at the
// oldest record that was taken, or behind the newest that was not.
void RecordSearch::FinishRound(int64_t limit, SearchSlice* slice) {
  for (const auto& [partition, why] : reader_->failed()) {
    failed_.emplace(partition, why);
    round_.erase(partition);
  }
  std::map<int32_t, std::optional<int64_t>> oldest;
  while (static_cast<int64_t>(slice->records.size()) < limit) {
    Block* newest = nullptr;
    for (auto& [partition, block] : round_) {
      if (block.found.empty()) continue;
      if (newest == nullptr || IsOlder(newest->found.back(), block.found.back())) newest = &block;
    }
    if (newest == nullptr) break;
    oldest[newest->found.back().view.partition] = newest->found.back().view.offset;
    slice->records.push_back(std::move(newest->found.back()));
    newest->found.pop_back();
    ++progress_.matched;
    if (newest->found.empty() && newest->dropped) break;  // The next one of it is not held.
  }
  for (auto& [partition, block] : round_) {
    PartitionScan* const scan = ScanOf(partition);
    if (!block.found.empty()) {
      scan->next = block.found.back().view.offset + 1;
    } else if (block.dropped) {
      scan->next = oldest.at(partition).value();
    } else {
      scan->next = std::max(block.begin, scan->from);
    }
    progress_.scanned += std::min(block.scanned, block.end - scan->next);
  }
  round_.clear();
}

// What a full slice leaves of its round is read again.
void RecordSearch::SizeNextRound(int64_t limit, bool full) {
  const BootClock::duration took =
      std::exchange(round_reading_, std::nullopt).value_or(BootClock::duration{0});
  if (full) {
    block_records_ /= 4;
  } else if (took < kLongRound) {
    block_records_ *= took < kLongRound / 4 ? 4 : 2;
  } else if (took > kSlice) {
    block_records_ /= 2;
  }
  block_records_ = std::clamp(block_records_, std::min(limit, kFirstBlock), kMostRoundRecords);
}

Result<SearchSlice> RecordSearch::ScanBackward(int64_t limit) {
  SearchSlice slice;
  const BootClock::time_point deadline = BootClock::now() + kSlice;
  while (true) {
    const auto left = [&](const PartitionScan& scan) {
      return !IsScanned(scan, request_.order) && !failed_.contains(scan.partition);
    };
    const bool done = round_.empty() && std::ranges::none_of(progress_.partitions, left);
    const bool full = static_cast<int64_t>(slice.records.size()) >= limit;
    slice.ended = done ? SearchEnd::kEnd : (full ? SearchEnd::kLimit : SearchEnd::kTime);
    const BootClock::time_point now = BootClock::now();
    if (done || full || now >= deadline) break;
    if (round_.empty()) ARROW_RETURN_NOT_OK(StartRound(limit));
    ARROW_RETURN_NOT_OK(ReadRound(deadline, limit));
    if (!reader_->done()) continue;
    FinishRound(limit, &slice);
    SizeNextRound(limit, std::ssize(slice.records) >= limit);
  }
  std::ranges::sort(slice.records, [](const auto& a, const auto& b) { return IsOlder(b, a); });
  slice.failed = failed_;
  return slice;
}

}  // namespace shopstream::console
