#include "ingest/intake.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ingest/side_layout.h"
#include "ingest/table_growth.h"

namespace shopstream::ingest {
namespace {

// Bound on records that wait until the registry has denied their schema id twice.
constexpr int64_t kMaxParkedBytes = 4 << 20;

}  // namespace

Intake::Intake(std::shared_ptr<const BronzeLayout> layout, SchemaCache* schemas, SideTables* sides)
    : layout_(std::move(layout)), schemas_(schemas), sides_(sides), builder_(layout_) {}

Status Intake::StartFrom(const lake::Snapshot& bronze) {
  ARROW_ASSIGN_OR_RAISE(const TableMemory memory, ReadTableMemory(bronze, layout_->options));
  ARROW_ASSIGN_OR_RAISE(auto layout, LayoutOf(memory, layout_));
  Drop();
  adopted_version_ = bronze.version();
  schemas_->Reset(std::move(layout));
  builder_.Admit(memory.partition_values);
  if (sides_ == nullptr) return Status::OK();
  for (const lake::Table* side : sides_->Open()) ARROW_RETURN_NOT_OK(AdoptSide(*side));
  return Status::OK();
}

Result<bool> Intake::Adopt(const lake::Snapshot& bronze) {
  if (sides_ != nullptr) {
    for (const lake::Table* side : sides_->Open()) {
      ARROW_ASSIGN_OR_RAISE(const bool adopted, AdoptSide(*side));
      if (!adopted) return false;
    }
  }
  if (bronze.version() <= adopted_version_) return true;
  adopted_version_ = bronze.version();
  ARROW_ASSIGN_OR_RAISE(const TableMemory memory, ReadTableMemory(bronze, layout_->options));
  builder_.Admit(memory.partition_values);
  return !memory.reader_schema || schemas_->Adopt(*memory.reader_schema).ok();
}

Result<bool> Intake::AdoptSide(const lake::Table& side) {
  const auto snapshot = side.snapshot();
  int64_t& adopted = adopted_sides_.try_emplace(side.path(), -1).first->second;
  if (snapshot->version() <= adopted) return true;
  adopted = snapshot->version();
  ARROW_ASSIGN_OR_RAISE(const auto layout,
                        StoredSideLayout(layout_->options, side.path(), *snapshot));
  ARROW_ASSIGN_OR_RAISE(const TableMemory memory, ReadTableMemory(*snapshot, layout->options));
  if (!schemas_->AdoptSide(layout).ok()) return false;
  builder_.AdmitSide(layout, memory.partition_values);
  return true;
}

void Intake::Drop() {
  builder_.Clear();
  adopted_version_ = -1;
  adopted_sides_.clear();
  out_until_.reset();
  outage_.reset();
  ask_for_parked_at_ = BootClock::time_point::max();
}

Result<Intake::Taken> Intake::Take(const kafka::RecordView& record, BootClock::time_point now) {
  const std::optional<Frame> frame = builder_.Open(record);
  if (!frame) return Taken::kTaken;
  const KnownSchema* schema = schemas_->Find(frame->schema_id, now);
  if (schema == nullptr) [[unlikely]] {
    const bool known = Ask({frame->schema_id});
    if (!known && !out_until_ && builder_.parked_bytes() < kMaxParkedBytes) {
      builder_.Park(record, frame->schema_id);
      return Taken::kParked;
    }
    if (known) schema = schemas_->Find(frame->schema_id, now);
    if (schema == nullptr) return Taken::kWait;
  }
  ARROW_RETURN_NOT_OK(builder_.Add(record, *frame, *schema));
  return Taken::kTaken;
}

bool Intake::Ask(const std::vector<int32_t>& ids) {
  // Not the caller's `now`: earlier look-ups may have taken a while.
  const BootClock::time_point now = BootClock::now();
  if (out_until_ && now < *out_until_) return false;
  out_until_.reset();
  const ResolveOutcome outcome = schemas_->Resolve(ids, now);
  if (outcome.resolved) return true;
  if (outcome.outage) {
    out_until_ = outcome.ask_again_at;
    outage_ = outcome.outage;
  } else {
    ask_for_parked_at_ = std::min(ask_for_parked_at_, outcome.ask_again_at);
  }
  return false;
}

Status Intake::DecideParked(BootClock::time_point now) {
  if (!builder_.has_parked() || now < ask_for_parked_at_) return Status::OK();
  ask_for_parked_at_ = BootClock::time_point::max();
  if (!Ask(builder_.ParkedIds()) && out_until_) ask_for_parked_at_ = *out_until_;
  return builder_.DecideParked(*schemas_, now);
}

std::optional<std::string> Intake::TakeOutage() { return std::exchange(outage_, std::nullopt); }

Result<Cut> Intake::Finish() { return builder_.Finish(); }

}  // namespace shopstream::ingest
