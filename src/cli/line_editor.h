#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "sql/completion.h"

namespace shopstream::cli {

// Lines that a person types on the terminal, with editing, history and completion.
class LineEditor {
 public:
  struct Options {
    std::string history_file;  // Readable by its owner alone; empty: history is not kept.
    // For the text before the cursor.
    std::function<sql::Completions(const std::string&)> complete;
    std::function<bool()> interrupted;  // Asked while waiting; true ends the line.
  };
  enum class Outcome { kLine, kInterrupted, kEnd };

  static Result<std::unique_ptr<LineEditor>> Open(Options options);
  ~LineEditor();

  // `line` is without its end. kEnd: no more input comes, or a stop was requested.
  Outcome Read(const std::string& prompt, std::string* line);
  // Adds to the history, and stores it.
  Status Remember(const std::string& text);

 private:
  struct Terminal;
  explicit LineEditor(std::unique_ptr<Terminal> terminal);

  std::unique_ptr<Terminal> terminal_;
};

}  // namespace shopstream::cli
