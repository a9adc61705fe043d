#pragma once
// For tests only: a writer's schema and a reader's that has diverged from it, in every way that
// resolution has a rule for. There are few names, so they also coincide by accident.

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace shopstream::avro {

class RandomPair {
 public:
  explicit RandomPair(uint32_t seed) : random_(seed) {
    auto [written, read] = Fields(/*depth=*/3);
    writer = {{"type", "record"}, {"name", "R"}, {"fields", std::move(written)}};
    reader = {{"type", "record"}, {"name", "R"}, {"fields", std::move(read)}};
  }

  nlohmann::json writer, reader;  // Not always valid: a name may be used before its definition.

 private:
  using json = nlohmann::json;
  using Pair = std::pair<json, json>;
  enum Side { kWriter, kReader };

  uint64_t Draw(uint64_t below) { return random_() % below; }
  bool Chance(uint64_t percent) { return Draw(100) < percent; }
  template <typename T>
  const T& Any(const std::vector<T>& of) {
    return of[Draw(of.size())];
  }

  std::string Primitive() {
    return Any<std::string>({"boolean", "int", "long", "float", "double", "string", "bytes"});
  }

  json Logical() {
    return {
        {"type", "long"},
        {"logicalType", Any<std::string>({"local-timestamp-millis", "local-timestamp-micros"})}};
  }

  Pair Primitives() {
    static const std::map<std::string, std::vector<std::string>> kNear = {
        {"int", {"int", "long", "double"}},
        {"long", {"long", "int", "float"}},
        {"float", {"float", "double"}},
        {"double", {"double", "float"}},
        {"string", {"string", "bytes"}},
        {"bytes", {"bytes", "string"}},
        {"boolean", {"boolean"}}};
    const std::string written = Primitive();
    if (Chance(8)) return {Logical(), Logical()};
    return {written, Chance(85) ? Any(kNear.at(written)) : Primitive()};
  }

  std::string FullName() { return Any<std::string>({"a.X", "b.X", "c.X", "a.Y", "b.Y", "Z"}); }

  // The same name, one that resolution finds, or one that it does not.
  std::pair<json, json> Heads(const char* kind) {
    const std::string written = FullName();
    json writer_type = {{"type", kind}, {"name", written}};
    json reader_type = {{"type", kind}, {"name", Chance(60) ? written : FullName()}};
    if (Chance(30)) reader_type["aliases"] = {Chance(70) ? written : FullName()};
    if (Chance(15)) writer_type["aliases"] = {FullName()};
    return {std::move(writer_type), std::move(reader_type)};
  }

  // A name that the side has already defined refers to that definition.
  json Once(Side side, json type) {
    const auto name = type["name"].get<std::string>();
    if (open_[side].contains(name)) return "int";
    return defined_[side].insert(name).second ? type : json(name);
  }

  Pair Records(int depth) {
    auto [written, read] = Heads("record");
    open_[kWriter].insert(written["name"]);
    open_[kReader].insert(read["name"]);
    auto [written_fields, read_fields] = Fields(depth - 1);
    open_[kWriter].erase(open_[kWriter].find(written["name"]));
    open_[kReader].erase(open_[kReader].find(read["name"]));
    written["fields"] = std::move(written_fields);
    read["fields"] = std::move(read_fields);
    return {Once(kWriter, std::move(written)), Once(kReader, std::move(read))};
  }

  Pair Fields(int depth) {
    json written = json::array(), read = json::array();
    for (const char* name : {"f", "g", "h", "i"}) {
      const uint64_t what = Draw(10);
      if (what == 0) continue;
      auto [writer_type, reader_type] = Type(depth);
      json field = {{"name", name}, {"type", std::move(reader_type)}};
      if (what != 1) written.push_back({{"name", name}, {"type", std::move(writer_type)}});
      if (Chance(what == 1 ? 60 : 20)) SetDefault(&field);
      if (what == 2) field["name"] = std::string(name) + "2";
      if (what == 2 || Chance(8)) {
        field["aliases"] = {Chance(80) ? name : Any<std::string>({"f", "g", "h", "i"})};
      }
      if (what != 3) read.push_back(std::move(field));
    }
    if (Chance(20)) std::reverse(written.begin(), written.end());
    return {std::move(written), std::move(read)};
  }

  static void SetDefault(json* field) {
    const json& type = (*field)["type"];
    if (type.is_array() && type[0] == "null") (*field)["default"] = nullptr;
    if (type == "int" || type == "long" || type == "double") (*field)["default"] = 7;
    if (type == "string") (*field)["default"] = "a default longer than its record";
    if (type.is_object() && type["type"] == "array") (*field)["default"] = json::array();
    if (type.is_object() && type["type"] == "enum") (*field)["default"] = type["symbols"][0];
  }

  Pair Enums() {
    auto [written, read] = Heads("enum");
    written["symbols"] = Any<std::vector<std::string>>({{"A"}, {"A", "B"}, {"C", "A"}});
    read["symbols"] = Any<std::vector<std::string>>({{"A", "B", "C"}, {"B", "A"}, {"A"}});
    if (Chance(30)) read["default"] = "A";
    return {Once(kWriter, std::move(written)), Once(kReader, std::move(read))};
  }

  Pair Fixed() {
    auto [written, read] = Heads("fixed");
    written["size"] = 2;
    read["size"] = Chance(80) ? 2 : 3;
    return {Once(kWriter, std::move(written)), Once(kReader, std::move(read))};
  }

  Pair Collections(const char* kind, const char* key, int depth) {
    auto [written, read] = Type(depth - 1);
    return {json{{"type", kind}, {key, std::move(written)}},
            json{{"type", kind}, {key, std::move(read)}}};
  }

  static void AddBranch(json branch, json* to) {
    if (branch.is_array()) return;
    const auto name = [](const json& type) {
      if (type.is_string()) return type;
      return type.contains("name") ? type["name"] : type["type"];
    };
    for (const json& other : *to) {
      if (name(other) == name(branch)) return;
    }
    to->push_back(std::move(branch));
  }

  Pair Unions(int depth) {
    json written = json::array(), read = json::array();
    if (Chance(50)) AddBranch("null", &written);
    if (Chance(70)) AddBranch("null", &read);
    const uint64_t branches = Draw(3) + 1;
    for (uint64_t i = 0; i < branches; ++i) {
      auto [writer_type, reader_type] = Type(depth - 1);
      if (i == 0 || Chance(80)) AddBranch(std::move(writer_type), &written);
      if (i == 0 || Chance(80)) AddBranch(std::move(reader_type), &read);
    }
    const auto only_null = [](const json& type) { return type.empty() || type == json{"null"}; };
    if (only_null(written)) AddBranch("int", &written);
    if (only_null(read)) AddBranch("int", &read);
    if (Chance(25)) std::reverse(read.begin(), read.end());
    if (Chance(15)) return {written.back(), std::move(read)};
    return {std::move(written), std::move(read)};
  }

  Pair Type(int depth) {
    if (depth <= 0) return Primitives();
    if (Chance(8)) return {Type(depth - 1).first, Type(depth - 1).second};
    switch (Draw(12)) {
      case 0:
      case 1:
      case 2:
        return Records(depth);
      case 3:
      case 4:
      case 5:
        return Unions(depth);
      case 6:
        return Enums();
      case 7:
        return Fixed();
      case 8:
        return Collections("array", "items", depth);
      case 9:
        return Collections("map", "values", depth);
      default:
        return Primitives();
    }
  }

  std::mt19937_64 random_;
  std::set<std::string> defined_[2];
  std::multiset<std::string> open_[2];
};

}  // namespace shopstream::avro
