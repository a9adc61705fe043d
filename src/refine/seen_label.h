#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/page_file.h"
#include "base/status.h"
#include "refine/id_hash.h"

namespace shopstream::refine {

// The commit that a set follows: what the table holds at this pass, the set holds as well.
struct SeenStamp {
  int64_t pass = 0;
  int64_t version = 0;    // Of the table: the pass is in it.
  std::string commit_id;  // Of that version.

  bool operator==(const SeenStamp&) const = default;
};

// What an index is about. It is only as good as the label says.
struct SeenLabel {
  std::string table_id = "";
  HashKey key{};
  std::string boot_id = "";  // Of the machine's start in which it was last written.
  bool is_clean = false;     // Nothing was written since everything was synced.

  bool operator==(const SeenLabel&) const = default;
};

// Each is a file of one line: words with a space between, percent-encoded. Nothing: the file is
// absent or unreadable.
Result<std::optional<SeenLabel>> ReadLabel(PageFolder* folder);
Status WriteLabel(PageFolder* folder, const SeenLabel& label);  // And syncs it.
Result<std::optional<SeenStamp>> ReadStamp(PageFolder* folder, const std::string& name);
Status WriteStamp(PageFolder* folder, const std::string& name, const SeenStamp& stamp);

// The name of a stamp's file, and the inverse; nothing: another file.
std::string StampFile(const std::string& name);
std::optional<std::string> ParseStampFile(const std::string& file);
inline constexpr char kLabelFile[] = "label";

}  // namespace shopstream::refine
