#include "console/quarantine_answer.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/format.h"
#include "base/json.h"
#include "base/json_or_null.h"
#include "base/text_encoding.h"
#include "ingest/cause.h"
#include "kafka/record.h"
#include "model/calendar.h"

namespace shopstream::console {
namespace {

using ingest::Cause;
using nlohmann::ordered_json;

constexpr size_t kMostShownBytes = 64 << 10;  // Of a key or a value.

// Whether the detail is about the record's form alone. Others quote values.
bool QuotesNothing(const std::string& cause) {
  const auto known = ingest::ParseCause(cause);
  return known == Cause::kEmpty || known == Cause::kBadFrame || known == Cause::kUnknownSchema ||
         known == Cause::kTooLarge;
}

kafka::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void AddBytes(const char* name, const std::optional<std::string>& bytes, ordered_json* out) {
  const std::string prefix = name;
  if (!bytes) {
    (*out)[prefix + "_hex"] = nullptr;
    return;
  }
  (*out)[prefix + "_hex"] = FormatHex(std::string_view(*bytes).substr(0, kMostShownBytes));
  (*out)[prefix + "_cut"] = bytes->size() > kMostShownBytes;
}

bool IsShownText(std::string_view text) {
  return IsUtf8(text) && std::ranges::none_of(text, [](char c) { return c >= 0 && c < 0x20; });
}

}  // namespace

ordered_json QuarantinedJson(const tables::QuarantinedRow& row,
                             const observe::ReplayedByTopic& replayed, const Masking& masking) {
  const auto of_topic = replayed.find(row.topic_id);
  const bool was_replayed =
      of_topic != replayed.end() && of_topic->second.Contains(row.partition, row.offset);
  const auto sent_ms = row.sent_ms();
  return {{"topic", row.topic},
          {"topic_id", row.topic_id},
          {"partition", row.partition},
          {"offset", row.offset},
          {"cause", row.cause},
          {"detail", masking.active() && !QuotesNothing(row.cause) ? ordered_json(kHidden)
                                                                   : ordered_json(row.detail)},
          {"sent_ms", OrNull(sent_ms)},
          {"quarantined_at_ms", row.quarantined_at_us / kMicrosPerMilli},
          {"schema_id", OrNull(row.schema_id)},
          {"value_bytes", OrNull(row.value_bytes)},
          {"replayed", was_replayed}};
}

ordered_json QuarantinedRecordJson(const tables::QuarantinedRow& row,
                                   const observe::ReplayedByTopic& replayed, const Masking& masking,
                                   records::RecordDecoder* decoder) {
  ordered_json out = QuarantinedJson(row, replayed, masking);
  kafka::RecordView record;
  record.partition = row.partition;
  record.offset = row.offset;
  if (row.value) record.value = AsBytes(*row.value);
  const ordered_json decoded = decoder->ToJson(record);
  const auto value = decoded.find("value");
  if (value != decoded.end() && row.value) {
    out["value"] = *value;
    masking.Apply(&out["value"]);
  }
  const auto error = decoded.find("error");
  if (error != decoded.end()) {
    out["error"] = masking.active() && !QuotesNothing(row.cause) ? ordered_json(kHidden) : *error;
  }
  out["hidden"] = masking.active();
  if (masking.active()) return out;
  AddBytes("key", row.key, &out);
  if (row.key && IsShownText(*row.key)) out["key"] = *row.key;
  const ordered_json headers = ParseOrderedJson(row.headers);
  out["headers"] = headers.is_discarded() ? ordered_json(nullptr) : headers;
  AddBytes("value", row.value, &out);
  return out;
}

}  // namespace shopstream::console
