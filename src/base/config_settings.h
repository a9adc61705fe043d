#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/config.h"
#include "base/status.h"

// The table of settings. Only it knows them: parsing, checks, help and the names of the environment
// variables come from it.
namespace shopstream {

enum class TextForm {
  kAny,
  kRequired,
  kListen,
  kListenOrOff,
  kHttpUrl,
  kHttpUrlOrNone,
  kTable,
  kPathOrNone,  // Names of fields with dots between them: payload.ts_ms.
};

struct TextField {
  std::string& (*in)(Config&);
  TextForm form = TextForm::kRequired;
};

struct NumberField {
  int64_t& (*in)(Config&);
  int64_t least, most;
};

enum class ListForm { kAny, kPaths, kWideDecimals };

// Separated by commas, or a list in the file. Empty: no values.
struct ListField {
  std::vector<std::string>& (*in)(Config&);
  ListForm form = ListForm::kAny;
};

struct SwitchField {
  bool& (*in)(Config&);
};

struct ChoiceField {
  std::string& (*in)(Config&);
  std::vector<std::string> choices;
};

// A file with the value of another setting, which is secret. Setting it reads the file, without the
// line end at its end; nothing keeps the path. Errors never show what is in the file.
struct SecretFileField {
  std::string& (*in)(Config&);
};

// A calendar date, as days since 1970-01-01.
struct DateField {
  int32_t& (*in)(Config&);
};

struct Setting {
  const char* key;
  std::variant<TextField, NumberField, ListField, SwitchField, ChoiceField, DateField,
               SecretFileField>
      field;
  const char* meaning;

  bool is_list() const { return std::holds_alternative<ListField>(field); }
};

std::span<const Setting> AllSettings();
// "kafka.bootstrap_servers" -> "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS"
std::string EnvironmentName(std::string_view key);
// Null: there is none.
const Setting* FindSetting(std::string_view key);

// Invalid: the value has the wrong form or is out of bounds; the message omits the key.
Status SetSetting(const Setting& setting, const std::string& value, Config* config);
// The value, as SetSetting reads it; "" for a file with a secret.
std::string SettingText(const Setting& setting, Config& config);

}  // namespace shopstream
