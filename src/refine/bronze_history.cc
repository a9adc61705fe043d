#include "refine/bronze_history.h"

#include <cstring>
#include <limits>
#include <string_view>

#include "base/sha256.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table_state.h"
#include "refine/pass_plan.h"

namespace shopstream::refine {
namespace {

// Nothing: the log does not have the version.
Result<std::optional<int64_t>> DigestOf(lake::ObjectStore* store, const std::string& path,
                                        const lake::Snapshot& bronze, int64_t version) {
  ARROW_ASSIGN_OR_RAISE(const auto entry, store->Get(lake::LogEntryPath(path, version)));
  if (entry == nullptr) return std::nullopt;
  const std::string& table_id = lake::StateOf(bronze).metadata().id;
  const std::string hash = Sha256(table_id + "\n" + std::string(std::string_view(*entry)));
  uint64_t digest = 0;
  for (const char byte : std::string_view(hash).substr(0, sizeof(digest))) {
    digest = digest << 8 | static_cast<uint8_t>(byte);
  }
  return static_cast<int64_t>(digest & std::numeric_limits<int64_t>::max());
}

}  // namespace

Result<std::optional<tables::BronzeSeen>> SeeBronze(lake::ObjectStore* store,
                                                    const std::string& path,
                                                    const lake::Snapshot& bronze) {
  ARROW_ASSIGN_OR_RAISE(const auto digest, DigestOf(store, path, bronze, bronze.version()));
  if (!digest) return std::nullopt;
  return tables::BronzeSeen{.version = bronze.version(), .digest = *digest};
}

Result<bool> CheckBronzeHistory(lake::ObjectStore* store, const std::string& path,
                                const lake::Snapshot& bronze,
                                const tables::RefineStanding& rejects) {
  if (!rejects.bronze_seen) return true;
  const tables::BronzeSeen& seen = *rejects.bronze_seen;
  const bool is_behind = bronze.version() < seen.version;
  ARROW_ASSIGN_OR_RAISE(const auto digest, DigestOf(store, path, bronze, seen.version));
  if (!digest && !is_behind) return false;
  if (digest == seen.digest) return true;
  return Status::Invalid(path, digest ? " has another version " : " has no version ", seen.version,
                         digest ? " than pass " : ", which pass ", rejects.pass.value_or(0),
                         " read: it was restored or replaced. ", kBronzeRestored);
}

}  // namespace shopstream::refine
