#include "console/search_cursor.h"

#include <algorithm>
#include <string_view>

#include "base/format.h"
#include "base/number.h"
#include "base/sha256.h"

namespace shopstream::console {
namespace {

constexpr size_t kCheckDigits = 12;

std::string CheckOf(std::string_view body, const SearchRequest& request) {
  return FormatHex(Sha256(std::string(body) + "\n" + request.identity)).substr(0, kCheckDigits);
}

// The next part before `end`; removes both.
std::string_view Take(std::string_view* rest, char end) {
  const std::string_view part = rest->substr(0, rest->find(end));
  rest->remove_prefix(std::min(part.size() + 1, rest->size()));
  return part;
}

template <typename T>
bool TakeNumber(std::string_view* rest, char end, T* number) {
  const auto parsed = ParseWhole<T>(Take(rest, end));
  if (!parsed || *parsed < 0) return false;
  *number = *parsed;
  return true;
}

bool TakePartition(std::string_view text, PartitionScan* scan) {
  return TakeNumber(&text, '_', &scan->partition) && TakeNumber(&text, '_', &scan->from) &&
         TakeNumber(&text, '_', &scan->to) && TakeNumber(&text, '_', &scan->next) && text.empty() &&
         scan->from <= scan->next && scan->next <= scan->to;
}

}  // namespace

bool IsScanned(const PartitionScan& scan, SearchOrder order) {
  return scan.next == (order == SearchOrder::kNewest ? scan.from : scan.to);
}

std::string WithCheck(const std::string& body, const SearchRequest& request) {
  return body + "." + CheckOf(body, request);
}

std::string ToCursor(const SearchProgress& progress, const SearchRequest& request) {
  std::string text = progress.topic_id + "." + std::to_string(progress.scanned) + "." +
                     std::to_string(progress.matched);
  for (const PartitionScan& scan : progress.partitions) {
    text += "." + std::to_string(scan.partition) + "_" + std::to_string(scan.from) + "_" +
            std::to_string(scan.to) + "_" + std::to_string(scan.next);
  }
  return WithCheck(text, request);
}

Result<SearchProgress> ParseCursor(const std::string& text, const SearchRequest& request) {
  const size_t body = text.rfind('.');
  if (body == std::string::npos ||
      text.substr(body + 1) != CheckOf(text.substr(0, body), request)) {
    return Status::Invalid("the search's 'cursor' is not whole, or belongs to another search: ",
                           "leave it out to begin again");
  }
  SearchProgress progress;
  std::string_view rest(text.data(), body);
  progress.topic_id = Take(&rest, '.');
  bool valid =
      TakeNumber(&rest, '.', &progress.scanned) && TakeNumber(&rest, '.', &progress.matched);
  while (valid && !rest.empty()) {
    valid = TakePartition(Take(&rest, '.'), &progress.partitions.emplace_back());
  }
  if (!valid) return Status::Invalid("the search's 'cursor' is not valid: leave it out");
  return progress;
}

}  // namespace shopstream::console
