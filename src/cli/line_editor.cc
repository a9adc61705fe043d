#include "cli/line_editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <utility>
#include <vector>

#include "base/shutdown.h"

namespace shopstream::cli {
namespace {

constexpr int kRemembered = 1000;
constexpr int kPauseMs = 50;

// What all the words begin with, whatever their case.
std::string CommonBeginning(const std::vector<std::string>& words) {
  std::string common = words.front();
  for (const std::string& word : words) {
    const auto differ = std::ranges::mismatch(common, word, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    });
    common.erase(differ.in1, common.end());
  }
  return common;
}

}  // namespace

struct LineEditor::Terminal {
  explicit Terminal(Options given) : options(std::move(given)) {}

  static Terminal& Of(EditLine* editor) {
    void* terminal = nullptr;
    el_get(editor, EL_CLIENTDATA, &terminal);
    return *static_cast<Terminal*>(terminal);
  }
  static char* OnPrompt(EditLine* editor) { return Of(editor).prompt.data(); }
  static int OnRead(EditLine* editor, wchar_t* sign) { return Of(editor).ReadSign(sign); }
  static unsigned char OnTab(EditLine* editor, int) { return Of(editor).CompleteWord(); }

  int ReadSign(wchar_t* sign);
  unsigned char CompleteWord();

  const Options options;
  std::string prompt;
  bool interrupted = false;
  std::unique_ptr<EditLine, void (*)(EditLine*)> editor{nullptr, &el_end};
  std::unique_ptr<History, void (*)(History*)> history{nullptr, &history_end};
};

// As libedit calls it: 1 for a sign, 0 at the end, -1 for an error.
int LineEditor::Terminal::ReadSign(wchar_t* sign) {
  std::mbstate_t state{};
  while (!ShutdownRequested()) {
    if (options.interrupted()) {
      interrupted = true;
      return -1;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kPauseMs) <= 0) continue;
    char byte = 0;
    const ssize_t size = read(STDIN_FILENO, &byte, 1);
    if (size == 0) return 0;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return -1;
    const size_t used = std::mbrtowc(sign, &byte, 1, &state);
    if (used <= 1) return 1;
    if (used == static_cast<size_t>(-1)) state = {};  // No sign of this encoding: left out.
  }
  return 0;
}

unsigned char LineEditor::Terminal::CompleteWord() {
  const LineInfo* const line = el_line(editor.get());
  const sql::Completions found =
      options.complete(std::string(line->buffer, static_cast<size_t>(line->cursor - line->buffer)));
  if (found.words.empty()) return CC_REFRESH_BEEP;
  std::string common = CommonBeginning(found.words);
  if (found.words.size() == 1) common += ' ';
  if (common.size() > found.typed) {
    // Names are replaced as a whole: they get the case that they have in the lake.
    el_deletestr(editor.get(), static_cast<int>(found.typed));
    return el_insertstr(editor.get(), common.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }
  std::fputc('\n', stdout);
  for (const std::string& word : found.words) std::fprintf(stdout, "%s  ", word.c_str());
  std::fputc('\n', stdout);
  std::fflush(stdout);
  return CC_REDISPLAY;
}

LineEditor::LineEditor(std::unique_ptr<Terminal> terminal) : terminal_(std::move(terminal)) {}
LineEditor::~LineEditor() = default;

Result<std::unique_ptr<LineEditor>> LineEditor::Open(Options options) {
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  auto terminal = std::make_unique<Terminal>(std::move(options));
  terminal->editor.reset(el_init("shopstream", stdin, stdout, stderr));
  terminal->history.reset(history_init());
  EditLine* const editor = terminal->editor.get();
  if (editor == nullptr || terminal->history == nullptr) {
    return Status::IOError("the terminal does not allow to edit lines; ask with -f -");
  }
  el_set(editor, EL_CLIENTDATA, terminal.get());
  el_set(editor, EL_PROMPT, &Terminal::OnPrompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_SIGNAL, 0);
  el_set(editor, EL_GETCFN, &Terminal::OnRead);
  el_set(editor, EL_ADDFN, "shopstream-complete", "Complete a name", &Terminal::OnTab);
  el_set(editor, EL_BIND, "^I", "shopstream-complete", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  HistEvent event;
  history(terminal->history.get(), &event, H_SETSIZE, kRemembered);
  history(terminal->history.get(), &event, H_SETUNIQUE, 1);
  el_set(editor, EL_HIST, &history, terminal->history.get());
  el_source(editor, nullptr);  // ~/.editrc, if there is one.
  const std::string& file = terminal->options.history_file;
  if (!file.empty()) history(terminal->history.get(), &event, H_LOAD, file.c_str());
  return std::unique_ptr<LineEditor>(new LineEditor(std::move(terminal)));
}

LineEditor::Outcome LineEditor::Read(const std::string& prompt, std::string* line) {
  terminal_->prompt = prompt;
  terminal_->interrupted = false;
  el_resize(terminal_->editor.get());
  // Before the prompt is seen: a Ctrl-D typed in the mode of whole lines would be lost.
  el_set(terminal_->editor.get(), EL_PREP_TERM, 1);
  int size = 0;
  const char* const text = el_gets(terminal_->editor.get(), &size);
  if (terminal_->interrupted) {
    std::fputs("^C\n", stdout);
    std::fflush(stdout);
    return Outcome::kInterrupted;
  }
  if (text == nullptr || size <= 0) return Outcome::kEnd;
  line->assign(text, static_cast<size_t>(size));
  if (line->ends_with('\n')) line->pop_back();
  return Outcome::kLine;
}

Status LineEditor::Remember(const std::string& text) {
  HistEvent event;
  history(terminal_->history.get(), &event, H_ENTER, text.c_str());
  const std::string& file = terminal_->options.history_file;
  if (file.empty()) return Status::OK();
  // It is made here, so that nobody else can ever read it.
  const int made = open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (made < 0) return Status::IOError("cannot write ", file, ": ", std::strerror(errno));
  close(made);
  if (history(terminal_->history.get(), &event, H_SAVE, file.c_str()) < 0) {
    return Status::IOError("cannot write ", file);
  }
  return Status::OK();
}

}  // namespace shopstream::cli
