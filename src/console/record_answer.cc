#include "console/record_answer.h"

#include <arrow/type.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/text_encoding.h"
#include "model/calendar.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;
using records::AsText;

constexpr size_t kMostRowText = 8 << 10;  // Of a value in a list, as JSON.
constexpr size_t kMostRowBytes = 256;

bool IsPrintable(std::string_view text) {
  return IsUtf8(text) &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

// `name`, or `name`_hex.
void AddText(const std::string& name, std::string_view text, ordered_json* out) {
  if (IsPrintable(text)) {
    (*out)[name] = text;
  } else {
    (*out)[name + "_hex"] = FormatHex(text);
  }
}

ordered_json HeadersOf(const kafka::RecordView& record) {
  ordered_json headers = ordered_json::array();
  for (const auto& [name, value] : kafka::ReadHeaders(record)) {
    ordered_json header = {{"name", Printable(name)}};
    if (value) {
      AddText("value", *value, &header);
    } else {
      header["value"] = nullptr;
    }
    headers.push_back(std::move(header));
  }
  return headers;
}

void CutForRow(ordered_json* out) {
  bool cut = false;
  if (out->contains("value_hex")) {
    auto& hex = out->at("value_hex").get_ref<std::string&>();
    cut = hex.size() > 2 * kMostRowBytes;
    if (cut) hex.resize(2 * kMostRowBytes);
  }
  if (out->contains("value") && DumpJson(out->at("value")).size() > kMostRowText) {
    out->at("value") = nullptr;
    cut = true;
  }
  if (cut) (*out)["cut"] = true;
}

// Whether a member of the type is masked. `path`: of the members, with a dot at its end.
bool HidesInside(const Masking& masking, const arrow::DataType& type, const std::string& path) {
  if (type.id() == arrow::Type::MAP) return masking.active();  // Any key may be a masked name.
  return std::ranges::any_of(type.fields(), [&](const auto& member) {
    if (type.id() != arrow::Type::STRUCT) return HidesInside(masking, *member->type(), path);
    const std::string place = path + member->name();
    return masking.masks(place) || HidesInside(masking, *member->type(), place + ".");
  });
}

}  // namespace

bool HidesAny(const Masking& masking, const arrow::Field& field) {
  return masking.masks(field.name()) || HidesInside(masking, *field.type(), field.name() + ".");
}

ordered_json ToAnswer(const kafka::RecordView& record, RecordDetail detail, const Masking& masking,
                      records::RecordDecoder* decoder) {
  ordered_json decoded = decoder->ToJson(record);
  ordered_json out = {{"partition", record.partition}, {"offset", record.offset}};
  out["timestamp_ms"] = IsKnownMillis(record.timestamp_ms) ? ordered_json(record.timestamp_ms)
                                                           : ordered_json(nullptr);
  out["value_bytes"] = record.value ? ordered_json(record.value->size()) : ordered_json(nullptr);
  if (!record.value) decoded.erase("value");  // A tombstone.
  for (const char* name : {"schema_id", "value", "error"}) {
    if (decoded.contains(name)) out[name] = std::move(decoded[name]);
  }
  if (masking.active()) {
    if (out.contains("value")) masking.Apply(&out["value"]);
    out["key"] = record.key ? ordered_json(kHidden) : ordered_json(nullptr);
    out["headers"] = ordered_json::array();
    out["hidden"] = true;
    if (detail == RecordDetail::kRow) CutForRow(&out);
    return out;
  }
  if (record.key) {
    AddText("key", AsText(*record.key), &out);
  } else {
    out["key"] = nullptr;
  }
  out["headers"] = HeadersOf(record);
  if (record.value && (detail == RecordDetail::kWhole || !out.contains("value"))) {
    out["value_hex"] = FormatHex(AsText(*record.value));
  }
  if (detail == RecordDetail::kWhole && record.key) {
    out["key_hex"] = FormatHex(AsText(*record.key));
  }
  if (detail == RecordDetail::kRow) CutForRow(&out);
  return out;
}

}  // namespace shopstream::console
