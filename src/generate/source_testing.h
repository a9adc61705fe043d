#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "generate/recorded_source.h"
#include "generate/uuid.h"
#include "model/purchase_event.h"

// Files of sales, and the events that a mapping makes of them.
namespace shopstream::generate {

inline constexpr const char* kEvent = R"(
joins:
  items: {file: items.csv, key: number, on: item}
event:
  event_id: {uuid5: "{basket}/{item}", namespace: 6ba7b811-9dad-11d1-80b4-00c04fd430c8}
  user_id: {column: customer}
  region: {column: shop, modulo: 3, values: {0: US, 1: EU, 2: ASIA}}
  product_id: {column: item}
  product_name: {text: ["{items.name} {items.size}", "{items.name}", "Item {item}"], case: title}
  quantity: {column: pieces}
  amount: {column: paid}
  currency: {field: region, values: {US: USD, EU: EUR, ASIA: JPY}}
  timestamp: {column: bought_at}
)";

inline constexpr const char* kItems = "number,name,size\n1,GREEN TEA,40 CT\n2,SALT/PEPPER,\n3,,\n";

inline constexpr const char* kHeader = "basket,item,customer,shop,pieces,paid,bought_at\n";
inline constexpr const char* kSales =
    "7,1,100,3,1,2.5,2025-10-24T12:00:00\n"
    "7,2,100,4,0,-1.25,2025-10-24 12:00:00\n"
    "8,3,101,5,89638,0,2025-10-24T12:00:05Z\n"
    "9,4,102,-1,2,10,2025-10-24T14:00:06+02:00\n";

// Files in a separate folder, and the events read from them.
class RecordedSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "recorded.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    Write("items.csv", kItems);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }
  void WriteSales(const std::string& lines) const { Write("sales.csv", kHeader + lines); }

  Result<std::unique_ptr<EventSource>> Open(const RecordedOptions& options = {},
                                            const std::string& event = kEvent,
                                            const std::string& file = "sales.csv") {
    ARROW_ASSIGN_OR_RAISE(const SourceMapping mapping,
                          ParseSourceMapping("file: " + file + event, Path("sales.yaml")));
    return OpenRecordedSource(mapping, options, [this] { return now_; });
  }

  // Every row as text, column by column.
  static void AppendRows(const arrow::RecordBatch& batch, std::vector<std::string>* rows) {
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      std::string text;
      for (const auto& column : batch.columns()) {
        text += (text.empty() ? "" : "|") + column->GetScalar(row).ValueOrDie()->ToString();
      }
      rows->push_back(text);
    }
  }

  Result<std::vector<std::string>> ReadAll(EventSource* source, int64_t max_rows = 1000) {
    std::vector<std::string> rows;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const EventBatch batch, source->Next(max_rows));
      if (batch.rows == nullptr) return rows;
      EXPECT_TRUE(batch.rows->schema()->Equals(*PurchaseEventSchema()));
      EXPECT_TRUE(batch.rows->ValidateFull().ok());
      AppendRows(*batch.rows, &rows);
    }
  }

  Result<std::vector<std::string>> ReadAll() {
    ARROW_ASSIGN_OR_RAISE(auto source, Open());
    return ReadAll(source.get());
  }

  std::string ErrorOf(const std::string& event = kEvent) {
    auto source = Open({}, event);
    const Status status = source.ok() ? ReadAll(source->get()).status() : source.status();
    EXPECT_TRUE(status.IsInvalid() || status.IsIOError()) << status;
    return status.message();
  }

  std::string folder_;
  int64_t now_ = 0;
};

inline std::string IdOf(const std::string& name) {
  return ToString(MakeUuidV5({0x6ba7b8119dad11d1, 0x80b400c04fd430c8}, name));
}

}  // namespace shopstream::generate
