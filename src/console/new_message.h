#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/status.h"
#include "kafka/single_message.h"

namespace shopstream::console {

// A message that the page asks to produce:
//
//   {"partition": 1, "key": "42", "headers": [{"name": "a", "value": "b"}], "timestamp_ms": 1,
//    "value": {...}}
//
// `key` and a header's `value` may be `key_hex` and `value_hex`. Instead of `value`, which is
// encoded with the newest schema of `subject` (default: the topic's), there may be `value_text` or
// `value_hex`, written as they are, which may be no frame at all; without any, it is a tombstone.
//
// Or a message to send again, byte for byte with its headers: {"resend": {"partition": 0,
// "offset": 7}}.
struct NewMessage {
  kafka::SingleMessage message;  // Without a value that is yet to be encoded.
  std::string subject;           // Empty: the topic's.
  bool encode = false;           // `value` of the body is to be encoded.
  std::optional<int64_t> resend_offset;
  int32_t resend_partition = 0;  // If resend_offset is given.
};

// Pure. Invalid names the member.
Result<NewMessage> ReadNewMessage(const std::string& topic, const nlohmann::json& body);

// 0x00, the schema's id and the bytes.
std::string Framed(int32_t schema_id, const std::string& bytes);

}  // namespace shopstream::console
