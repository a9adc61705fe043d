#include "console/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/error_kind.h"
#include "base/runtime.h"
#include "console/temporary_folder_testing.h"

namespace shopstream::console {
namespace {

using ::testing::HasSubstr;

Result<ChildOutput> RunProgram(const std::vector<std::string>& words,
                               const ChildLimits& limits = {}, bool stop = false) {
  return RunChild(words, limits, [stop] { return stop; });
}
Result<ChildOutput> RunScript(const std::string& script, const ChildLimits& limits = {}) {
  return RunProgram({"/bin/sh", "-c", script}, limits);
}

TEST(ChildProcessTest, NoShellReadsTheArguments) {
  const auto done = RunProgram({"/usr/bin/printf", "%s|", "a b", "$(id)", "; ls", "*", ""});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->out, "a b|$(id)|; ls|*||");
}

TEST(ChildProcessTest, ReturnsWhatItWroteAndHowItEnded) {
  const auto failed = RunScript("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(failed.ok()) << failed.status();
  EXPECT_EQ(failed->out, "out\n");
  EXPECT_EQ(failed->err, "err\n");
  EXPECT_EQ(failed->exit_code, 3);
  EXPECT_EQ(RunScript("kill -9 $$").ValueOrDie().exit_code, 128 + SIGKILL);
  EXPECT_EQ(RunScript("cat").ValueOrDie().out, "");  // Its input is empty.
}

TEST(ChildProcessTest, ReadsMoreThanAPipeHolds) {
  const auto done = RunScript("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2");
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->out.size(), 1'000'000U);
  EXPECT_EQ(done->err.size(), 1'000'000U);
}

TEST(ChildProcessTest, InheritsNoOpenFile) {
  const int open_here = ::fcntl(STDERR_FILENO, F_DUPFD, 200);
  ASSERT_GE(open_here, 200);
  const auto done = RunScript("ls /proc/self/fd");
  ::close(open_here);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->out.find(std::to_string(open_here)), std::string::npos) << done->out;
}

TEST(ChildProcessTest, InterruptsOneThatTakesTooLong) {
  const auto late = RunScript("trap 'echo cleared > /dev/null; exit 1' INT; sleep 300 & wait",
                              {.time = Millis{100}});
  ASSERT_FALSE(late.ok());
  EXPECT_TRUE(IsUnavailable(late.status()));
  EXPECT_THAT(late.status().message(), HasSubstr("longer than 100 ms"));
}

TEST(ChildProcessTest, KillsWhatItStarted) {
  const TemporaryFolder folder;
  const std::string held = folder.path() / "held";
  // A shell's background process ignores SIGINT.
  ASSERT_FALSE(
      RunScript("exec 9>" + held + "; flock 9; sleep 300 & wait", {.time = Millis{200}}).ok());
  const int file = ::open(held.c_str(), O_RDWR);
  ASSERT_GE(file, 0);
  bool is_free = false;
  for (int i = 0; i < 10'000 && !is_free; ++i) {
    is_free = ::flock(file, LOCK_EX | LOCK_NB) == 0;
    if (!is_free) Sleep(Millis{1});
  }
  ::close(file);
  EXPECT_TRUE(is_free);
}

TEST(ChildProcessTest, DoesNotWaitForWhatOutlivesTheProgram) {
  const auto done = RunScript("sleep 300 & echo $!", {.time = Millis{60'000}});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(::kill(std::stoi(done->out), SIGKILL), 0);
}

TEST(ChildProcessTest, StopsOneThatWritesTooMuchOrIsNoLongerWanted) {
  const auto loud = RunProgram({"/usr/bin/yes"}, {.output_bytes = 1000});
  EXPECT_EQ(KindOf(loud.status()), ErrorKind::kCorrupt);
  const auto unwanted = RunProgram({"/usr/bin/yes"}, {.output_bytes = 1 << 30}, true);
  EXPECT_TRUE(IsUnavailable(unwanted.status())) << unwanted.status();
}

TEST(ChildProcessTest, LetsItCleanUpForTheGrace) {
  const TemporaryFolder folder;
  const std::string cleaned = folder.path() / "cleaned";
  // While it cleans up, it writes more than pipes hold.
  const std::string script = "trap 'head -c 3000000 /dev/zero; touch " + cleaned +
                             "; exit 1' INT; while :; do sleep 0.01; done";
  ASSERT_FALSE(RunScript(script, {.time = Millis{100}, .grace = Millis{60'000}}).ok());
  EXPECT_TRUE(std::filesystem::exists(cleaned));
  // What ignores SIGINT is killed after it.
  EXPECT_FALSE(RunScript("trap '' INT; yes", {.time = Millis{50}, .grace = Millis{50}}).ok());
}

TEST(ChildProcessTest, NamesAProgramThatCannotBeRun) {
  const auto missing = RunProgram({"/no/such/program", "x"});
  EXPECT_EQ(KindOf(missing.status()), ErrorKind::kInvalid);
  EXPECT_THAT(missing.status().message(), HasSubstr("/no/such/program"));
}

}  // namespace
}  // namespace shopstream::console
