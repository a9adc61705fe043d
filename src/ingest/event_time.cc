#include "ingest/event_time.h"

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/timestamp.h"
#include "ingest/field_choice.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

constexpr char kKey[] = "ingest.event_time_field";
constexpr int64_t kMillisPerHour = 3'600'000;
constexpr int64_t kNanosPerMicro = 1000;

struct Unit {
  const char* name;
  int64_t times, over;  // To microseconds.
};
constexpr Unit kUnits[] = {{"d", kMicrosPerDay, 1},
                           {"s", 1'000'000, 1},
                           {"ms", kMicrosPerMilli, 1},
                           {"us", 1, 1},
                           {"ns", 1, kNanosPerMicro}};

const Unit* FindUnit(const std::string& name) {
  const auto* found =
      std::ranges::find_if(kUnits, [&](const Unit& unit) { return unit.name == name; });
  return found == std::end(kUnits) ? nullptr : found;
}

// The unit of timestamp-millis and the like; null for other logical types.
const Unit* UnitOf(const std::string& logical_type) {
  if (logical_type.find("timestamp-") == std::string::npos) return nullptr;
  if (logical_type.ends_with("-millis")) return FindUnit("ms");
  if (logical_type.ends_with("-micros")) return FindUnit("us");
  return logical_type.ends_with("-nanos") ? FindUnit("ns") : nullptr;
}

bool IsPlainNumber(const avro::ColumnPath& column) {
  return column.node != nullptr && column.node->logical_type.empty() &&
         (column.node->kind == avro::Kind::kLong || column.node->kind == avro::Kind::kInt);
}

std::string StrayLogicalType(const avro::ColumnPath& column) {
  return column.field == nullptr ? "" : column.field->stray_logical_type;
}

// The form of a column that is a time without any unit set; nothing for all others.
std::optional<EventTime::Form> FormOf(const avro::ColumnPath& column) {
  if (column.node == nullptr) return std::nullopt;
  const std::string& logical = column.node->logical_type;
  if (logical.starts_with("timestamp-")) return EventTime::Form::kMicros;
  if (logical.starts_with("local-timestamp-")) return EventTime::Form::kNumber;
  if (logical == "date") return EventTime::Form::kDate;
  if (logical.empty() && column.node->kind == avro::Kind::kString) return EventTime::Form::kText;
  return std::nullopt;
}

// A name that is common for times.
bool SoundsLikeTime(const std::string& path) {
  const std::string name = ToLower(path.substr(path.rfind('.') + 1));
  for (const char* part : {"time", "date", "when", "created", "updated"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return name == "at" || name == "ts" || name.starts_with("ts_") || name.ends_with("_ts") ||
         name.ends_with("_at");
}

std::string Candidate(const avro::ColumnPath& column) {
  const std::string& logical = column.node->logical_type;
  if (!logical.empty()) return column.path + " (" + logical + ")";
  if (!IsPlainNumber(column)) return column.path + " (string: ISO 8601)";
  const Unit* const stray = UnitOf(StrayLogicalType(column));
  return column.path + " (" + avro::Name(column.node->kind) + ": also set ingest.event_time_unit" +
         (stray ? std::string("=") + stray->name : "") + ")";
}

// The most likely first: times, then fields whose names suggest a time. Longs only if there are
// none of these.
std::vector<std::string> Candidates(const std::vector<avro::ColumnPath>& columns) {
  std::vector<std::string> times, named, longs;
  for (const avro::ColumnPath& column : columns) {
    const auto form = FormOf(column);
    if (form && *form != EventTime::Form::kText) {
      times.push_back(Candidate(column));
    } else if (form || IsPlainNumber(column)) {
      if (SoundsLikeTime(column.path) || UnitOf(StrayLogicalType(column)) != nullptr) {
        named.push_back(Candidate(column));
      } else if (!form && column.node->kind == avro::Kind::kLong) {
        longs.push_back(Candidate(column));
      }
    }
  }
  times.insert(times.end(), named.begin(), named.end());
  return times.empty() ? longs : times;
}

Status RefuseWithoutUnit(const avro::ColumnPath& column) {
  const std::string type = avro::Name(column.node->kind);
  const std::string stray = StrayLogicalType(column);
  if (stray.empty()) {
    return Status::Invalid("\"", column.path, "\" is a plain ", type,
                           ": ingest.event_time_unit must be d, s, ms, us or ns (", kKey, ")");
  }
  const Unit* const unit = UnitOf(stray);
  return Status::Invalid("\"", column.path, "\" is a ", type, "; its logicalType ", stray, " ",
                         avro::ExplainStrayLogicalType(*column.field),
                         ", or set ingest.event_time_unit",
                         unit ? std::string("=") + unit->name : "");
}

std::variant<int64_t, std::string> ReadNumber(const EventTime& time, int64_t value) {
  int64_t scaled = 0;
  const bool overflows = __builtin_mul_overflow(value, time.times, &scaled);
  const int64_t micros = FloorDiv(scaled, time.over);
  if (!overflows && IsCalendarMillis(FloorDiv(micros, kMicrosPerMilli))) return micros;
  return time.path + " = " + std::to_string(value) + " " + time.unit +
         " is outside the years 0001 to 9999";
}

std::variant<int64_t, std::string> ReadText(const EventTime& time, std::string_view text) {
  const Result<int64_t> millis = ParseTimestamp(text);
  if (millis.ok() && IsCalendarMillis(*millis)) return *millis * kMicrosPerMilli;
  constexpr size_t kShown = 40;
  return time.path + ": '" + Printable(text.substr(0, kShown)) +
         "' is not a time such as 2025-10-24T08:15:30Z, in the years 0001 to 9999";
}

std::variant<int64_t, std::string> ReadUnchecked(const EventTime& time,
                                                 const avro::Columns& columns, int64_t row,
                                                 const kafka::RecordView& record) {
  if (time.form == EventTime::Form::kKafka) {
    if (record.timestamp_ms == kNoTimestamp) return "the record has no Kafka timestamp";
    return record.timestamp_ms * kMicrosPerMilli;
  }
  if (columns.IsNullAt(time.place, row)) return "the event time " + time.path + " is null";
  switch (time.form) {
    case EventTime::Form::kDate:
      return columns.Int64At(time.place, row) * kMicrosPerDay;
    case EventTime::Form::kNumber:
      return ReadNumber(time, columns.Int64At(time.place, row));
    case EventTime::Form::kText:
      return ReadText(time, columns.StringAt(time.place, row));
    default:
      return columns.Int64At(time.place, row);
  }
}

std::string Show(int64_t micros) { return FormatTimestamp(FloorDiv(micros, kMicrosPerMilli)); }

}  // namespace

Result<EventTime> ResolveEventTime(const std::vector<avro::ColumnPath>& columns,
                                   const LayoutOptions& options) {
  EventTime time;
  time.path = options.event_time_field;
  time.earliest_micros = options.event_time_earliest * kMicrosPerDay;
  time.ahead_hours = options.event_time_ahead_hours;
  if (time.path.empty()) return time;
  const FieldSetting setting{kKey, Candidates(columns),
                             "Or leave it empty to use Kafka's timestamp."};
  ARROW_ASSIGN_OR_RAISE(const avro::ColumnPath* column, FindField(columns, time.path, setting));
  time.place = column->place;
  const Unit* unit = FindUnit(options.event_time_unit);
  if (IsPlainNumber(*column)) {
    if (unit == nullptr) return RefuseWithoutUnit(*column);
    time.form = EventTime::Form::kNumber;
  } else {
    const auto form = FormOf(*column);
    if (!form) return RefuseField(*column, "which is not a time", setting);
    if (unit != nullptr) {
      return Status::Invalid("\"", time.path, "\" is a ", DescribeType(*column),
                             ", which needs no unit: leave ingest.event_time_unit empty (", kKey,
                             ")");
    }
    time.form = *form;
    unit = UnitOf(column->node->logical_type);
  }
  if (time.form == EventTime::Form::kNumber) {
    time.times = unit->times;
    time.over = unit->over;
    time.unit = unit->name;
  }
  return time;
}

std::variant<int64_t, std::string> ReadEventTime(const EventTime& time,
                                                 const avro::Columns& columns, int64_t row,
                                                 const kafka::RecordView& record) {
  auto read = ReadUnchecked(time, columns, row, record);
  const int64_t* const micros = std::get_if<int64_t>(&read);
  if (micros == nullptr) return read;
  const std::string& name = time.path.empty() ? "Kafka's timestamp" : time.path;
  if (*micros < time.earliest_micros) {
    return name + " is " + Show(*micros) + ", before ingest.event_time_earliest " +
           FormatDate(static_cast<int32_t>(time.earliest_micros / kMicrosPerDay));
  }
  const bool has_sent = record.timestamp_ms != kNoTimestamp;
  const int64_t latest = record.timestamp_ms + time.ahead_hours * kMillisPerHour;
  if (has_sent && *micros / kMicrosPerMilli > latest) {
    return name + " is " + Show(*micros) + ", more than " + std::to_string(time.ahead_hours) +
           " h (ingest.event_time_ahead_hours) after Kafka's timestamp " +
           FormatTimestamp(record.timestamp_ms);
  }
  return read;
}

}  // namespace shopstream::ingest
