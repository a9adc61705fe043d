#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "backup/copy.h"
#include "base/clock.h"
#include "base/format.h"
#include "base/progress_line.h"

namespace shopstream::cli {

// Shows "backup create: 3 of 10 files, 1.0 MiB of 5.0 MiB".
class CopyLine {
 public:
  explicit CopyLine(std::string job)
      : job_(std::move(job)), line_({Millis{200}, Millis{10'000}}, BootClock::now()) {}
  ~CopyLine() { line_.End(); }

  void Show(const backup::CopyProgress& progress) {
    const auto now = BootClock::now();
    if (!line_.IsDue(now)) return;
    line_.Show(fmt::format("{}: {} of {}, {} of {}", job_, FormatCount(progress.files),
                           Counted(progress.of_files, "file"), FormatBytes(progress.bytes),
                           FormatBytes(progress.of_bytes)),
               now);
  }

 private:
  const std::string job_;
  ProgressLine line_;
};

}  // namespace shopstream::cli
