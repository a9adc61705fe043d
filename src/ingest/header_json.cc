#include "ingest/header_json.h"

#include <arrow/util/base64.h>

#include "base/json.h"
#include "base/text_encoding.h"

namespace shopstream::ingest {
namespace {

void Put(const std::string& name, const std::string& bytes, nlohmann::ordered_json* header) {
  if (IsUtf8(bytes)) {
    (*header)[name] = bytes;
  } else {
    (*header)[name + "_base64"] = arrow::util::base64_encode(bytes);
  }
}

}  // namespace

std::string HeadersToJson(const kafka::Headers& headers) {
  if (headers.empty()) return "[]";
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [name, value] : headers) {
    nlohmann::ordered_json header;
    Put("key", name, &header);
    if (value) {
      Put("value", *value, &header);
    } else {
      header["value"] = nullptr;
    }
    list.push_back(std::move(header));
  }
  return DumpJson(list);
}

}  // namespace shopstream::ingest
