#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "console/search_cursor.h"
#include "console/search_request.h"
#include "kafka/reader.h"
#include "kafka/record.h"
#include "kafka/topic_metadata.h"
#include "records/record_json.h"
#include "records/record_matcher.h"
#include "registry/client.h"

namespace shopstream::console {

// A record that matched, with the message that owns its bytes. Its search must outlive it.
struct FoundRecord {
  kafka::RecordView view;
  kafka::MessageHandle message;
};

// Reads one record of a topic and calls `use` with it; false: the offset has none. Unavailable:
// Kafka did not return it in time.
Result<bool> ReadRecord(const KafkaConfig& config, const std::string& topic, int32_t partition,
                        int64_t offset, Millis timeout,
                        const std::function<void(const kafka::RecordView&)>& use);

enum class SearchEnd { kEnd, kLimit, kTime };

// What one call of a search found.
struct SearchSlice {
  std::vector<FoundRecord> records;  // Oldest or newest first, by timestamp.
  SearchEnd ended = SearchEnd::kEnd;
  std::map<int32_t, Status> failed;  // Partitions that cannot be read further.
  int64_t bytes = 0;                 // Oldest first: of the records.
};

// A search of the records of a topic, in slices of about a second, so that it can be stopped
// between them. It keeps its connections and what it has fetched. One thread at a time.
class RecordSearch {
 public:
  static constexpr Millis kSlice{1000};
  static constexpr int64_t kMostRoundRecords =
      400'000;  // Newest first: read before they are sorted.
  // Of records that matched, in one round or slice.
  static constexpr int64_t kMostHeldBytes = 16 << 20;

  // Errors of RecordMatcher::Open.
  static Result<std::unique_ptr<RecordSearch>> Open(const SearchRequest& request,
                                                    const Config& config,
                                                    const SearchProgress& progress);

  // Kafka removed what is below these log starts: it is not searched. Call it before each slice.
  // Returns the offsets that were removed before they were searched, by partition.
  std::map<int32_t, int64_t> FollowLogStarts(const std::map<int32_t, kafka::OffsetSpan>& spans);
  Result<SearchSlice> NextSlice(int64_t limit);

  const SearchProgress& progress() const { return progress_; }
  records::RecordDecoder* decoder() { return &decoder_; }
  const records::RecordMatcher& matcher() const { return *matcher_; }

 private:
  // A batch of which only the first records were looked at.
  struct Pending {
    kafka::RecordBatch batch;
    std::vector<bool> matches;
    size_t place = 0;
  };
  // Newest first: what the current round found in a partition.
  struct Block {
    int64_t begin = 0, end = 0;
    int64_t scanned = 0;
    std::deque<FoundRecord> found;  // Ascending; only the newest ones are held.
    bool dropped = false;           // Older ones matched as well.
    int64_t bytes = 0;
  };

  RecordSearch(const SearchRequest& request, const Config& config, const SearchProgress& progress);
  PartitionScan* ScanOf(int32_t partition);
  Status StartReader(const std::vector<OffsetRange>& ranges);

  Result<SearchSlice> ScanForward(int64_t limit);
  bool IsFull(const SearchSlice& slice, int64_t limit) const;
  Status TakePending(int64_t limit, SearchSlice* slice);
  void FinishEnded();

  Result<SearchSlice> ScanBackward(int64_t limit);
  Status StartRound(int64_t limit);
  Status ReadRound(BootClock::time_point deadline, int64_t limit);
  void Hold(FoundRecord record, Block* block, int64_t limit) const;
  void FinishRound(int64_t limit, SearchSlice* slice);
  void SizeNextRound(int64_t limit, bool full);

  const SearchRequest request_;
  const KafkaConfig kafka_;
  SearchProgress progress_;
  std::unique_ptr<registry::Client> registry_;
  records::RecordDecoder decoder_{nullptr};
  std::unique_ptr<records::RecordMatcher> matcher_;
  std::unique_ptr<kafka::Reader> reader_;  // Null before the first slice.
  std::map<int32_t, Status> failed_;
  Pending pending_;
  std::map<int32_t, Block> round_;  // Empty: none is being read.
  int64_t block_records_ = 0;       // Of each partition in the next round.
  std::optional<BootClock::duration>
      round_reading_;  // Since its first record; nothing: none has arrived.
};

}  // namespace shopstream::console
