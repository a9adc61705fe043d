// Runs the codec for tests/test_codec.py, which compares it with other implementations.
//
//   codec_driver decode WRITER.avsc READER.avsc   frames -> Arrow stream of the rows; a line
//                                                 "<number of the frame>: <reason>" on stderr for
//                                                 each frame that is refused
//   codec_driver encode SCHEMA.avsc               Arrow stream -> frames
//   codec_driver canonical SCHEMA.avsc            its Parsing Canonical Form
//   codec_driver cases                            lines {"writer", "reader", "bodies":
//   [hexadecimal]}
//                                                 -> for each a line {"rows", "encoded"}, each a
//                                                 list: the row of each body as JSON or
//                                                 {"error": why, "place": where}, and the rows
//                                                 encoded again with the reader's schema; or
//                                                 {"error"} if the schemas do not match
//   codec_driver readable                         lines "reader<TAB>writer" -> for each a line of
//                                                 the violated rules
//
//   frames := frame*;  frame := size (4 bytes, little endian) body
#include <arrow/array.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <arrow/util/string.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "avro/compatibility.h"
#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/schema.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using arrow::internal::checked_cast;
using nlohmann::json;

Result<Schema> ReadSchema(const std::string& path) {
  std::ifstream file(path);
  return Schema::Parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

// False at the end of stdin.
Result<bool> ReadFrame(std::vector<uint8_t>* body) {
  uint32_t size = 0;
  std::cin.read(reinterpret_cast<char*>(&size), sizeof(size));
  if (std::cin.gcount() == 0) return false;
  body->resize(size);
  std::cin.read(reinterpret_cast<char*>(body->data()), size);
  if (!std::cin) return Status::IOError("stdin ends inside a frame");
  return true;
}

Status Decode(const std::string& writer_path, const std::string& reader_path) {
  ARROW_ASSIGN_OR_RAISE(const Schema writer, ReadSchema(writer_path));
  ARROW_ASSIGN_OR_RAISE(const Schema reader, ReadSchema(reader_path));
  ARROW_ASSIGN_OR_RAISE(const Decoder decoder, Decoder::Compile(writer, reader));
  ARROW_ASSIGN_OR_RAISE(const auto schema, ToArrowSchema(reader));
  Columns columns(schema);
  std::vector<uint8_t> body;
  for (int64_t number = 0;; ++number) {
    ARROW_ASSIGN_OR_RAISE(const bool more, ReadFrame(&body));
    if (!more) break;
    const DecodeResult result = decoder.Decode(body, &columns);
    if (result != DecodeResult::kRow) std::cerr << number << ": " << Describe(result) << "\n";
  }
  ARROW_ASSIGN_OR_RAISE(const auto rows, columns.Finish());
  ARROW_RETURN_NOT_OK(rows->ValidateFull());
  arrow::io::StdoutStream out;
  ARROW_ASSIGN_OR_RAISE(const auto stream, arrow::ipc::MakeStreamWriter(&out, schema));
  ARROW_RETURN_NOT_OK(stream->WriteRecordBatch(*rows));
  return stream->Close();
}

Status Encode(const std::string& schema_path) {
  ARROW_ASSIGN_OR_RAISE(const Schema schema, ReadSchema(schema_path));
  ARROW_ASSIGN_OR_RAISE(const auto stream, arrow::ipc::RecordBatchStreamReader::Open(
                                               std::make_shared<arrow::io::StdinStream>()));
  ARROW_ASSIGN_OR_RAISE(const Encoder encoder, Encoder::Compile(*stream->schema(), schema));
  EncodedRows encoded;
  for (std::shared_ptr<arrow::RecordBatch> rows;;) {
    ARROW_RETURN_NOT_OK(stream->ReadNext(&rows));
    if (rows == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(encoder.Encode(*rows, {}, &encoded));
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      const std::span<const uint8_t> body = encoded.Row(row);
      const auto size = static_cast<uint32_t>(body.size());
      std::cout.write(reinterpret_cast<const char*>(&size), sizeof(size));
      std::cout.write(reinterpret_cast<const char*>(body.data()), size);
    }
  }
}

Status PrintCanonical(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const Schema schema, ReadSchema(path));
  std::cout << schema.CanonicalForm() << "\n";
  return Status::OK();
}

Status PrintReadable() {
  for (std::string line; std::getline(std::cin, line);) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) return Status::Invalid("no tab in ", line);
    ARROW_ASSIGN_OR_RAISE(const Schema reader, Schema::Parse(line.substr(0, tab)));
    ARROW_ASSIGN_OR_RAISE(const Schema writer, Schema::Parse(line.substr(tab + 1)));
    for (const Incompatibility& found : CheckReadable(reader, writer)) {
      std::cout << Name(found.rule) << " ";
    }
    std::cout << "\n";
  }
  return Status::OK();
}

std::vector<uint8_t> FromHex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

json ValueToJson(const arrow::Array& column, int64_t i);

json ItemsToJson(const arrow::ListArray& column, int64_t i) {
  json items = json::array();
  for (int64_t at = column.value_offset(i); at < column.value_offset(i + 1); ++at) {
    items.push_back(ValueToJson(*column.values(), at));
  }
  return items;
}

json EntriesToJson(const arrow::MapArray& column, int64_t i) {
  json entries = json::object();
  const auto& keys = checked_cast<const arrow::StringArray&>(*column.keys());
  for (int64_t at = column.value_offset(i); at < column.value_offset(i + 1); ++at) {
    entries[keys.GetString(at)] = ValueToJson(*column.items(), at);
  }
  return entries;
}

json MembersToJson(const arrow::StructArray& column, int64_t i) {
  json members = json::object();
  for (int field = 0; field < column.num_fields(); ++field) {
    members[column.struct_type()->field(field)->name()] = ValueToJson(*column.field(field), i);
  }
  return members;
}

// Binary as hexadecimal, a decimal without its point, everything else as stored in the column.
json ValueToJson(const arrow::Array& column, int64_t i) {
  if (column.IsNull(i)) return nullptr;
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      return checked_cast<const arrow::BooleanArray&>(column).Value(i);
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
      return column.data()->GetValues<int64_t>(1)[i];
    case arrow::Type::DATE32:
      return column.data()->GetValues<int32_t>(1)[i];
    case arrow::Type::DOUBLE:
      return checked_cast<const arrow::DoubleArray&>(column).Value(i);
    case arrow::Type::STRING:
      return checked_cast<const arrow::StringArray&>(column).GetString(i);
    case arrow::Type::BINARY:
      return arrow::HexEncode(checked_cast<const arrow::BinaryArray&>(column).GetView(i));
    case arrow::Type::DECIMAL128:
      return arrow::Decimal128(checked_cast<const arrow::Decimal128Array&>(column).GetValue(i))
          .ToIntegerString();
    case arrow::Type::STRUCT:
      return MembersToJson(checked_cast<const arrow::StructArray&>(column), i);
    case arrow::Type::LIST:
      return ItemsToJson(checked_cast<const arrow::ListArray&>(column), i);
    case arrow::Type::MAP:
      return EntriesToJson(checked_cast<const arrow::MapArray&>(column), i);
    default:
      throw std::runtime_error("no JSON for " + column.type()->ToString());
  }
}

Result<json> DecodeCase(const json& test) {
  ARROW_ASSIGN_OR_RAISE(const Schema writer, Schema::Parse(test["writer"].dump()));
  ARROW_ASSIGN_OR_RAISE(const Schema reader, Schema::Parse(test["reader"].dump()));
  ARROW_ASSIGN_OR_RAISE(const Decoder decoder, Decoder::Compile(writer, reader));
  ARROW_ASSIGN_OR_RAISE(const auto schema, ToArrowSchema(reader));
  Columns columns(schema);
  json rows = json::array();
  for (const json& hex : test["bodies"]) {
    std::string place;
    const DecodeResult result = decoder.Decode(FromHex(hex), &columns, &place);
    json row;  // Filled in below, from the columns.
    if (result != DecodeResult::kRow) row = {{"error", Describe(result)}, {"place", place}};
    rows.push_back(std::move(row));
  }
  ARROW_ASSIGN_OR_RAISE(const auto batch, columns.Finish());
  ARROW_RETURN_NOT_OK(batch->ValidateFull());
  int64_t at = 0;
  for (json& row : rows) {
    if (!row.is_null()) continue;
    row = json::object();
    for (int i = 0; i < batch->num_columns(); ++i) {
      row[batch->column_name(i)] = ValueToJson(*batch->column(i), at);
    }
    ++at;
  }
  ARROW_ASSIGN_OR_RAISE(const Encoder encoder, Encoder::Compile(*schema, reader));
  EncodedRows encoded;
  ARROW_RETURN_NOT_OK(encoder.Encode(*batch, {}, &encoded));
  json bodies = json::array();
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    const auto body = encoded.Row(row);
    bodies.push_back(arrow::HexEncode({reinterpret_cast<const char*>(body.data()), body.size()}));
  }
  return json{{"rows", std::move(rows)}, {"encoded", std::move(bodies)}};
}

Status DecodeCases() {
  for (std::string line; std::getline(std::cin, line);) {
    const Result<json> done = DecodeCase(json::parse(line));
    std::cout << (done.ok() ? *done : json{{"error", done.status().ToString()}}).dump() << "\n";
  }
  return Status::OK();
}

Status Run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "decode") return Decode(arguments[1], arguments[2]);
  if (arguments.size() == 2 && arguments[0] == "encode") return Encode(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "canonical") return PrintCanonical(arguments[1]);
  if (arguments.size() == 1 && arguments[0] == "readable") return PrintReadable();
  if (arguments.size() == 1 && arguments[0] == "cases") return DecodeCases();
  return Status::Invalid("codec_driver decode|encode|canonical|cases|readable SCHEMA...");
}

}  // namespace
}  // namespace shopstream::avro

int main(int argc, char** argv) {
  const auto status = shopstream::avro::Run({argv + 1, argv + argc});
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
