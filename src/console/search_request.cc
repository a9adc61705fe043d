#include "console/search_request.h"

#include <algorithm>
#include <string_view>

#include "base/format.h"
#include "base/http_query.h"
#include "base/nearest_name.h"
#include "base/number.h"

namespace shopstream::console {
namespace {

constexpr std::string_view kNames[] = {"text", "where", "key",    "key_hex", "partitions", "from",
                                       "to",   "order", "follow", "limit",   "cursor"};
constexpr size_t kMostText = 4096;

Status CheckNames(const HttpRequest& http) {
  const std::vector<std::string> known(std::begin(kNames), std::end(kNames));
  std::string_view rest = http.raw_query;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::string name = PercentDecode(pair.substr(0, pair.find('=')));
    if (!name.empty() && std::ranges::find(known, name) == known.end()) {
      return Status::Invalid("a search has no parameter '", name, "'", DidYouMean(name, known));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return Status::OK();
}

Status Named(const char* name, const Status& status) {
  return status.WithMessage("the search's '", name, "': ", status.message());
}

Result<std::optional<std::string>> TextOf(const HttpRequest& http, const char* name) {
  std::string text = http.query(name);
  if (text.empty()) return std::nullopt;
  if (text.size() > kMostText) {
    return Status::Invalid("the search's '", name, "' is longer than ", kMostText, " characters");
  }
  return text;
}

Status ReadQuery(const HttpRequest& http, records::RecordQuery* query) {
  ARROW_ASSIGN_OR_RAISE(query->text, TextOf(http, "text"));
  ARROW_ASSIGN_OR_RAISE(query->condition, TextOf(http, "where"));
  ARROW_ASSIGN_OR_RAISE(query->key, TextOf(http, "key"));
  ARROW_ASSIGN_OR_RAISE(const auto hex, TextOf(http, "key_hex"));
  if (!hex) return Status::OK();
  if (query->key) return Status::Invalid("a search takes 'key' or 'key_hex', not both");
  const auto bytes = BytesOfHex(*hex);
  if (!bytes.ok()) return Named("key_hex", bytes.status());
  query->key = *bytes;
  return Status::OK();
}

Status ReadEdge(const HttpRequest& http, const char* name, records::ReadStart* edge) {
  const std::string text = http.query(name);
  if (text.empty()) return Status::OK();
  const auto read = records::ParseReadStart(text);
  if (!read.ok()) return Named(name, read.status());
  *edge = *read;
  return Status::OK();
}

Status ReadOrder(const HttpRequest& http, SearchRequest* request) {
  const std::string follow = http.query("follow"), order = http.query("order");
  if (!follow.empty() && follow != "true" && follow != "false") {
    return Status::Invalid("the search's 'follow' is true or false, not '", follow, "'");
  }
  if (!order.empty() && order != "newest" && order != "oldest") {
    return Status::Invalid("the search's 'order' is newest or oldest, not '", order, "'");
  }
  request->follow = follow == "true";
  request->order =
      order == "oldest" || request->follow ? SearchOrder::kOldest : SearchOrder::kNewest;
  if (!request->follow) return Status::OK();
  if (order == "newest") return Status::Invalid("a live tail comes oldest first");
  if (!http.query("to").empty()) return Status::Invalid("a live tail has no end: leave 'to' out");
  if (http.query("from").empty()) request->from = {records::ReadStart::Form::kEnd, 0};
  return Status::OK();
}

Status ReadLimit(const HttpRequest& http, int64_t* limit) {
  const std::string text = http.query("limit");
  if (text.empty()) return Status::OK();
  const auto number = ParseWhole<int64_t>(text);
  if (!number || *number < 1 || *number > SearchRequest::kMostRecords) {
    return Status::Invalid("the search's 'limit' is a number from 1 to ",
                           SearchRequest::kMostRecords, ", not '", text, "'");
  }
  *limit = *number;
  return Status::OK();
}

}  // namespace

Result<std::string> BytesOfHex(const std::string& hex) {
  if (hex.size() % 2 != 0) return Status::Invalid("hexadecimal text has an even number of digits");
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexDigit(hex[i]), low = HexDigit(hex[i + 1]);
    if (high < 0 || low < 0) {
      return Status::Invalid("'", hex.substr(i, 2), "' is not a byte in hexadecimal digits");
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

Result<SearchRequest> ReadSearchRequest(const std::string& topic, const HttpRequest& http) {
  SearchRequest request;
  request.topic = topic;
  request.cursor = http.query("cursor");
  ARROW_RETURN_NOT_OK(CheckNames(http));
  ARROW_RETURN_NOT_OK(ReadQuery(http, &request.query));
  ARROW_RETURN_NOT_OK(ReadEdge(http, "from", &request.from));
  ARROW_RETURN_NOT_OK(ReadEdge(http, "to", &request.to));
  ARROW_RETURN_NOT_OK(ReadOrder(http, &request));
  ARROW_RETURN_NOT_OK(ReadLimit(http, &request.limit));
  if (const std::string partitions = http.query("partitions"); !partitions.empty()) {
    const auto read = records::ParsePartitions(partitions);
    if (!read.ok()) return Named("partitions", read.status());
    request.partitions = *read;
  }
  request.identity = topic;
  for (const char* name :
       {"text", "where", "key", "key_hex", "partitions", "from", "to", "order", "follow"}) {
    request.identity += '\n' + http.query(name);
  }
  return request;
}

}  // namespace shopstream::console
