#include "avro/decode_code.h"

namespace shopstream::avro {
namespace {

DecodeCode IntegerCode(Kind writer, const Node& reader) {
  const bool is_int = writer == Kind::kInt;
  if (reader.logical_type == "timestamp-millis") {
    return is_int ? DecodeCode::kIntAsMillis : DecodeCode::kLongAsMillis;
  }
  if (reader.logical_type == "timestamp-nanos") {
    return is_int ? DecodeCode::kIntAsNanos : DecodeCode::kLongAsNanos;
  }
  if (reader.logical_type == "timestamp-micros") {
    return is_int ? DecodeCode::kInt : DecodeCode::kLongAsMicros;
  }
  if (reader.logical_type == "date") return DecodeCode::kDate;
  switch (reader.kind) {
    case Kind::kFloat:
      return is_int ? DecodeCode::kIntAsFloat : DecodeCode::kLongAsFloat;
    case Kind::kDouble:
      return is_int ? DecodeCode::kIntAsDouble : DecodeCode::kLongAsDouble;
    default:
      return is_int ? DecodeCode::kInt : DecodeCode::kLong;
  }
}

}  // namespace

DecodeCode PrimitiveCode(Kind writer, const Node& reader) {
  switch (writer) {
    case Kind::kBoolean:
      return DecodeCode::kBoolean;
    case Kind::kInt:
    case Kind::kLong:
      return IntegerCode(writer, reader);
    case Kind::kFloat:
      return DecodeCode::kFloat;
    case Kind::kDouble:
      return DecodeCode::kDouble;
    default:
      return reader.kind == Kind::kString ? DecodeCode::kString : DecodeCode::kBytes;
  }
}

}  // namespace shopstream::avro
