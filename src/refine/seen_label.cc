#include "refine/seen_label.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http_query.h"
#include "base/number.h"

namespace shopstream::refine {
namespace {

constexpr size_t kLineBytes = 512;  // Written in one piece, so never half.
constexpr std::string_view kVersion = "shopstream-seen-1";
constexpr std::string_view kStampSuffix = ".stamp";

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t space = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return words;
}

Status WriteLine(PageFile* file, std::string line) {
  if (line.size() >= kLineBytes) return Status::Invalid("a line is too long: ", line);
  line.push_back('\n');
  line.resize(kLineBytes, '\n');
  return file->Write(0, std::as_bytes(std::span(line)));
}

// Empty: there is none.
Result<std::string> ReadLine(PageFile* file) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
  if (size < static_cast<int64_t>(kLineBytes)) return "";
  std::string line(kLineBytes, '\0');
  ARROW_RETURN_NOT_OK(file->Read(0, std::as_writable_bytes(std::span(line))));
  line.resize(std::min(line.find('\n'), line.size()));
  return line;
}

}  // namespace

Result<std::optional<SeenLabel>> ReadLabel(PageFolder* folder) {
  ARROW_ASSIGN_OR_RAISE(const auto file, folder->Open(kLabelFile));
  ARROW_ASSIGN_OR_RAISE(const std::string line, ReadLine(file.get()));
  const auto words = Words(line);
  if (words.size() != 6 || words[0] != kVersion) return std::nullopt;
  const auto first = ParseWhole<uint64_t>(words[2]), second = ParseWhole<uint64_t>(words[3]);
  if (!first || !second) return std::nullopt;
  return SeenLabel{.table_id = PercentDecode(words[1]),
                   .key = {*first, *second},
                   .boot_id = PercentDecode(words[4]),
                   .is_clean = words[5] == "clean"};
}

Status WriteLabel(PageFolder* folder, const SeenLabel& label) {
  std::string line(kVersion);
  line += " " + PercentEncode(label.table_id) + " " + std::to_string(label.key[0]) + " " +
          std::to_string(label.key[1]) + " " + PercentEncode(label.boot_id) +
          (label.is_clean ? " clean" : " open");
  ARROW_ASSIGN_OR_RAISE(const auto file, folder->Open(kLabelFile));
  ARROW_RETURN_NOT_OK(WriteLine(file.get(), std::move(line)));
  return file->Sync();
}

std::string StampFile(const std::string& name) { return name + std::string(kStampSuffix); }

std::optional<std::string> ParseStampFile(const std::string& file) {
  if (!file.ends_with(kStampSuffix)) return std::nullopt;
  return file.substr(0, file.size() - kStampSuffix.size());
}

Result<std::optional<SeenStamp>> ReadStamp(PageFolder* folder, const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const auto file, folder->Open(StampFile(name)));
  ARROW_ASSIGN_OR_RAISE(const std::string line, ReadLine(file.get()));
  const auto words = Words(line);
  if (words.size() < 2 || words.size() > 3) return std::nullopt;
  const auto pass = ParseWhole<int64_t>(words[0]), version = ParseWhole<int64_t>(words[1]);
  if (!pass || !version) return std::nullopt;
  return SeenStamp{.pass = *pass,
                   .version = *version,
                   .commit_id = PercentDecode(words.size() == 3 ? words[2] : "")};
}

Status WriteStamp(PageFolder* folder, const std::string& name, const SeenStamp& stamp) {
  ARROW_ASSIGN_OR_RAISE(const auto file, folder->Open(StampFile(name)));
  return WriteLine(file.get(), std::to_string(stamp.pass) + " " + std::to_string(stamp.version) +
                                   " " + PercentEncode(stamp.commit_id));
}

}  // namespace shopstream::refine
