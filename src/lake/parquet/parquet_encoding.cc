#include "lake/parquet/parquet_encoding.h"

#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/parquet/value_facts.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;

constexpr int kZstdLevel = 1;
// For a file below both, setting zstd up for each page takes longer than all the rest; Snappy needs
// no set-up. Compaction replaces such files.
constexpr int64_t kMinZstdRows = 2048;
constexpr double kMinZstdBytes = 512 << 10;  // In memory.
// Enough to tell ids from categories.
constexpr int64_t kSampleRows = 4096;
// From here on the time saved by a better choice is worth the trial.
constexpr int64_t kTrialRows = 16 * kSampleRows;

// Bytes of a fixed-width or variable-width value; empty for types that have neither.
std::string_view ValueBytes(const arrow::Array& column, int64_t i) {
  switch (column.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return checked_cast<const arrow::BinaryArray&>(column).GetView(i);
    case arrow::Type::BOOL:
      return {};
    default: {
      if (!arrow::is_fixed_width(column.type_id())) return {};
      const auto width = static_cast<int64_t>(column.type()->byte_width());
      const auto* values = reinterpret_cast<const char*>(column.data()->buffers[1]->data());
      return {values + (column.offset() + i) * width, static_cast<size_t>(width)};
    }
  }
}

// Some values of a column, from all over it; nulls left out.
std::vector<std::string_view> Sample(const Selection& selection, int column) {
  const arrow::Array& array = *selection.rows().column(column);
  const int64_t step = std::max<int64_t>(1, selection.count() / kSampleRows);
  std::vector<std::string_view> values;
  for (int64_t i = 0; i < selection.count(); i += step) {
    const int64_t at = selection.PositionOf(i);
    if (array.IsValid(at)) values.push_back(ValueBytes(array, at));
  }
  return values;
}

// Whether at most half of the values are distinct. Stops as soon as more are.
bool Repeats(const std::vector<std::string_view>& sample) {
  // Open addressing with at least as many free slots as used ones; 0: free.
  std::vector<uint32_t> slots(std::bit_ceil(sample.size() + 1));
  const size_t mask = slots.size() - 1;
  size_t distinct = 0;
  for (uint32_t i = 0; i < sample.size(); ++i) {
    size_t slot = std::hash<std::string_view>()(sample[i]) & mask;
    while (slots[slot] != 0 && sample[slots[slot] - 1] != sample[i]) slot = (slot + 1) & mask;
    if (slots[slot] != 0) continue;
    slots[slot] = i + 1;
    if (++distinct * 2 > sample.size()) return false;
  }
  return true;
}

// zstd that hardly looks for repetition but still packs bytes by their frequency.
std::shared_ptr<arrow::util::CodecOptions> FastZstd() {
  constexpr int kTargetLength = 106;  // With the fast strategy: how far to skip.
  constexpr int kLiterals = 1002;     // 1: pack them in any case.
  auto options = std::make_shared<arrow::util::ZstdCodecOptions>();
  options->compression_level = kZstdLevel;
  options->compression_context_params = {{kTargetLength, 64}, {kLiterals, 1}};
  return options;
}

// Random ids have no repetition to find: there the fast way is half the work for the same bytes.
// Decided by trying both on the sample.
Result<bool> FastIsAsGood(const std::vector<std::string_view>& sample) {
  std::string text;
  for (const std::string_view value : sample) text += value;
  const auto* input = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int64_t>(text.size());
  const auto packed_size = [&](const arrow::util::CodecOptions& options) -> Result<int64_t> {
    ARROW_ASSIGN_OR_RAISE(const auto codec,
                          arrow::util::Codec::Create(arrow::Compression::ZSTD, options));
    std::vector<uint8_t> out(static_cast<size_t>(codec->MaxCompressedLen(size, input)));
    return codec->Compress(size, input, static_cast<int64_t>(out.size()), out.data());
  };
  ARROW_ASSIGN_OR_RAISE(const int64_t fast, packed_size(*FastZstd()));
  ARROW_ASSIGN_OR_RAISE(const int64_t thorough, packed_size(arrow::util::CodecOptions(kZstdLevel)));
  return fast <= thorough + thorough / 50;
}

// Visits the leaves of a nested column: the path in the file, the type, and whether it is an item
// of a list or map.
void VisitLeaves(
    const std::string& path, const arrow::DataType& type, bool is_item,
    const std::function<void(const std::string&, const arrow::DataType&, bool)>& visit) {
  if (type.id() == arrow::Type::LIST) {
    VisitLeaves(path + ".list.element", *type.field(0)->type(), true, visit);
  } else if (type.id() == arrow::Type::MAP) {
    const auto& map = checked_cast<const arrow::MapType&>(type);
    VisitLeaves(path + ".key_value.key", *map.key_type(), true, visit);
    VisitLeaves(path + ".key_value.value", *map.item_type(), true, visit);
  } else if (type.id() == arrow::Type::STRUCT) {
    for (const auto& member : type.fields()) {
      VisitLeaves(path + "." + member->name(), *member->type(), is_item, visit);
    }
  } else {
    visit(path, type, is_item);
  }
}

void AddMisleading(const std::string& path, const arrow::Array& values, const Selection& selection,
                   ColumnPaths* found) {
  if (values.type_id() == arrow::Type::STRUCT) {
    const auto& parent = checked_cast<const arrow::StructArray&>(values);
    for (int i = 0; i < parent.num_fields(); ++i) {
      const std::string member = path + "." + parent.struct_type()->field(i)->name();
      AddMisleading(member, *parent.field(i), selection, found);
    }
  } else if (BoundsMislead(values, selection.positions(), selection.count())) {
    found->insert(path);
  }
}

}  // namespace

ColumnPaths MisleadingColumns(const Selection& selection) {
  ColumnPaths found;
  for (int i = 0; i < selection.rows().num_columns(); ++i) {
    AddMisleading(selection.rows().column_name(i), *selection.rows().column(i), selection, &found);
  }
  return found;
}

Encodings::Encodings() {
  chosen_.max_row_group_length(kRowGroupRows)->created_by("ShopStream")->disable_dictionary();
}

Result<Encodings> Encodings::For(const Selection& selection) {
  Encodings encodings;
  const int64_t rows = selection.rows().num_rows();
  if (rows > 0) {
    encodings.bytes_per_row_ = static_cast<double>(arrow::util::TotalBufferSize(selection.rows())) /
                               static_cast<double>(rows);
  }
  for (int i = 0; i < selection.rows().num_columns(); ++i) {
    ARROW_RETURN_NOT_OK(encodings.Choose(selection, i));
  }
  return encodings;
}

// Encodings that readers have known for years: differences for what tends to grow, lengths apart
// from bytes for texts.
Status Encodings::Choose(const Selection& selection, int column) {
  const std::string& name = selection.rows().column_name(column);
  const arrow::Array& values = *selection.rows().column(column);
  switch (values.type_id()) {
    case arrow::Type::BOOL:
      return Status::OK();
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      VisitLeaves(name, *values.type(), false,
                  [this](const std::string& leaf, const arrow::DataType& type, bool is_item) {
                    // The encoder gives it up where the values do not repeat.
                    chosen_.enable_dictionary(leaf);
                    if (is_item && arrow::is_floating(type.id())) chosen_.disable_statistics(leaf);
                  });
      return Status::OK();
    case arrow::Type::DICTIONARY: {
      const auto& encoded = checked_cast<const arrow::DictionaryArray&>(values);
      chosen_.enable_dictionary(name);
      // Nothing is left to compress where all indices are equal: they are one run.
      if (encoded.dictionary()->length() == 1) {
        chosen_.compression(name, arrow::Compression::UNCOMPRESSED)
            ->compression_level(name, arrow::util::kUseDefaultCompressionLevel);
      }
      return Status::OK();
    }
    default:
      break;
  }
  const auto sample = Sample(selection, column);
  // A dictionary pays where values repeat. Where most are distinct, building one costs as much as
  // the rest of the encoding, and then it is given up.
  if (Repeats(sample)) {
    chosen_.enable_dictionary(name);
    return Status::OK();
  }
  switch (values.type_id()) {
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      chosen_.encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
      return Status::OK();
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      chosen_.encoding(name, parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY);
      if (selection.count() < kTrialRows) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool fast, FastIsAsGood(sample));
      if (fast) random_.insert(name);
      return Status::OK();
    }
    default:
      return Status::OK();
  }
}

std::shared_ptr<parquet::WriterProperties> Encodings::Properties(int64_t rows,
                                                                 const ColumnPaths& unbounded,
                                                                 arrow::MemoryPool* pool) const {
  parquet::WriterProperties::Builder builder = chosen_;
  builder.memory_pool(pool);
  for (const std::string& column : unbounded) builder.disable_statistics(column);
  if (rows < kMinZstdRows && static_cast<double>(rows) * bytes_per_row_ < kMinZstdBytes) {
    builder.compression(arrow::Compression::SNAPPY);
    return builder.build();
  }
  builder.compression(arrow::Compression::ZSTD)->compression_level(kZstdLevel);
  for (const std::string& column : random_) builder.codec_options(column, FastZstd());
  return builder.build();
}

}  // namespace shopstream::lake
