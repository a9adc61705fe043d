#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/http_message.h"
#include "base/status.h"
#include "records/read_start.h"
#include "records/record_matcher.h"

namespace shopstream::console {

enum class SearchOrder { kNewest, kOldest };

// A search of a topic, as the address of its page has it:
//
//   ?text=lamp&where=amount >
//   100&key=42&partitions=0,2&from=@2025-10-24&to=end&order=newest&limit=50
//
// key_hex: instead of key, for keys that are not text. follow=true: a live tail, oldest first,
// which never ends and starts at the end unless `from` is given.
struct SearchRequest {
  static constexpr int64_t kMostRecords = 500;

  std::string topic;
  records::RecordQuery query;
  std::vector<int32_t> partitions;  // Empty: all.
  records::ReadStart from{records::ReadStart::Form::kStart, 0};
  records::ReadStart to{records::ReadStart::Form::kEnd, 0};
  SearchOrder order = SearchOrder::kNewest;
  bool follow = false;
  int64_t limit = 50;  // Of one answer, up to kMostRecords.
  std::string cursor;  // Empty: from the beginning.

  // What a cursor belongs to: everything but the limit and the cursor.
  std::string identity;
};

// Invalid names the parameter, also one that does not exist.
Result<SearchRequest> ReadSearchRequest(const std::string& topic, const HttpRequest& http);

// "0aFF" as bytes. Invalid: an odd number of digits, or another character.
Result<std::string> BytesOfHex(const std::string& hex);

}  // namespace shopstream::console
