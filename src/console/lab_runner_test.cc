#include "console/lab_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/runtime.h"
#include "console/temporary_folder_testing.h"

namespace shopstream::console {
namespace {

using ::testing::HasSubstr;

// A program in the place of labs/lab.py; its arguments are --json and the words.
class LabRunnerTest : public ::testing::Test {
 protected:
  LabRunnerTest() {
    std::ofstream(script_) << R"(case "$2" in
      list) echo "{\"words\": \"$*\"}";;
      refuse) echo '{"error": {"kind": "invalid", "message": "predict first"}}'; exit 1;;
      away) echo '{"error": {"kind": "unavailable", "message": "no broker"}}'; exit 1;;
      fail) echo '{}'; echo 'Traceback: it broke' >&2; exit 1;;
      babble) echo 'no JSON';;
      wait) touch "$3/started"; read line < "$3/gate"; echo '{"waited": true}';;
    esac
)";
  }

  static void Await(const std::filesystem::path& path) {
    for (int i = 0; i < 10'000 && !std::filesystem::exists(path); ++i) Sleep(Millis{1});
  }

  TemporaryFolder folder_;
  const std::string script_ = folder_.path() / "labs.sh";
  LabRunner runner_{{"/bin/sh", script_}};
};

TEST_F(LabRunnerTest, AsksForJson) {
  EXPECT_TRUE(runner_.exists());
  EXPECT_FALSE(LabRunner({}).exists());
  const auto answer = runner_.Read({"list", "7"});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(DumpJson(*answer), R"({"words":"--json list 7"})");
}

TEST_F(LabRunnerTest, AnErrorKeepsItsKind) {
  const auto refused = runner_.Act({"refuse"});
  EXPECT_EQ(KindOf(refused.status()), ErrorKind::kInvalid);
  EXPECT_EQ(refused.status().message(), "predict first");
  EXPECT_TRUE(IsUnavailable(runner_.Act({"away"}).status()));
}

TEST_F(LabRunnerTest, AFailureShowsItsLastWords) {
  for (const auto& [command, words] :
       {std::pair("fail", "Traceback: it broke"), std::pair("babble", "no JSON")}) {
    const auto failed = runner_.Read({command});
    EXPECT_TRUE(IsUnavailable(failed.status())) << failed.status();
    EXPECT_THAT(failed.status().message(), HasSubstr(words));
  }
}

TEST_F(LabRunnerTest, OneActAndOneLookAtATimeAndReadsMeanwhile) {
  std::filesystem::create_directory(folder_.path() / "look");
  for (const char* gate : {"gate", "look/gate"}) {
    ASSERT_EQ(::mkfifo((folder_.path() / gate).c_str(), 0600), 0);
  }
  std::thread first([this] {
    const auto done = runner_.Act({"wait", folder_.path()});
    EXPECT_TRUE(done.ok() && done->at("waited") == true) << done.status();
  });
  Await(folder_.path() / "started");
  std::thread look([this] {
    const auto done = runner_.Look({"wait", folder_.path() / "look"});
    EXPECT_TRUE(done.ok() && done->at("waited") == true) << done.status();
  });
  Await(folder_.path() / "look/started");
  const auto second = runner_.Act({"list"});
  EXPECT_TRUE(IsUnavailable(second.status())) << second.status();
  EXPECT_TRUE(IsUnavailable(runner_.Look({"list"}).status()));
  EXPECT_TRUE(runner_.Read({"list"}).ok());
  std::ofstream(folder_.path() / "gate") << "go\n";
  std::ofstream(folder_.path() / "look/gate") << "go\n";
  first.join();
  look.join();
  EXPECT_TRUE(runner_.Act({"list"}).ok());
}

}  // namespace
}  // namespace shopstream::console
