#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/encoder.h"
#include "base/status.h"
#include "generate/event_source.h"
#include "kafka/producer.h"

namespace shopstream::produce {

// Records ready for the wire. Its messages refer to memory that the parcel owns and reuses, so that
// a parcel is moved by pointer only.
struct Parcel {
  std::vector<kafka::Message> messages;
  int64_t bytes = 0;  // All values together.
  int64_t malformed = 0;
  int64_t late = 0;
  int64_t duplicates = 0;

  Parcel() = default;
  Parcel(const Parcel&) = delete;
  Parcel& operator=(const Parcel&) = delete;

 private:
  friend class ParcelMaker;
  avro::EncodedRows rows_;
  std::string keys_;
  std::vector<std::vector<uint8_t>> broken_;
};

enum class Made {
  kMessages,
  kNothingDue,  // The source has no event at the moment; ask again.
  kEnd,         // The source has no more events.
};

// Events -> framed Avro records with their keys. A record on the wire is
//
//   record := magic schema_id body
//   magic := 0x00
//   schema_id := 4 bytes, big-endian
//   body := Avro binary
class ParcelMaker {
 public:
  // Borrows the source.
  static Result<ParcelMaker> Open(generate::EventSource* source, const arrow::Schema& columns,
                                  const std::string& avro_schema, int32_t schema_id);
  // Adds at most max_rows messages; the parcel's previous content is overwritten.
  Result<Made> Make(int64_t max_rows, Parcel* parcel);

 private:
  ParcelMaker(generate::EventSource* source, avro::Encoder encoder, int32_t schema_id);

  generate::EventSource* source_;
  avro::Encoder encoder_;
  std::vector<uint8_t> frame_;
};

}  // namespace shopstream::produce
