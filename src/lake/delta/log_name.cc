#include "lake/delta/log_name.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace shopstream::lake {
namespace {

std::optional<int64_t> ParseNumber(std::string_view digits, size_t width) {
  int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (digits.size() != width || error != std::errc() || stop != end || number < 0) {
    return std::nullopt;
  }
  return number;
}

std::vector<std::string_view> SplitAtDots(std::string_view name) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    words.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace

std::optional<LogName> ParseLogName(const std::string& path) {
  using Kind = LogName::Kind;
  const auto words = SplitAtDots(std::string_view(path).substr(path.rfind('/') + 1));
  const auto version = ParseNumber(words[0], 20);
  if (!version) return std::nullopt;
  if (words.size() == 2 && words[1] == "json") return LogName{Kind::kEntry, *version};
  if (words.size() == 2 && words[1] == "crc") return LogName{Kind::kChecksum, *version};
  if (words.size() == 4 && words[2] == "compacted" && words[3] == "json" &&
      ParseNumber(words[1], 20)) {
    return LogName{Kind::kCompacted, *version};
  }
  if (words.size() < 3 || words[1] != "checkpoint") return std::nullopt;
  if (words.size() == 3 && words[2] == "parquet") return LogName{Kind::kCheckpoint, *version};
  if (words.size() == 4) return LogName{Kind::kUuidCheckpoint, *version};
  if (words.size() != 5 || words[4] != "parquet") return std::nullopt;
  const auto part = ParseNumber(words[2], 10);
  const auto parts = ParseNumber(words[3], 10);
  if (!part || !parts || *part < 1 || *part > *parts) return std::nullopt;
  return LogName{Kind::kCheckpoint, *version, *part, *parts};
}

std::vector<std::vector<std::string>> CompleteCheckpoints(int64_t parts,
                                                          const std::vector<std::string>& paths) {
  std::vector<std::vector<std::string>> complete;
  if (parts == 1) {
    for (const std::string& path : paths) complete.push_back({path});
  } else if (static_cast<int64_t>(paths.size()) == parts) {
    complete.push_back(paths);
  }
  return complete;
}

}  // namespace shopstream::lake
