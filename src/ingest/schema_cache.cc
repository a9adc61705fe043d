#include "ingest/schema_cache.h"

#include <algorithm>
#include <utility>

namespace shopstream::ingest {

SchemaCache::SchemaCache(avro::Schema reader, LookUpById look_up)
    : reader_(std::move(reader)), look_up_(std::move(look_up)) {}

const KnownSchema* SchemaCache::Find(int32_t id, BootClock::time_point now) const {
  auto entry = known_.find(id);
  if (entry == known_.end()) return nullptr;
  if (entry->second.forget_at && *entry->second.forget_at <= now) return nullptr;
  return &entry->second.schema;
}

KnownSchema SchemaCache::Compile(const registry::LookUp& found) const {
  Result<avro::Schema> writer = avro::Schema::Parse(found.schema.schema);
  if (!writer.ok()) {
    return {.decoder = std::nullopt,
            .cause = Cause::kIncompatibleSchema,
            .detail = "the registered schema is not Avro: " + writer.status().message()};
  }
  Result<avro::Decoder> decoder = avro::Decoder::Compile(*writer, reader_);
  if (!decoder.ok()) {
    return {.decoder = std::nullopt,
            .cause = Cause::kIncompatibleSchema,
            .detail = decoder.status().message()};
  }
  return {.decoder = std::move(*decoder), .cause = {}, .detail = {}};
}

// False: no verdict yet, and `outcome` says when to ask again.
bool SchemaCache::ResolveOne(int32_t id, BootClock::time_point now, ResolveOutcome* outcome) {
  if (Find(id, now) != nullptr) return true;
  auto denied = denied_at_.find(id);
  if (denied != denied_at_.end() && now < denied->second + kConfirmUnknownAfter) {
    outcome->ask_again_at = std::min(outcome->ask_again_at, denied->second + kConfirmUnknownAfter);
    return false;
  }
  registry::LookUp answer = look_up_(id);
  switch (answer.outcome) {
    case registry::LookUpOutcome::kFound:
      denied_at_.erase(id);
      known_[id] = {.schema = Compile(answer), .forget_at = std::nullopt};
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
  known_[id] = {.schema = {.decoder = std::nullopt,
                           .cause = Cause::kUnknownSchema,
                           .detail = "the registry knows no schema " + std::to_string(id)},
                .forget_at = now + kRememberUnknownFor};
  ++unknown_count_;
  return true;
}

ResolveOutcome SchemaCache::Resolve(const std::vector<int32_t>& ids, BootClock::time_point now) {
  if (unknown_count_ > kMaxUnknownIds) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.forget_at.has_value(); });
    unknown_count_ = 0;
  }
  ResolveOutcome outcome;
  outcome.ask_again_at = BootClock::time_point::max();
  outcome.resolved = true;
  const BootClock::time_point begin = BootClock::now();
  for (int32_t id : ids) {
    if (BootClock::now() - begin > kAskFor) {
      outcome.resolved = false;
      outcome.ask_again_at = now;
      break;
    }
    if (!ResolveOne(id, now, &outcome)) outcome.resolved = false;
    if (outcome.outage) break;  // The next would wait for the same time-out.
  }
  return outcome;
}

}  // namespace shopstream::ingest
