#include "avro/decoder.h"

#include <arrow/util/logging.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <string>
#include <utility>

#include "avro/decode_program.h"
#include "avro/decode_run.h"

namespace shopstream::avro {

Result<Decoder> Decoder::Compile(const Schema& writer, const Schema& reader,
                                 const ColumnOptions& options) {
  ARROW_ASSIGN_OR_RAISE(DecodeProgram program, DecodeProgram::Compile(writer, reader, options));
  arrow::util::InitializeUTF8();
  Decoder decoder;
  decoder.program_ = std::make_shared<const DecodeProgram>(std::move(program));
  ARROW_RETURN_NOT_OK(decoder.CheckDefaults(reader, options));
  return decoder;
}

Status Decoder::CheckDefaults(const Schema& reader, const ColumnOptions& options) const {
  if (program_->constants.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto columns, ToArrowSchema(reader, options));
  Columns scratch(std::move(columns));
  for (const DecodeOp& op : program_->ops) {
    if (op.code != DecodeCode::kDefault) continue;
    Run run(*program_, {}, &scratch);
    const DecodeResult result = run.TryDefault(op);
    if (result == DecodeResult::kRow) continue;
    return Status::Invalid("field \"", run.Place(),
                           "\": its default cannot be stored: ", Describe(result));
  }
  return Status::OK();
}

DecodeResult Decoder::Decode(std::span<const uint8_t> body, Columns* out,
                             std::string* place) const {
  ARROW_CHECK_EQ(out->shape_, program_->shape) << "columns of another schema than the decoder's";
  const auto size = static_cast<int64_t>(body.size());
  if (!out->Reserve(std::max(size, program_->longest_text))) [[unlikely]] {
    return size > out->max_text_ ? DecodeResult::kBadLength : DecodeResult::kColumnsFull;
  }
  Run run(*program_, body, out);
  const DecodeResult result = run.Decode();
  if (result == DecodeResult::kRow) [[likely]] {
    ++out->rows_;
  } else if (place != nullptr) {
    *place = run.Place();
  }
  return result;
}

}  // namespace shopstream::avro
