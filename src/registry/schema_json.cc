#include "registry/schema_json.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "avro/schema_text.h"

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kUsualMembers = 8;

// Builds the value from the parser's events.
class SchemaJsonReader final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t, const string_t& text) override {
    return Add(NumberAsWritten(text));
  }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON has none.
  bool start_object(std::size_t) override { return Open(Json::object()); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(Json::array()); }
  bool end_array() override { return Close(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    error_ = error.what();
    return false;
  }

  Json TakeValue() { return std::move(root_); }
  const std::string& error() const { return error_; }

 private:
  Json* Put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    if (parent.empty()) parent.get_ref<Json::object_t&>().reserve(kUsualMembers);
    Json& member = parent[key_];  // A repeated name: the last one counts.
    member = std::move(value);
    return &member;
  }
  bool Add(Json value) {
    Put(std::move(value));
    return true;
  }
  bool Open(Json value) {
    open_.push_back(Put(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;  // Stable: a parent gets no member while a child is open.
  std::string key_, error_;
};

// Jackson, Java's JSON library, writes the same escapes.
void AppendQuoted(const std::string& text, std::string* out) {
  constexpr const char* kHex = "0123456789ABCDEF";
  out->push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        out->append({'\\', c});
        break;
      case '\b':
        out->append("\\b");
        break;
      case '\f':
        out->append("\\f");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out->append("\\u00").append({kHex[c >> 4], kHex[c & 0xF]});
        } else {
          out->push_back(c);
        }
    }
  }
  out->push_back('"');
}

std::string ByValue(const std::string& spelling) {
  if (spelling.find_first_of(".eE") == std::string::npos) return spelling;
  double number = 0;
  const char* const end = spelling.data() + spelling.size();
  if (std::from_chars(spelling.data(), end, number).ec != std::errc()) return spelling;
  return JavaText(number);
}

void Append(const Json& value, bool by_value, std::string* out) {
  if (value.is_string()) return AppendQuoted(value.get_ref<const std::string&>(), out);
  if (value.is_binary()) {
    const std::vector<uint8_t>& text = value.get_binary();
    const std::string spelling(text.begin(), text.end());
    out->append(by_value ? ByValue(spelling) : spelling);
    return;
  }
  if (!value.is_structured()) {
    out->append(value.dump());
    return;
  }
  out->push_back(value.is_array() ? '[' : '{');
  bool first = true;
  for (const auto& [name, member] : value.items()) {
    if (!first) out->push_back(',');
    first = false;
    if (value.is_object()) {
      AppendQuoted(name, out);
      out->push_back(':');
    }
    Append(member, by_value, out);
  }
  out->push_back(value.is_array() ? ']' : '}');
}

}  // namespace

Json ObjectFor(size_t members) {
  Json object = Json::object();
  object.get_ref<Json::object_t&>().reserve(members);
  return object;
}

Json NumberAsWritten(std::string_view text) {
  return Json::binary(std::vector<uint8_t>(text.begin(), text.end()));
}

Result<Json> ParseSchemaJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const std::string plain, avro::WithoutComments(text));
  ARROW_RETURN_NOT_OK(avro::CheckJsonDepth(plain, kMaxSchemaDepth));
  SchemaJsonReader reader;
  if (Json::sax_parse(plain, &reader)) return reader.TakeValue();
  return Status::Invalid("not a schema: ", reader.error());
}

std::string DumpSchemaJson(const Json& value) {
  std::string text;
  Append(value, /*by_value=*/false, &text);
  return text;
}

std::string DumpByValue(const Json& value) {
  std::string text;
  Append(value, /*by_value=*/true, &text);
  return text;
}

std::string JavaText(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  char buffer[32];
  const double size = std::abs(number);
  const bool plain = size == 0 || (size >= 1e-3 && size < 1e7);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof(buffer), number, format).ptr);
  const std::string digits = text.substr(0, text.find('e'));
  const std::string fraction = digits.find('.') == std::string::npos ? ".0" : "";
  if (plain) return digits + fraction;
  std::string exponent = text.substr(digits.size() + 1);  // "+07", "-05", "+300"
  const std::string sign = exponent.front() == '-' ? "-" : "";
  exponent.erase(0, exponent.find_first_not_of("+-0"));
  return digits + fraction + "E" + sign + exponent;
}

Json SortedByName(const Json& value) {
  if (value.is_array()) {
    Json sorted = Json::array();
    for (const Json& item : value) sorted.push_back(SortedByName(item));
    return sorted;
  }
  if (!value.is_object()) return value;
  std::map<std::string, Json> members;
  for (const auto& [name, member] : value.items()) members[name] = SortedByName(member);
  Json sorted = ObjectFor(members.size());
  for (auto& [name, member] : members) sorted[name] = std::move(member);
  return sorted;
}

}  // namespace shopstream::registry
