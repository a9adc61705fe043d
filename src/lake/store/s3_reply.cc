#include "lake/store/s3_reply.h"

#include <arrow/type.h>
#include <arrow/util/value_parsing.h>

#include <pugixml.hpp>
#include <string_view>

#include "base/error_kind.h"
#include "base/format.h"
#include "lake/store/s3_location.h"

namespace shopstream::lake {
namespace {

constexpr size_t kShownReplyBytes = 200;

// Some services qualify the names: <s3:Error>.
std::string_view LocalName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') + 1);  // The whole name if there is no colon.
}

pugi::xml_node Child(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& child : parent.children()) {
    if (LocalName(child) == name) return child;
  }
  return {};
}

std::string Text(const pugi::xml_node& parent, std::string_view name) {
  return Child(parent, name).text().get();
}

// A key as the service stores it. All services are asked to escape the keys of a listing, but some
// do not and omit EncodingType (versitygw); their keys must be used unchanged.
std::string Key(const pugi::xml_node& root, const pugi::xml_node& parent, std::string_view name) {
  std::string text = Text(parent, name);
  return Text(root, "EncodingType") == "url" ? UnescapeFromS3(text) : text;
}

// The root element, if it has that name.
Result<pugi::xml_node> Parse(const std::string& xml, std::string_view root,
                             pugi::xml_document* doc) {
  const auto parsed =
      doc->load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  const pugi::xml_node element = doc->document_element();
  if (parsed && LocalName(element) == root) return element;
  return Unavailable("the answer is not ", root, ": ",
                     parsed ? "another document" : parsed.description(), ": ",
                     Printable(xml.substr(0, kShownReplyBytes)));
}

}  // namespace

Result<S3Listing> ParseS3Listing(const std::string& xml) {
  pugi::xml_document doc;
  ARROW_ASSIGN_OR_RAISE(const auto root, Parse(xml, "ListBucketResult", &doc));
  S3Listing listing;
  for (const pugi::xml_node& node : root.children()) {
    if (LocalName(node) == "Contents") {
      auto& object = listing.objects.emplace_back();
      object.key = Key(root, node, "Key");
      object.size_bytes = Child(node, "Size").text().as_llong();
      ARROW_ASSIGN_OR_RAISE(object.modified_ms, ParseS3Time(Text(node, "LastModified")));
    } else if (LocalName(node) == "CommonPrefixes") {
      listing.folders.push_back(Key(root, node, "Prefix"));
    }
  }
  if (Text(root, "IsTruncated") != "true") return listing;
  listing.next = Text(root, "NextContinuationToken");
  if (listing.next.empty())
    return Unavailable("a listing continues, but has no continuation token");
  return listing;
}

Result<std::vector<std::string>> ParseS3Buckets(const std::string& xml) {
  pugi::xml_document doc;
  ARROW_ASSIGN_OR_RAISE(const auto root, Parse(xml, "ListAllMyBucketsResult", &doc));
  std::vector<std::string> names;
  for (const pugi::xml_node& node : Child(root, "Buckets").children()) {
    names.push_back(Text(node, "Name"));
  }
  return names;
}

Result<S3Uploads> ParseS3Uploads(const std::string& xml) {
  pugi::xml_document doc;
  ARROW_ASSIGN_OR_RAISE(const auto root, Parse(xml, "ListMultipartUploadsResult", &doc));
  S3Uploads page;
  for (const pugi::xml_node& node : root.children()) {
    if (LocalName(node) != "Upload") continue;
    auto& upload = page.uploads.emplace_back();
    upload.key = Key(root, node, "Key");
    upload.id = Text(node, "UploadId");
    ARROW_ASSIGN_OR_RAISE(upload.begun_ms, ParseS3Time(Text(node, "Initiated")));
  }
  page.next_key = Key(root, root, "NextKeyMarker");
  page.next_id = Text(root, "NextUploadIdMarker");
  page.more = Text(root, "IsTruncated") == "true" && !page.next_key.empty();
  return page;
}

S3Error ParseS3Error(const std::string& xml) {
  pugi::xml_document doc;
  const auto root = Parse(xml, "Error", &doc);
  if (!root.ok()) return {};
  return {Text(*root, "Code"), Text(*root, "Message"), Text(*root, "Region")};
}

Result<int64_t> ParseS3Time(const std::string& text) {
  int64_t millis = 0;
  // Up to milliseconds: further digits would be rejected.
  const size_t dot = text.find('.');
  const std::string kept = dot == std::string::npos ? text : text.substr(0, dot + 4);
  const std::string utc = kept.ends_with('Z') ? kept : kept + "Z";
  if (arrow::internal::ParseTimestampISO8601(utc.data(), utc.size(), arrow::TimeUnit::MILLI,
                                             &millis)) {
    return millis;
  }
  return Unavailable("'", Printable(text.substr(0, kShownReplyBytes)), "' is not an S3 time");
}

}  // namespace shopstream::lake
