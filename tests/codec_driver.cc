// The codec as a program, for tests/test_codec.py, which holds it against other implementations.
//
//   codec_driver decode WRITER.avsc READER.avsc   frames -> Arrow stream of the rows; a line
//                                                 "<number of the frame>: <reason>" on stderr for
//                                                 each that is refused
//   codec_driver encode SCHEMA.avsc               Arrow stream -> frames
//   codec_driver canonical SCHEMA.avsc            its Parsing Canonical Form
//   codec_driver readable                         lines "reader<TAB>writer" -> for each a line of
//                                                 the rules that are broken
//
//   frames := frame*;  frame := size (4 bytes, little endian) body
#include <arrow/io/stdio.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "avro/compatibility.h"
#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/schema.h"

namespace shopstream::avro {
namespace {

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

Status Run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "decode") return Decode(arguments[1], arguments[2]);
  if (arguments.size() == 2 && arguments[0] == "encode") return Encode(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "canonical") return PrintCanonical(arguments[1]);
  if (arguments.size() == 1 && arguments[0] == "readable") return PrintReadable();
  return Status::Invalid("codec_driver decode|encode|canonical|readable SCHEMA...");
}

}  // namespace
}  // namespace shopstream::avro

int main(int argc, char** argv) {
  const auto status = shopstream::avro::Run({argv + 1, argv + argc});
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
