#include "ingest/schema_cache.h"

#include <algorithm>
#include <utility>

#include "avro/merge.h"
#include "avro/node.h"
#include "ingest/side_layout.h"
#include "tables/record_types.h"

namespace shopstream::ingest {
namespace {

KnownSchema Undecodable(Cause cause, std::string why) {
  return {.decoder = std::nullopt, .layout = nullptr, .cause = cause, .detail = std::move(why)};
}

// The layout after others have grown its table to this schema; itself if they have not.
Result<std::shared_ptr<const BronzeLayout>> MergeTable(
    const std::shared_ptr<const BronzeLayout>& layout, const avro::Schema& table) {
  if (table.text() == layout->reader_schema.text()) return layout;
  ARROW_ASSIGN_OR_RAISE(const auto merged, avro::MergeSchemas(table, layout->reader_schema));
  if (merged.text() == layout->reader_schema.text()) return layout;
  ARROW_ASSIGN_OR_RAISE(BronzeLayout grown, BronzeLayout::Make(merged, layout->options));
  ARROW_RETURN_NOT_OK(CheckGrowth(*layout, grown));
  return std::make_shared<const BronzeLayout>(std::move(grown));
}

}  // namespace

SchemaCache::SchemaCache(std::shared_ptr<const BronzeLayout> layout, LookUpById look_up)
    : layout_(std::move(layout)), look_up_(std::move(look_up)) {}

void SchemaCache::Reset(std::shared_ptr<const BronzeLayout> layout, SideLayouts sides) {
  layout_ = std::move(layout);
  sides_ = std::move(sides);
  ++generation_;
}

void SchemaCache::Use(const std::shared_ptr<const BronzeLayout>& layout) {
  const bool bronze = layout->options.table == layout_->options.table;
  auto& used = bronze ? layout_ : sides_[layout->reader_schema.root().name];
  if (used == layout) return;
  used = layout;
  ++generation_;
}

Status SchemaCache::Adopt(const avro::Schema& table) {
  ARROW_ASSIGN_OR_RAISE(const auto merged, MergeTable(layout_, table));
  Use(merged);
  return Status::OK();
}

Status SchemaCache::AdoptSide(const std::shared_ptr<const BronzeLayout>& table) {
  const auto side = sides_.find(table->reader_schema.root().name);
  if (side == sides_.end()) {
    Use(table);
    return Status::OK();
  }
  if (!SamePlaces(side->second->options, table->options)) {
    return Status::Invalid("table ", table->options.table, " was created with another layout");
  }
  ARROW_ASSIGN_OR_RAISE(const auto merged, MergeTable(side->second, table->reader_schema));
  Use(merged);
  return Status::OK();
}

const KnownSchema* SchemaCache::Find(int32_t id, BootClock::time_point now) const {
  auto entry = known_.find(id);
  if (entry == known_.end() || !IsCurrent(entry->second)) return nullptr;
  if (entry->second.forget_at && *entry->second.forget_at <= now) return nullptr;
  return &entry->second.schema;
}

Result<std::shared_ptr<const BronzeLayout>> SchemaCache::LayoutFor(
    const avro::Schema& writer) const {
  const LayoutOptions& options = layout_->options;
  if (!options.side_tables || IsBronzesType(layout_->reader_schema, writer)) return layout_;
  const auto side = sides_.find(writer.root().name);
  if (side != sides_.end()) return side->second;
  tables::RecordTypes known;
  for (const auto& [type, layout] : sides_) known[type] = layout->options.table;
  ARROW_ASSIGN_OR_RAISE(auto layout, NewSideLayout(options, writer));
  ARROW_RETURN_NOT_OK(tables::CheckNewType(known, writer.root().name, layout->options.table,
                                           options.quarantine_table));
  return layout;
}

Result<KnownSchema> SchemaCache::CompileOrWhyNot(const avro::Schema& writer) {
  ARROW_ASSIGN_OR_RAISE(const auto before, LayoutFor(writer));
  ARROW_ASSIGN_OR_RAISE(auto layout, BronzeLayout::Grow(before, writer));
  ARROW_ASSIGN_OR_RAISE(
      auto decoder, avro::Decoder::Compile(writer, layout->reader_schema, layout->options.columns));
  Use(layout);
  return KnownSchema{
      .decoder = std::move(decoder), .layout = std::move(layout), .cause = {}, .detail = {}};
}

KnownSchema SchemaCache::Compile(const avro::Schema& writer) {
  Result<KnownSchema> compiled = CompileOrWhyNot(writer);
  if (compiled.ok()) return *std::move(compiled);
  std::string why = compiled.status().message();
  if (!layout_->options.side_tables && !IsBronzesType(layout_->reader_schema, writer)) {
    why += "; with ingest.record_types=each, each record type has its own table";
  }
  return Undecodable(Cause::kIncompatibleSchema, std::move(why));
}

SchemaCache::Entry SchemaCache::EntryOf(const registry::LookUp& found) {
  Entry entry;
  if (found.schema.schema_type != "AVRO") {
    entry.schema = Undecodable(Cause::kIncompatibleSchema,
                               "schema " + std::to_string(found.schema.id) + " is " +
                                   found.schema.schema_type + "; ShopStream decodes Avro");
    return entry;
  }
  Result<avro::Schema> writer = avro::Schema::ParseKept(found.schema.schema);
  if (writer.ok()) {
    entry.schema = Compile(*writer);
    entry.writer = *std::move(writer);
  } else {
    entry.schema = Undecodable(Cause::kIncompatibleSchema,
                               "the registered schema is not Avro: " + writer.status().message());
  }
  entry.generation = generation_;  // Compile may have increased it.
  return entry;
}

// False: no verdict yet, and `outcome` has the time to ask again.
bool SchemaCache::ResolveOne(int32_t id, BootClock::time_point now, ResolveOutcome* outcome) {
  if (Find(id, now) != nullptr) return true;
  if (auto stale = known_.find(id); stale != known_.end() && stale->second.writer) {
    stale->second.schema = Compile(*stale->second.writer);
    stale->second.generation = generation_;
    return true;
  }
  auto denied = denied_at_.find(id);
  if (denied != denied_at_.end() && now < denied->second + kConfirmUnknownAfter) {
    outcome->ask_again_at = std::min(outcome->ask_again_at, denied->second + kConfirmUnknownAfter);
    return false;
  }
  registry::LookUp answer = look_up_(id);
  switch (answer.outcome) {
    case registry::LookUpOutcome::kFound:
      denied_at_.erase(id);
      known_[id] = EntryOf(answer);
      return true;
    case registry::LookUpOutcome::kUnavailable:
      outcome->outage = answer.detail;
      outcome->ask_again_at = now + kOutagePause;
      return false;
    case registry::LookUpOutcome::kUnknown:
      break;
  }
  if (denied == denied_at_.end()) {
    denied_at_[id] = now;
    outcome->ask_again_at = std::min(outcome->ask_again_at, now + kConfirmUnknownAfter);
    return false;
  }
  denied_at_.erase(denied);
  known_[id].schema =
      Undecodable(Cause::kUnknownSchema, "the registry has no schema " + std::to_string(id));
  known_[id].forget_at = now + kRememberUnknownFor;
  ++unknown_count_;
  return true;
}

// False: time ran out.
bool SchemaCache::ResolveAll(const std::vector<int32_t>& ids, BootClock::time_point now,
                             ResolveOutcome* outcome) {
  const BootClock::time_point begin = BootClock::now();
  for (int32_t id : ids) {
    if (BootClock::now() - begin > kAskFor) {
      outcome->resolved = false;
      outcome->ask_again_at = now;
      return false;
    }
    if (!ResolveOne(id, now, outcome)) outcome->resolved = false;
    if (outcome->outage) return false;  // The next one would wait for the same timeout.
  }
  return true;
}

ResolveOutcome SchemaCache::Resolve(const std::vector<int32_t>& ids, BootClock::time_point now) {
  if (unknown_count_ > kMaxUnknownIds) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.forget_at.has_value(); });
    unknown_count_ = 0;
  }
  ResolveOutcome outcome;
  // A schema that makes the layout grow leaves those compiled before it stale. Once all of them
  // have been merged, nothing grows any more.
  int64_t generation = 0;
  do {
    generation = generation_;
    outcome = {
        .resolved = true, .outage = std::nullopt, .ask_again_at = BootClock::time_point::max()};
  } while (ResolveAll(ids, now, &outcome) && generation != generation_);
  return outcome;
}

}  // namespace shopstream::ingest
