#include "cli/query_prompt.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/shutdown.h"
#include "cli/line_editor.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "sql/catalog.h"
#include "sql/completion.h"
#include "sql/sql_words.h"

namespace shopstream::cli {
namespace {

constexpr char kHelp[] =
    "Write a statement and end it with a semicolon; it may have several lines.\n"
    "  .tables          the tables\n"
    "  .schema NAME     the columns of a table\n"
    "  .timer on|off    whether the time and what was read are shown\n"
    "  .help            shows this list\n"
    "  .quit            exits, like Ctrl-D\n"
    "Tab completes names, the arrow keys find earlier statements, Ctrl-C stops a query.\n";

std::string HistoryFile() {
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.shopstream_history";
}

std::vector<std::string> WordsOf(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// One entry of the history, which has one line; empty: a comment would hide what follows it.
std::string InOneLine(const std::string& statement) {
  const bool has_lines = statement.find('\n') != std::string::npos;
  if (has_lines && statement.find("--") != std::string::npos) return "";
  std::string line = statement;
  std::ranges::replace(line, '\n', ' ');
  return line;
}

class QueryPrompt {
 public:
  QueryPrompt(const Context& context, const QueryFlags& flags,
              std::unique_ptr<lake::ObjectStore> store)
      : context_(context), flags_(flags), store_(std::move(store)) {}

  Result<int> Run() {
    ARROW_RETURN_NOT_OK(FindNames());
    ARROW_ASSIGN_OR_RAISE(
        editor_,
        LineEditor::Open({.history_file = HistoryFile(),
                          .complete = [this](const std::string& text) { return Completed(text); },
                          .interrupted = [this] { return interrupts_.Take(); }}));
    std::cout << "SQL over " << store_->Describe() << ". End statements with a semicolon; "
              << ".help shows more.\n";
    std::string line;
    while (!ended_) {
      switch (editor_->Read(text_.empty() ? "shopstream> " : "       ...> ", &line)) {
        case LineEditor::Outcome::kLine:
          Take(line);
          break;
        case LineEditor::Outcome::kInterrupted:
          text_.clear();
          break;
        case LineEditor::Outcome::kEnd:
          std::cout << '\n';
          return ShutdownRequested() ? kInterrupted : kDone;
      }
    }
    return kDone;
  }

 private:
  Status FindNames() {
    ARROW_ASSIGN_OR_RAISE(const auto catalog,
                          sql::Catalog::Open(store_.get(), context_.config, flags_.versions));
    names_ = catalog->names();
    return Status::OK();
  }

  void Take(const std::string& line) {
    if (text_.empty() && line.starts_with('.')) {
      Remember(line);
      return Command(WordsOf(line));
    }
    text_ += (text_.empty() ? "" : "\n") + line;
    if (WordsOf(text_).empty()) return text_.clear();
    if (!sql::EndsStatement(text_)) return;
    const std::string text = std::exchange(text_, "");
    Remember(InOneLine(text));
    Ask(text);
  }

  void Remember(const std::string& line) {
    if (line.empty()) return;
    const Status remembered = editor_->Remember(line);
    if (!remembered.ok() && !std::exchange(warned_, true)) {
      Log::Warn("The history is not saved: {}", remembered.message());
    }
  }

  void Command(const std::vector<std::string>& words) {
    const std::string& name = words[0];
    if (name == ".quit" || name == ".exit") {
      ended_ = true;
    } else if (name == ".tables") {
      Report(FindNames());
      for (const auto& [table, path] : names_) std::cout << table << '\n';
    } else if (name == ".schema" && words.size() == 2) {
      Ask("DESCRIBE \"" + words[1] + "\"");
    } else if (name == ".timer" && words.size() == 2 && (words[1] == "on" || words[1] == "off")) {
      timer_ = words[1] == "on";
    } else {
      if (name == ".schema" || name == ".timer") {
        std::cout << "usage: " << (name == ".schema" ? ".schema NAME" : ".timer on|off") << '\n';
        return;
      }
      if (name != ".help") std::cout << "unknown: " << name << '\n';
      std::cout << kHelp;
    }
  }

  // A statement is stopped by Ctrl-C, and then this is true until its end.
  void Ask(const std::string& text) {
    bool stopped = false;
    interrupts_.Take();
    const auto stop = [&] {
      stopped = stopped || interrupts_.Take() || ShutdownRequested();
      return stopped;
    };
    Report(RunSql(context_, flags_, store_.get(), {text, "", 1}, {.stop = stop, .footer = timer_}));
  }

  static void Report(const Status& status) {
    std::cout.flush();
    if (!status.ok()) Log::Tell(LogLevel::kError, status.message());
  }

  sql::Completions Completed(const std::string& line) {
    std::vector<std::string> tables;
    for (const auto& [name, path] : names_) tables.push_back(name);
    return sql::Complete(text_ + "\n" + line, tables,
                         [this](const std::string& table) { return ColumnsOf(table); });
  }

  // None if the table cannot be read now; a statement that names it says why.
  std::vector<std::string> ColumnsOf(const std::string& table) {
    const auto known = columns_.find(table);
    if (known != columns_.end()) return known->second;
    const auto opened = lake::OpenExisting(store_.get(), names_.at(table));
    if (!opened.ok()) return {};
    return columns_[table] = (*opened)->snapshot()->schema()->field_names();
  }

  const Context& context_;
  const QueryFlags& flags_;
  const std::unique_ptr<lake::ObjectStore> store_;
  InterruptScope interrupts_;
  std::unique_ptr<LineEditor> editor_;
  std::map<std::string, std::string> names_;                 // -> path
  std::map<std::string, std::vector<std::string>> columns_;  // Of tables that were completed.
  std::string text_;  // Of a statement that has not ended yet.
  bool timer_ = true;
  bool warned_ = false;
  bool ended_ = false;
};

}  // namespace

Result<int> RunPrompt(const Context& context, const QueryFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(auto store, lake::OpenObjectStore(context.config));
  return QueryPrompt(context, flags, std::move(store)).Run();
}

}  // namespace shopstream::cli
