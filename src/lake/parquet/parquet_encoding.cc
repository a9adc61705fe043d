#include "lake/parquet/parquet_encoding.h"

#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "lake/parquet/value_facts.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;

constexpr int kZstdLevel = 1;
// Enough to tell ids from categories.
constexpr int64_t kSampleRows = 4096;
// From this number of rows on, a better choice saves more time than the trial costs.
constexpr int64_t kTrialRows = 16 * kSampleRows;

// The bytes of a fixed-width or variable-width value; empty for other types.
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

// A sample of values spread over the whole column, without nulls.
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

size_t CountDistinct(const std::vector<std::string_view>& sample) {
  return std::unordered_set<std::string_view>(sample.begin(), sample.end()).size();
}

// zstd with little search for repetition, but still with entropy coding of the bytes.
std::shared_ptr<arrow::util::CodecOptions> FastZstd() {
  constexpr int kTargetLength = 106;  // For the fast strategy: the step size.
  constexpr int kLiterals = 1002;     // 1: always compress them.
  auto options = std::make_shared<arrow::util::ZstdCodecOptions>();
  options->compression_level = kZstdLevel;
  options->compression_context_params = {{kTargetLength, 64}, {kLiterals, 1}};
  return options;
}

// Random ids have no repetition to find, so the fast options produce the same size for half the
// work. Tries both on the sample to decide.
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

// If all values are equal, nothing is left to compress: the indices are a single run.
Status UseDictionary(const std::string& name, int64_t distinct,
                     parquet::WriterProperties::Builder* builder) {
  builder->enable_dictionary(name);
  if (distinct == 1) {
    builder->compression(name, arrow::Compression::UNCOMPRESSED)
        ->compression_level(name, arrow::util::kUseDefaultCompressionLevel);
  }
  return Status::OK();
}

// Uses only encodings that all readers of recent years support: deltas for values that tend to
// increase, lengths separate from bytes for text.
Status ChooseEncoding(const Selection& selection, int column,
                      parquet::WriterProperties::Builder* builder) {
  const std::string& name = selection.rows().column_name(column);
  switch (selection.rows().column(column)->type_id()) {
    case arrow::Type::BOOL:
      return Status::OK();
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      VisitLeaves(name, *selection.rows().column(column)->type(), false,
                  [builder](const std::string& leaf, const arrow::DataType& type, bool is_item) {
                    // The encoder falls back automatically if the values do not repeat.
                    builder->enable_dictionary(leaf);
                    if (is_item && arrow::is_floating(type.id())) builder->disable_statistics(leaf);
                  });
      return Status::OK();
    case arrow::Type::DICTIONARY:  // Its maker has built it already.
      return UseDictionary(
          name,
          checked_cast<const arrow::DictionaryArray&>(*selection.rows().column(column))
              .dictionary()
              ->length(),
          builder);
    default:
      break;
  }
  const auto sample = Sample(selection, column);
  const size_t distinct = CountDistinct(sample);
  // A dictionary pays off if values repeat. If most are distinct, building one costs as much as the
  // rest of the encoding, and the encoder then abandons it.
  if (distinct * 2 <= sample.size()) {
    return UseDictionary(name, static_cast<int64_t>(distinct), builder);
  }
  switch (selection.rows().column(column)->type_id()) {
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      builder->encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
      return Status::OK();
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      builder->encoding(name, parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY);
      if (selection.count() < kTrialRows) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool fast, FastIsAsGood(sample));
      if (fast) builder->codec_options(name, FastZstd());
      return Status::OK();
    }
    default:
      return Status::OK();
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
  chosen_.compression(arrow::Compression::ZSTD)
      ->compression_level(kZstdLevel)
      ->max_row_group_length(kRowGroupRows)
      ->created_by("ShopStream")
      ->disable_dictionary();
}

Result<Encodings> Encodings::For(const Selection& selection) {
  Encodings encodings;
  for (int i = 0; i < selection.rows().num_columns(); ++i) {
    ARROW_RETURN_NOT_OK(ChooseEncoding(selection, i, &encodings.chosen_));
  }
  return encodings;
}

std::shared_ptr<parquet::WriterProperties> Encodings::Properties(const ColumnPaths& unbounded,
                                                                 arrow::MemoryPool* pool) const {
  parquet::WriterProperties::Builder builder = chosen_;
  builder.memory_pool(pool);
  for (const std::string& column : unbounded) builder.disable_statistics(column);
  return builder.build();
}

}  // namespace shopstream::lake
