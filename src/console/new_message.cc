#include "console/new_message.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/json.h"
#include "base/nearest_name.h"
#include "console/search_request.h"

namespace shopstream::console {
namespace {

using nlohmann::json;

const std::vector<std::string> kMembers = {"partition", "key",        "key_hex",   "headers",
                                           "value",     "value_text", "value_hex", "timestamp_ms",
                                           "subject",   "resend"};

Status CheckMembers(const json& body) {
  for (const auto& [name, value] : body.items()) {
    if (std::ranges::find(kMembers, name) != kMembers.end()) continue;
    return Status::Invalid("a message has no member '", name, "'", DidYouMean(name, kMembers));
  }
  int values = 0;
  for (const char* name : {"value", "value_text", "value_hex", "resend"}) {
    values += body.contains(name) && !body[name].is_null();
  }
  if (values > 1) {
    return Status::Invalid("a message has one of value, value_text, value_hex and resend");
  }
  return Status::OK();
}

Result<std::optional<int64_t>> NumberOf(const json& body, const char* name, int64_t most) {
  const json value = body.value(name, json());
  if (value.is_null()) return std::nullopt;
  if (!value.is_number_integer() || value < 0 || value > most) {
    return Status::Invalid("the message's '", name, "' is a number from 0 to ", most);
  }
  return value.get<int64_t>();
}

// The text of `name`, or the bytes of `name`_hex.
Result<std::optional<std::string>> BytesOf(const json& body, const std::string& name,
                                           const std::string& text_name) {
  const json text = body.value(text_name, json()), hex = body.value(name + "_hex", json());
  if (!text.is_null() && !hex.is_null()) {
    return Status::Invalid("a message has '", text_name, "' or '", name, "_hex', not both");
  }
  const json& given = text.is_null() ? hex : text;
  if (given.is_null()) return std::nullopt;
  if (!given.is_string()) {
    return Status::Invalid("the message's '", text.is_null() ? name + "_hex" : text_name,
                           "' is a text");
  }
  if (!text.is_null()) return text.get<std::string>();
  const auto bytes = BytesOfHex(hex.get<std::string>());
  if (!bytes.ok()) {
    return bytes.status().WithMessage("the message's '", name, "_hex': ", bytes.status().message());
  }
  return *bytes;
}

Result<kafka::Headers> HeadersOf(const json& body) {
  kafka::Headers headers;
  const json list = body.value("headers", json());
  if (list.is_null()) return headers;
  if (!list.is_array()) return Status::Invalid("the message's 'headers' is a list");
  for (const json& header : list) {
    const json name = header.is_object() ? header.value("name", json()) : json();
    if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
      return Status::Invalid("each of the message's headers has a 'name'");
    }
    ARROW_ASSIGN_OR_RAISE(auto value, BytesOf(header, "value", "value"));
    headers.emplace_back(name.get<std::string>(), std::move(value));
  }
  return headers;
}

Status ReadResend(const json& body, NewMessage* out) {
  const json resend = body.value("resend", json());
  if (resend.is_null()) return Status::OK();
  if (!resend.is_object()) return Status::Invalid("'resend' names a partition and an offset");
  ARROW_ASSIGN_OR_RAISE(const auto partition,
                        NumberOf(resend, "partition", std::numeric_limits<int32_t>::max()));
  ARROW_ASSIGN_OR_RAISE(const auto offset,
                        NumberOf(resend, "offset", std::numeric_limits<int64_t>::max()));
  if (!partition || !offset) return Status::Invalid("'resend' names a partition and an offset");
  for (const char* name : {"key", "key_hex", "headers"}) {
    if (body.contains(name)) {
      return Status::Invalid("a message that is sent again keeps its key and headers: leave '",
                             name, "' out");
    }
  }
  out->resend_partition = static_cast<int32_t>(*partition);
  out->resend_offset = offset;
  return Status::OK();
}

}  // namespace

Result<NewMessage> ReadNewMessage(const std::string& topic, const json& body) {
  ARROW_RETURN_NOT_OK(CheckMembers(body));
  NewMessage out;
  out.message.topic = topic;
  ARROW_ASSIGN_OR_RAISE(const auto partition,
                        NumberOf(body, "partition", std::numeric_limits<int32_t>::max()));
  if (partition) out.message.partition = static_cast<int32_t>(*partition);
  ARROW_ASSIGN_OR_RAISE(out.message.timestamp_ms,
                        NumberOf(body, "timestamp_ms", std::numeric_limits<int64_t>::max()));
  ARROW_ASSIGN_OR_RAISE(out.message.key, BytesOf(body, "key", "key"));
  ARROW_ASSIGN_OR_RAISE(out.message.headers, HeadersOf(body));
  ARROW_ASSIGN_OR_RAISE(out.message.value, BytesOf(body, "value", "value_text"));
  out.encode = body.contains("value") && !body["value"].is_null();
  const json subject = body.value("subject", json());
  if (!subject.is_null() && !subject.is_string()) {
    return Status::Invalid("the message's 'subject' is a text");
  }
  if (subject.is_string()) out.subject = subject.get<std::string>();
  ARROW_RETURN_NOT_OK(ReadResend(body, &out));
  return out;
}

std::string Framed(int32_t schema_id, const std::string& bytes) {
  const auto id = static_cast<uint32_t>(schema_id);
  std::string frame(1, '\0');
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>((id >> shift) & 0xff);
  return frame + bytes;
}

}  // namespace shopstream::console
