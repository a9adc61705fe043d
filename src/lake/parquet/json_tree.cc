#include "lake/parquet/json_tree.h"

#include "base/json.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

// Builds a tree from the parser's events.
class Builder : public nlohmann::json_sax<json> {
 public:
  bool null() override { return Add(JsonTree::Scalar("null")); }
  bool boolean(bool value) override { return Add(JsonTree::Scalar(value ? "true" : "false")); }
  bool number_integer(number_integer_t value) override {
    return Add(JsonTree::Scalar(std::to_string(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Add(JsonTree::Scalar(std::to_string(value)));
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    return Add(JsonTree::Scalar(text));
  }
  bool string(string_t& value) override { return Add(JsonTree::Scalar(json(value).dump())); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(size_t /*size*/) override {
    open_.emplace_back(std::move(key_), JsonTree());
    return true;
  }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override {
    auto [name, object] = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(object);
    } else {
      open_.back().second.Set(name, std::move(object));
    }
    return true;
  }
  bool start_array(size_t /*size*/) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

  JsonTree TakeRoot() { return std::move(root_); }

 private:
  bool Add(JsonTree scalar) {
    if (open_.empty()) return false;
    open_.back().second.Set(key_, std::move(scalar));
    return true;
  }

  std::string key_;
  std::vector<std::pair<std::string, JsonTree>> open_;  // Each with its name in the parent.
  JsonTree root_;
};

}  // namespace

JsonTree JsonTree::Scalar(std::string json) {
  JsonTree tree;
  tree.scalar_ = std::move(json);
  return tree;
}

Result<JsonTree> JsonTree::ParseObject(std::string_view text) {
  Builder builder;
  if (json::sax_parse(text, &builder)) return builder.TakeRoot();
  return Status::Invalid("not a JSON object of objects and scalars");
}

const JsonTree* JsonTree::Find(std::string_view name) const {
  for (const auto& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

const JsonTree* JsonTree::Find(const std::vector<std::string>& path) const {
  const JsonTree* found = this;
  for (const std::string& name : path) {
    found = found->Find(name);
    if (found == nullptr) return nullptr;
  }
  return found;
}

JsonTree& JsonTree::Member(const std::string& name) {
  for (auto& member : members_) {
    if (member.first != name) continue;
    if (member.second.is_null()) member.second = JsonTree();
    return member.second;
  }
  return members_.emplace_back(name, JsonTree()).second;
}

void JsonTree::Set(const std::string& name, JsonTree value) {
  for (auto& member : members_) {
    if (member.first != name) continue;
    member.second = std::move(value);
    return;
  }
  members_.emplace_back(name, std::move(value));
}

std::string JsonTree::Text() const {
  std::string out;
  AppendTo(&out);
  return out;
}

void JsonTree::AppendTo(std::string* out) const {
  if (!is_object()) {
    *out += scalar_;
    return;
  }
  *out += '{';
  for (const auto& [name, value] : members_) {
    if (out->back() != '{') *out += ',';
    *out += json(name).dump();
    *out += ':';
    value.AppendTo(out);
  }
  *out += '}';
}

}  // namespace shopstream::lake
