#include "base/text_file.h"

#include <arrow/buffer.h>
#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/file.h>
#include <arrow/type.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace shopstream {
namespace {

// The reader reads dozens of blocks ahead. A value must fit in one block, as it must in a Kafka
// message.
constexpr int32_t kBlockBytes = 1 << 20;
constexpr int64_t kMaxHeaderBytes = 1 << 20;

Result<Encoding> EncodingOf(const std::string& path, const FileFormat& format) {
  if (format.encoding) return *format.encoding;
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(const auto start, file->Read(2));
  const auto mark = static_cast<std::string_view>(*start);
  return mark == "\xff\xfe" || mark == "\xfe\xff" ? Encoding::kUtf16 : Encoding::kUtf8;
}

Result<std::shared_ptr<arrow::io::InputStream>> OpenText(const std::string& path,
                                                         Encoding encoding) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  return ToUtf8(std::move(file), encoding);
}

// Passes a text through, and fails at its end if a quote is still open: the parser would treat the
// rest of the file as one value.
class QuoteWatch : public arrow::io::InputStream {
 public:
  QuoteWatch(std::shared_ptr<arrow::io::InputStream> text, char delimiter, char quote)
      : text_(std::move(text)), delimiter_(delimiter), quote_(quote) {}

  Status Close() override { return text_->Close(); }
  bool closed() const override { return text_->closed(); }
  Result<int64_t> Tell() const override { return text_->Tell(); }
  Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, text_->Read(bytes, out));
    ARROW_RETURN_NOT_OK(Watch({static_cast<const char*>(out), static_cast<size_t>(read)}, bytes));
    return read;
  }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, text_->Read(bytes));
    ARROW_RETURN_NOT_OK(Watch(static_cast<std::string_view>(*buffer), bytes));
    return buffer;
  }

 private:
  Status Watch(std::string_view text, int64_t asked) {
    for (size_t at = text.find(quote_); at != text.npos; at = text.find(quote_, at + 1)) {
      const char before = at > 0 ? text[at - 1] : last_;
      // A quote right after a closing one is a doubled one.
      const bool opens = before == delimiter_ || before == '\n' || before == '\r' ||
                         (before == quote_ && closed_by_last_);
      closed_by_last_ = quoted_;
      quoted_ = !quoted_ && opens;
    }
    if (!text.empty()) last_ = text.back();
    if (text.empty() && asked > 0 && quoted_) return Status::Invalid(kUnclosedQuote);
    return Status::OK();
  }

  const std::shared_ptr<arrow::io::InputStream> text_;
  const char delimiter_, quote_;
  bool quoted_ = false;
  bool closed_by_last_ = false;  // The last quote closed a value.
  char last_ = '\n';
};

// The values of the text's first line.
std::vector<std::string> SplitLine(std::string_view text, char delimiter,
                                   std::optional<char> quote) {
  std::vector<std::string> values(1);
  bool quoted = false, at_start = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      const bool doubled = c == quote && i + 1 < text.size() && text[i + 1] == quote;
      if (doubled) ++i;
      if (c == quote && !doubled) {
        quoted = false;
      } else {
        values.back() += c;
      }
      continue;
    }
    if (c == '\n' || c == '\r') break;
    if (c == delimiter) {
      values.emplace_back();
    } else if (at_start && c == quote) {
      quoted = true;
    } else {
      values.back() += c;
    }
    at_start = c == delimiter;
  }
  return values;
}

bool HasAll(const std::vector<std::string>& columns, const std::vector<std::string>& needed) {
  return std::all_of(needed.begin(), needed.end(), [&](const std::string& column) {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  });
}

arrow::csv::ParseOptions ParseOptionsOf(const FileFormat& format,
                                        std::shared_ptr<UnevenLines> uneven) {
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = format.delimiter.value_or(',');
  parse.quoting = format.quote.has_value();
  parse.quote_char = format.quote.value_or('"');
  parse.newlines_in_values = parse.quoting;
  parse.invalid_row_handler = [uneven = std::move(uneven), skips_short = format.skip_short_lines,
                               skips_long =
                                   format.skip_long_lines](const arrow::csv::InvalidRow& row) {
    const UnevenLine line = {row.number - 1, row.actual_columns, row.expected_columns};
    const bool skip = line.values < line.expected ? skips_short : skips_long;
    (skip ? uneven->skipped : uneven->refused).push_back(line);
    return skip ? arrow::csv::InvalidRowResult::Skip : arrow::csv::InvalidRowResult::Error;
  };
  return parse;
}

}  // namespace

Result<TextHeader> ReadTextHeader(const std::string& path, const FileFormat& format,
                                  const std::vector<std::string>& needed) {
  TextHeader header{.format = format, .columns = {}};
  ARROW_ASSIGN_OR_RAISE(header.format.encoding, EncodingOf(path, format));
  ARROW_ASSIGN_OR_RAISE(const auto stream, OpenText(path, *header.format.encoding));
  ARROW_ASSIGN_OR_RAISE(const auto start, stream->Read(kMaxHeaderBytes));
  auto text = static_cast<std::string_view>(*start);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
  if (text.empty()) return Status::Invalid("it is empty");
  const std::string delimiters =
      format.delimiter ? std::string(1, *format.delimiter) : std::string(",;\t|");
  for (const char delimiter : delimiters) {
    auto columns = SplitLine(text, delimiter, format.quote);
    const bool complete = HasAll(columns, needed);
    if (!complete && columns.size() <= header.columns.size()) continue;
    header.format.delimiter = delimiter;
    header.columns = std::move(columns);
    if (complete) break;
  }
  return header;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadTextRows(
    const std::string& path, const FileFormat& format, const std::vector<std::string>& columns,
    std::shared_ptr<UnevenLines> uneven) {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenText(path, format.encoding.value_or(Encoding::kUtf8)));
  if (format.quote) {
    stream = std::make_shared<QuoteWatch>(std::move(stream), format.delimiter.value_or(','),
                                          *format.quote);
  }
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;  // Only then are the lines numbered.
  read.block_size = kBlockBytes;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.include_columns = columns;
  convert.strings_can_be_null = true;
  convert.null_values = format.nulls.value_or(std::vector<std::string>{""});
  // Not utf8: the reader's message about invalid UTF-8 does not name the row.
  for (const std::string& column : columns) convert.column_types[column] = arrow::binary();
  return arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), stream, read,
                                           ParseOptionsOf(format, std::move(uneven)), convert);
}

}  // namespace shopstream
