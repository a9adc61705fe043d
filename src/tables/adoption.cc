#include "tables/adoption.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "tables/progress.h"

namespace shopstream::tables {
namespace {

constexpr std::string_view kStates = "shopstream-state/";
constexpr char kAdoptedFrom[] = "adopted-from/";
constexpr char kAdoptedEnd[] = "adopted-end/";
constexpr char kCopy[] = "copy/";

std::string AdoptionPrefix(const std::string& topic_id, int32_t partition) {
  return std::string(kStates) + topic_id + "/" + std::to_string(partition) + "/";
}

// Calls `on_name` with the rest of each appId that starts with `prefix`, and its version.
template <typename OnName>
void ForEachWith(const Txns& txns, const std::string& prefix, const OnName& on_name) {
  for (auto it = txns.lower_bound(prefix); it != txns.end() && it->first.starts_with(prefix);
       ++it) {
    on_name(it->first.substr(prefix.size()), it->second);
  }
}

}  // namespace

std::optional<Adoption> ReadAdoption(const Txns& txns, const std::string& topic_id,
                                     int32_t partition) {
  const std::string prefix = AdoptionPrefix(topic_id, partition);
  std::optional<Adoption> adoption;
  ForEachWith(txns, prefix + kAdoptedFrom, [&](const std::string& earlier, int64_t below) {
    adoption =
        Adoption{.earlier_topic_id = earlier, .below = below, .earlier_end = 0, .copies = {}};
  });
  if (!adoption) return std::nullopt;
  if (const auto end = txns.find(prefix + kAdoptedEnd + adoption->earlier_topic_id);
      end != txns.end()) {
    adoption->earlier_end = end->second;
  }
  ForEachWith(txns, prefix + kCopy, [&](const std::string& name, int64_t hash) {
    int64_t offset = -1;
    const char* last = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data(), last, offset);
    if (error == std::errc() && end == last && offset >= 0) adoption->copies[offset] = hash;
  });
  return adoption;
}

void Put(const std::string& topic_id, int32_t partition, const Adoption& adoption, Txns* txns) {
  const std::string prefix = AdoptionPrefix(topic_id, partition);
  (*txns)[prefix + kAdoptedFrom + adoption.earlier_topic_id] = adoption.below;
  (*txns)[prefix + kAdoptedEnd + adoption.earlier_topic_id] = adoption.earlier_end;
  for (const auto& [offset, hash] : adoption.copies) {
    (*txns)[prefix + kCopy + std::to_string(offset)] = hash;
  }
}

std::vector<std::string> ChainOf(const Txns& txns, const std::string& topic_id) {
  std::map<std::string, std::string> earlier;  // Of each topic that continues another.
  for (const auto& [key, next] : ReadProgress(txns)) {
    const auto adoption = ReadAdoption(txns, key.topic_id, key.partition);
    if (adoption) earlier[key.topic_id] = adoption->earlier_topic_id;
  }
  std::vector<std::string> chain = {topic_id};
  for (auto found = earlier.find(topic_id); found != earlier.end();
       found = earlier.find(chain.back())) {
    if (std::ranges::find(chain, found->second) != chain.end()) break;
    chain.push_back(found->second);
  }
  return chain;
}

}  // namespace shopstream::tables
