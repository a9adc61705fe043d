#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/page_file.h"
#include "base/status.h"
#include "refine/id_hash.h"
#include "refine/named_files.h"
#include "refine/seen_label.h"
#include "refine/seen_set.h"

namespace shopstream::refine {

struct SeenIndexOptions {
  std::string table_id;                 // Of Silver: another table's index is useless.
  int64_t disk_bytes = 20'480LL << 20;  // Above it, dates that were not used lately are deleted.
  int64_t memory_bytes = 128LL << 20;   // Above it, dates that were not used lately are closed.
  int64_t open_dates = 64;              // The same; each has up to four open files.
};

// Which hashes have been seen, per date, in sets that outgrow memory. Set "ids" follows Silver and
// holds its (event_id, date); a set "<Gold table>.<column>" follows that table and holds what it
// has counted. It may lack what its table holds, for as long as its stamp says so, and never holds
// what its table lacks: insert only after the commit. All of it can be rebuilt from the tables, so
// any file may be deleted. Thread-safe; calls wait for each other, also for a rebuild, which must
// not call the index.
class SeenIndex {
 public:
  using Date = std::optional<int32_t>;  // Days since 1970; nothing: null.
  // Hands over every hash of the date that the table holds, in pieces; repetitions are harmless.
  using Take = SeenSet::Take;
  using Rebuild = SeenSet::Rebuild;

  // Drops what is left of another table, or of a machine that stopped before Close. `folder` is
  // borrowed.
  static Result<std::unique_ptr<SeenIndex>> Open(PageFolder* folder,
                                                 const SeenIndexOptions& options);

  // For HashOf and HashRows. Chosen at random with the folder.
  const HashKey& key() const { return key_; }

  // Nothing: the set follows no commit yet, so that it has no dates and can have none.
  std::optional<SeenStamp> stamp(const std::string& name) const;
  // After the commit, and after Insert for each of its dates.
  Status Stamp(const std::string& name, const SeenStamp& stamp);

  // One answer per hash. `rebuild` is called if the date is absent.
  Result<std::vector<bool>> Contains(const std::string& name, Date date,
                                     const std::vector<Hash128>& hashes, const Rebuild& rebuild);
  // After the commit that the hashes belong to. Nothing happens if the date is absent: it is
  // rebuilt when it is next needed. After an error some may be in the set; the stamp has not moved,
  // so they are inserted again.
  Status Insert(const std::string& name, Date date, const std::vector<Hash128>& hashes);

  Status Forget(const std::string& name);  // All dates and the stamp.
  Status Forget(const std::string& name, Date date);
  Status Forget(Date date);  // In all sets.

  int64_t disk_bytes() const;
  // Makes it last when the machine stops. Nothing may follow.
  Status Close();

 private:
  struct SetKey {
    std::string name;
    Date date;
    auto operator<=>(const SetKey&) const = default;
  };
  // A date on disk.
  struct Shelf {
    int64_t bytes = 0;
    int64_t used = 0;              // Greater: later.
    std::unique_ptr<SeenSet> set;  // Null: closed.
  };

  SeenIndex(PageFolder* folder, const SeenIndexOptions& options)
      : files_(folder), options_(options) {}
  static std::string NameOf(const SetKey& key);
  static std::optional<SetKey> ParseName(const std::string& set);
  Status Load();
  Status DropAll();
  Status Drop(const SetKey& key);
  template <typename IsMeant>
  Status DropIf(const IsMeant& is_meant);
  // Opens it; null: the date is absent, or was damaged and is now.
  Result<SeenSet*> Find(const SetKey& key);
  Result<SeenSet*> FindOrBuild(const SetKey& key, const Rebuild& rebuild);
  // `status` of a call on the set. After an error it must be opened again; a damaged one is
  // dropped.
  Status Used(const SetKey& key, const Status& status);
  // Closes and deletes what exceeds the limits, except `key`.
  Status KeepLimits(const SetKey& key);

  NamedFiles files_;
  const SeenIndexOptions options_;
  mutable std::mutex mutex_;
  HashKey key_{};
  std::map<std::string, SeenStamp> stamps_;
  std::map<SetKey, Shelf> shelves_;
  int64_t uses_ = 0;
};

}  // namespace shopstream::refine
