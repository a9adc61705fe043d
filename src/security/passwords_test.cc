#include "security/passwords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace shopstream::security {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class PasswordsTest : public testing::Test {
 protected:
  PasswordsTest() {
    std::string name = testing::TempDir() + "passwords-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~PasswordsTest() override { fs::remove_all(folder_); }

  static unsigned ModeOf(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  }
  void Write(const std::string& user, const std::string& text, mode_t mode = 0600) {
    std::ofstream(passwords_().PathOf(user)) << text;
    ASSERT_EQ(chmod(passwords_().PathOf(user).c_str(), mode), 0);
  }
  Passwords passwords_() const { return Passwords(folder_); }

  fs::path folder_;
};

TEST_F(PasswordsTest, OneIsCreatedForItsOwnerOnly) {
  const Passwords passwords(folder_ / "new" / "secrets");
  EXPECT_FALSE(passwords.Find("ingest").ValueOrDie());
  const std::string password = passwords.Create("ingest").ValueOrDie();
  EXPECT_EQ(password.size(), 32u);
  EXPECT_EQ(passwords.PathOf("ingest"), folder_ / "new/secrets/ingest.password");
  EXPECT_EQ(ModeOf(passwords.PathOf("ingest")), 0600u);
  EXPECT_EQ(ModeOf(folder_ / "new/secrets"), 0700u);
  EXPECT_EQ(passwords.Find("ingest").ValueOrDie(), password);
  EXPECT_NE(passwords.Create("console").ValueOrDie(), password);
  size_t files = 0;
  for ([[maybe_unused]] const auto& file : fs::directory_iterator(folder_ / "new/secrets")) ++files;
  EXPECT_EQ(files, 2u) << "a draft is left over";
}

TEST_F(PasswordsTest, AnExistingOneIsKept) {
  Write("ingest", "of another process\n");
  EXPECT_EQ(passwords_().Create("ingest").ValueOrDie(), "of another process");
}

TEST_F(PasswordsTest, AFileThatOthersMayReadIsRefused) {
  Write("ingest", "a secret of mine", 0640);
  const std::string message = passwords_().Find("ingest").status().message();
  EXPECT_THAT(message, HasSubstr("chmod 600"));
  EXPECT_EQ(message.find("a secret of mine"), std::string::npos);
}

TEST_F(PasswordsTest, AnEmptyFileIsNoPassword) {
  Write("ingest", "\n");
  EXPECT_THAT(passwords_().Find("ingest").status().message(), HasSubstr("has no password"));
}

TEST_F(PasswordsTest, WhoReadsOrCreatesOneHidesItsMemory) {
  Write("ingest", "a secret");
  for (const char* user : {"ingest", "console"}) {
    ASSERT_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
    EXPECT_FALSE(passwords_().Find("absent").ValueOrDie());
    EXPECT_EQ(prctl(PR_GET_DUMPABLE), 1);
    EXPECT_TRUE(passwords_().Create(user).ok());
    EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0) << user;
  }
  ASSERT_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
  EXPECT_TRUE(passwords_().Find("ingest").ok());
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
}

}  // namespace
}  // namespace shopstream::security
