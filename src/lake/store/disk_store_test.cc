#include "lake/store/disk_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<std::unique_ptr<ObjectStore>> OpenAt(const std::string& uri) {
  Config config;
  config.lake.uri = uri;
  return OpenObjectStore(config);
}

class DiskStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) / ("disk_store_test-" + NewUuid());
    store_ = Open();
  }
  void TearDown() override { fs::remove_all(root_); }

  std::unique_ptr<ObjectStore> Open() { return OpenAt(root_.string()).ValueOrDie(); }
  Status Put(const std::string& path, const std::string& text) {
    return store_->Put(path, *arrow::Buffer::FromString(text));
  }
  PutOutcome PutIfAbsent(const std::string& path, const std::string& text) {
    return store_->PutIfAbsent(path, *arrow::Buffer::FromString(text)).ValueOrDie();
  }
  std::string Text(const std::string& path) {
    const auto content = store_->Get(path).ValueOrDie();
    return content == nullptr ? "(none)" : content->ToString();
  }
  std::vector<std::string> Paths(const std::string& prefix, const std::string& after = "") {
    std::vector<std::string> paths;
    for (const auto& entry : store_->List(prefix, after).ValueOrDie()) paths.push_back(entry.path);
    return paths;
  }
  std::vector<fs::path> TemporaryFiles() {
    std::vector<fs::path> files;
    if (fs::exists(root_ / ".tmp")) {
      for (const auto& entry : fs::directory_iterator(root_ / ".tmp")) {
        files.push_back(entry.path());
      }
    }
    return files;
  }
  static void MakeOld(const fs::path& path) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }

  fs::path root_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(DiskStoreTest, WhatIsPutIsThere) {
  ASSERT_TRUE(Put("t/region=US/a.parquet", "one").ok());
  EXPECT_EQ("one", Text("t/region=US/a.parquet"));
  ASSERT_TRUE(Put("t/region=US/a.parquet", "two").ok());
  EXPECT_EQ("two", Text("t/region=US/a.parquet"));
  EXPECT_EQ("(none)", Text("t/region=US/b.parquet"));
  EXPECT_EQ("(none)", Text("t/region=US/a.parquet/below"));
  const auto entries = store_->List("t/").ValueOrDie();
  ASSERT_EQ(1U, entries.size());
  EXPECT_EQ(3, entries[0].size_bytes);
  EXPECT_GT(entries[0].modified_ms, 1'600'000'000'000);
}

TEST_F(DiskStoreTest, PutIfAbsentNeverReplaces) {
  EXPECT_EQ(PutOutcome::kCreated, PutIfAbsent("log/0.json", "first"));
  EXPECT_EQ(PutOutcome::kExists, PutIfAbsent("log/0.json", "second"));
  EXPECT_EQ("first", Text("log/0.json"));
  EXPECT_THAT(TemporaryFiles(), IsEmpty());
}

TEST_F(DiskStoreTest, OfManyWritersOneCreates) {
  std::atomic<int> created = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      const auto own = Open();
      for (int v = 0; v < 10; ++v) {
        const auto text = arrow::Buffer::FromString(std::to_string(i));
        created += own->PutIfAbsent("log/" + std::to_string(v), *text) == PutOutcome::kCreated;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(10, created);
}

TEST_F(DiskStoreTest, ListTakesAnyPrefix) {
  for (const char* path :
       {"t/_delta_log/000.json", "t/_delta_log/001.json", "t/_delta_log/010.json",
        "t/_delta_log/_last", "t/_delta_log/_side/0", "t/a/b/c", "t/a.x", "u"}) {
    ASSERT_TRUE(Put(path, "x").ok());
  }
  EXPECT_THAT(Paths("t/_delta_log/0"), ElementsAre("t/_delta_log/000.json", "t/_delta_log/001.json",
                                                   "t/_delta_log/010.json"));
  EXPECT_THAT(Paths("t/_delta_log/", "t/_delta_log/001"),
              ElementsAre("t/_delta_log/001.json", "t/_delta_log/010.json", "t/_delta_log/_last",
                          "t/_delta_log/_side/0"));
  EXPECT_THAT(Paths("t/a"), ElementsAre("t/a.x", "t/a/b/c"));  // Byte order: '.' before '/'.
  EXPECT_THAT(Paths("t/a/b/c"), ElementsAre("t/a/b/c"));
  EXPECT_THAT(Paths("t/a", "t/a/b/c"), IsEmpty());
  EXPECT_THAT(Paths("nothing/here"), IsEmpty());
  EXPECT_EQ(8U, Paths("").size());
  EXPECT_THAT(*store_->ListFolders(""), ElementsAre("t"));
  EXPECT_THAT(*store_->ListFolders("t"), ElementsAre("_delta_log", "a"));
  EXPECT_THAT(*store_->ListFolders("none"), IsEmpty());
}

TEST_F(DiskStoreTest, DeleteIsFineTwice) {
  ASSERT_TRUE(Put("a", "x").ok());
  EXPECT_TRUE(store_->Delete("a").ok());
  EXPECT_TRUE(store_->Delete("a").ok());
  EXPECT_EQ("(none)", Text("a"));
}

TEST_F(DiskStoreTest, PathsThatLeaveTheLakeAreRefused) {
  for (const char* path : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".tmp/x", "./a"}) {
    EXPECT_TRUE(Put(path, "x").IsInvalid()) << path;
    EXPECT_TRUE(store_->Get(path).status().IsInvalid()) << path;
  }
}

TEST_F(DiskStoreTest, AFolderRemovedMeanwhileIsMadeAgain) {
  ASSERT_TRUE(Put("t/region=US/a", "x").ok());
  fs::remove_all(root_ / "t");
  EXPECT_TRUE(Put("t/region=US/b", "y").ok());
  EXPECT_EQ(PutOutcome::kCreated, PutIfAbsent("t/region=US/c", "z"));
  fs::remove_all(root_);
  EXPECT_TRUE(Put("t/region=US/d", "w").ok());
}

TEST_F(DiskStoreTest, ErrorsNameThePathTheReasonAndTheRemedy) {
  ASSERT_TRUE(Put("file", "x").ok());
  const Status below_file = Put("file/below", "x");
  EXPECT_TRUE(below_file.IsIOError());
  EXPECT_THAT(below_file.message(), HasSubstr((root_ / "file").string()));
  if (geteuid() == 0) return;  // Root may write anywhere.
  ASSERT_EQ(0, ::chmod((root_ / ".tmp").c_str(), 0500));
  EXPECT_THAT(Put("a", "x").message(), HasSubstr("permission"));
  ASSERT_EQ(0, ::chmod((root_ / ".tmp").c_str(), 0700));
}

TEST_F(DiskStoreTest, AFullDiskIsToldWithTheRemedy) {
  // A file-size limit makes write() fail partway through, as a full disk does.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Status status = Put("big", std::string(1 << 20, 'x'));
    const bool told = status.IsIOError() && status.message().find("cannot write") == 0;
    const bool clean = Text("big") == "(none)" && TemporaryFiles().empty();
    ::_exit(told && clean ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_EQ(0, WEXITSTATUS(status));
}

// Tests the header's guarantee with a real kill: whenever a writer dies, a name shows the whole
// object or none.
TEST_F(DiskStoreTest, AKilledWriterLeavesNoHalfObject) {
  constexpr size_t kSize = 4 << 20;
  for (int round = 0; round < 20; ++round) {
    int ready[2];
    ASSERT_EQ(0, ::pipe(ready));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      [[maybe_unused]] const ssize_t told = ::write(ready[1], "x", 1);
      for (int i = 0;; ++i) {
        const std::string name = std::to_string(round) + "-" + std::to_string(i);
        const auto content = arrow::Buffer::FromString(std::string(kSize, 'x'));
        if (!store_->Put("data/" + name, *content).ok()) ::_exit(1);
        if (!store_->PutIfAbsent("log/" + name, *content).ok()) ::_exit(1);
      }
    }
    char byte;
    ASSERT_EQ(1, ::read(ready[0], &byte, 1));
    ::usleep(static_cast<useconds_t>(1000 + round * 1700));  // A different moment each time.
    ::kill(child, SIGKILL);
    ASSERT_EQ(child, ::waitpid(child, nullptr, 0));
    ::close(ready[0]);
    ::close(ready[1]);
    for (const auto& entry : store_->List("").ValueOrDie()) {
      ASSERT_EQ(static_cast<int64_t>(kSize), entry.size_bytes) << entry.path;
    }
  }
}

TEST_F(DiskStoreTest, OnlyDeadWritersTemporaryFilesAreRemoved) {
  ASSERT_TRUE(Put("a", "x").ok());
  const fs::path folder = root_ / ".tmp";
  for (const char* name : {"dead", "young", "alive"}) std::ofstream(folder / name) << "half";
  MakeOld(folder / "dead");
  MakeOld(folder / "alive");
  const int fd = ::open((folder / "alive").c_str(), O_RDWR);
  ASSERT_EQ(0, ::flock(fd, LOCK_EX | LOCK_NB));
  Open();
  EXPECT_FALSE(fs::exists(folder / "dead"));
  EXPECT_TRUE(fs::exists(folder / "young"));
  EXPECT_TRUE(fs::exists(folder / "alive"));
  ::close(fd);
}

TEST_F(DiskStoreTest, WhatDeadWritersLeftIsCountedAsItGoes) {
  EXPECT_EQ(0, store_->RemoveAbandonedWrites(std::chrono::minutes(1)).ValueOrDie());
  ASSERT_TRUE(Put("a", "x").ok());
  for (const char* name : {"dead", "young"}) std::ofstream(root_ / ".tmp" / name) << "half";
  MakeOld(root_ / ".tmp" / "dead");
  EXPECT_EQ(0, store_->RemoveAbandonedWrites(std::chrono::hours(2)).ValueOrDie());
  EXPECT_EQ(1, store_->RemoveAbandonedWrites(std::chrono::minutes(30)).ValueOrDie());
  EXPECT_THAT(TemporaryFiles(), ElementsAre(root_ / ".tmp" / "young"));
}

TEST_F(DiskStoreTest, AKilledPiecewiseWriterLeavesOnlyWhatCanBeRemoved) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto output = store_->OpenOutput("a").ValueOrDie();
    if (!output->Write(std::string(1 << 20, 'x')).ok()) ::_exit(1);
    ::raise(SIGKILL);
  }
  ASSERT_EQ(child, ::waitpid(child, nullptr, 0));
  EXPECT_EQ("(none)", Text("a"));
  ASSERT_EQ(1U, TemporaryFiles().size());
  EXPECT_EQ(1, store_->RemoveAbandonedWrites(std::chrono::milliseconds(-1)).ValueOrDie());
  EXPECT_THAT(TemporaryFiles(), IsEmpty());
}

TEST(OpenObjectStore, KnowsPathsAndFileUris) {
  const std::string root = ::testing::TempDir() + NewUuid();
  EXPECT_EQ(root, OpenAt(root).ValueOrDie()->Describe());
  EXPECT_EQ("file://" + root, OpenAt("file://" + root).ValueOrDie()->Describe());
  // "a b%" in a URI; a plain path is used literally.
  const auto escaped = OpenAt("file://" + root + "/a%20b%25").ValueOrDie();
  ASSERT_TRUE(escaped->Put("x", *arrow::Buffer::FromString("1")).ok());
  EXPECT_TRUE(std::filesystem::exists(root + "/a b%/x"));
  ASSERT_TRUE(OpenAt(root + "/a%20b")->get()->Put("x", *arrow::Buffer::FromString("1")).ok());
  EXPECT_TRUE(std::filesystem::exists(root + "/a%20b/x"));
  for (const char* bad : {"%", "%2", "%zz", "%2g/x", "%00"}) {
    const Status status = OpenAt("file://" + root + "/" + bad).status();
    EXPECT_TRUE(status.IsInvalid()) << bad;
    EXPECT_THAT(status.message(), HasSubstr("%25")) << bad;
  }
  EXPECT_TRUE(OpenAt("").status().IsInvalid());
  for (const char* other_host : {"file://host/x", "file://127.0.0.1/x", "file://localhostess/x",
                                 "file://localhost", "file://a%20b/x"}) {
    EXPECT_TRUE(OpenAt(other_host).status().IsInvalid()) << other_host;
  }
  for (const char* this_host : {"localhost", "LocalHost"}) {
    const auto named = OpenAt(std::string("file://") + this_host + root + "/a%20b%25");
    ASSERT_TRUE(named.ok()) << named.status();
    EXPECT_EQ("1", (*(*named)->Get("x"))->ToString());
  }
  const Status other = OpenAt("hdfs://host/lake").status();
  EXPECT_TRUE(other.IsNotImplemented());
  EXPECT_THAT(other.message(), HasSubstr("s3://bucket/prefix"));
}

// Earlier versions did not decode a file URI.
TEST(OpenObjectStore, ALakeUnderTheLiteralNameOfItsUriIsNotReplacedByAnEmptyOne) {
  const std::string root = ::testing::TempDir() + NewUuid();
  const std::string uri = "file://" + root + "/a%20b";
  std::filesystem::create_directories(root + "/a%20b/bronze-events/_delta_log");
  const Status refused = OpenAt(uri).status();
  EXPECT_TRUE(refused.IsInvalid());
  EXPECT_THAT(refused.message(), HasSubstr(root + "/a%20b'"));
  EXPECT_THAT(refused.message(), HasSubstr(root + "/a b'"));
  EXPECT_FALSE(std::filesystem::exists(root + "/a b"));
  EXPECT_TRUE(OpenAt(root + "/a%20b").ok());
  // If both have tables, the URI names one of them.
  std::filesystem::create_directories(root + "/a b/bronze-events/_delta_log");
  EXPECT_TRUE(OpenAt(uri).ok());
  // And after the remedy.
  std::filesystem::remove_all(root + "/a b");
  std::filesystem::rename(root + "/a%20b", root + "/a b");
  EXPECT_TRUE(OpenAt(uri).ok());
  EXPECT_FALSE(std::filesystem::exists(root + "/a%20b"));
}

}  // namespace
}  // namespace shopstream::lake
