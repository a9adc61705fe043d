#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "avro/decoder.h"
#include "avro/schema.h"
#include "base/clock.h"
#include "ingest/bronze_layout.h"
#include "ingest/cause.h"
#include "registry/schema_source.h"

namespace shopstream::ingest {

// What is known about a schema id: how to decode its records, or why that is impossible.
struct KnownSchema {
  std::optional<avro::Decoder> decoder;
  std::shared_ptr<const BronzeLayout> layout;  // The one that the decoder fills.
  Cause cause = Cause::kUnknownSchema;         // If there is no decoder.
  std::string detail;
};

struct ResolveOutcome {
  // Every requested id is known now.
  bool resolved = false;
  // Otherwise: why the registry gave no verdict (an outage), or nothing if a "no such id" is
  // waiting to be confirmed.
  std::optional<std::string> outage;
  BootClock::time_point ask_again_at;  // When the first of them may be answered.
};

// Schema ids and how to decode them into the current layout of their record type, which grows with
// each writer that has a new field. One thread.
class SchemaCache {
 public:
  using LookUpById = std::function<registry::LookUp(int32_t id)>;
  // A registry that lags behind its writer may briefly deny an id, so it is asked twice.
  static constexpr std::chrono::seconds kConfirmUnknownAfter{2};
  static constexpr std::chrono::minutes kRememberUnknownFor{10};
  static constexpr std::chrono::seconds kOutagePause{1};
  // Approximate limit of one Resolve: the calling thread must respond to its group.
  static constexpr std::chrono::seconds kAskFor{1};
  // Bounds the memory that a stream of garbage can use.
  static constexpr size_t kMaxUnknownIds = 100'000;

  SchemaCache(std::shared_ptr<const BronzeLayout> layout, LookUpById look_up);

  // The layout of Bronze, and those of the side tables, by the full name of their record type.
  using SideLayouts = std::map<std::string, std::shared_ptr<const BronzeLayout>>;
  const std::shared_ptr<const BronzeLayout>& layout() const { return layout_; }
  const SideLayouts& sides() const { return sides_; }
  // Merges what other consumers have added to Bronze's schema; the table's fields come first.
  // Invalid: the two cannot be merged; nothing has changed.
  Status Adopt(const avro::Schema& table);
  // The same for the side table of this layout, which may be new.
  Status AdoptSide(const std::shared_ptr<const BronzeLayout>& table);
  // Starts over with other layouts; writers' schemas stay known.
  void Reset(std::shared_ptr<const BronzeLayout> layout, SideLayouts sides = {});

  // Null: not known, not compiled for the current layout, or a verdict that must be asked for
  // again; see Resolve. Valid until the next Resolve, Adopt or Reset.
  const KnownSchema* Find(int32_t id, BootClock::time_point now) const;

  // Asks for all ids together, so that a batch of many new ones waits for one confirmation only.
  ResolveOutcome Resolve(const std::vector<int32_t>& ids, BootClock::time_point now);

 private:
  struct Entry {
    KnownSchema schema;
    std::optional<avro::Schema> writer;  // For ids that the registry has, if it is Avro.
    int64_t generation = 0;              // Generation of the layout it was compiled for.
    std::optional<BootClock::time_point> forget_at;
  };
  Entry EntryOf(const registry::LookUp& found);
  bool ResolveAll(const std::vector<int32_t>& ids, BootClock::time_point now,
                  ResolveOutcome* outcome);
  bool ResolveOne(int32_t id, BootClock::time_point now, ResolveOutcome* outcome);
  KnownSchema Compile(const avro::Schema& writer);
  Result<KnownSchema> CompileOrWhyNot(const avro::Schema& writer);
  // The layout that has to fit this writer's records. Invalid: its type can have no table.
  Result<std::shared_ptr<const BronzeLayout>> LayoutFor(const avro::Schema& writer) const;
  void Use(const std::shared_ptr<const BronzeLayout>& layout);
  bool IsCurrent(const Entry& entry) const {
    return !entry.writer || entry.generation == generation_;
  }

  std::shared_ptr<const BronzeLayout> layout_;
  SideLayouts sides_;
  int64_t generation_ = 0;  // Increases with each change of a layout.
  LookUpById look_up_;
  std::unordered_map<int32_t, Entry> known_;
  std::unordered_map<int32_t, BootClock::time_point> denied_at_;  // Denied once; to be confirmed.
  size_t unknown_count_ = 0;
};

}  // namespace shopstream::ingest
