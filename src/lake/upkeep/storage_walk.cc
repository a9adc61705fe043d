#include "lake/upkeep/storage_walk.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/clock.h"
#include "base/format.h"
#include "lake/store/put_proof.h"
#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

// The server's clock may have a resolution of a second; add the round trip.
constexpr int64_t kToleratedClockDifferenceMillis = 5000;
constexpr int64_t kPieceBytes = 1 << 20;
constexpr int kPieces = 11;  // More than one part of a multipart upload.

// What one step found; an empty detail means nothing to report.
using StepResult = Result<std::string>;

Status Expect(bool holds, const std::string& otherwise) {
  return holds ? Status::OK() : Status::Invalid(otherwise);
}

std::shared_ptr<arrow::Buffer> Text(const std::string& text) {
  return arrow::Buffer::FromString(text);
}

// Exercises the store in a folder that nobody else uses. Each step builds on those before it.
class StorageWalk {
 public:
  StorageWalk(ObjectStore* store, std::string folder) : store_(store), folder_(std::move(folder)) {}

  StepResult Write() {
    ARROW_RETURN_NOT_OK(store_->Put(Plain(), *Text("0123456789")));
    return "";
  }
  StepResult ReadBack() {
    ARROW_ASSIGN_OR_RAISE(const auto content, store_->Get(Plain()));
    ARROW_RETURN_NOT_OK(Expect(content != nullptr,
                               "the written object is not visible: the store must "
                               "show an object as soon as it has accepted it"));
    ARROW_RETURN_NOT_OK(Expect(content->ToString() == "0123456789", "it returns different bytes"));
    ARROW_ASSIGN_OR_RAISE(const auto absent, store_->Get(folder_ + "/absent"));
    ARROW_RETURN_NOT_OK(Expect(absent == nullptr, "it returns an object that nobody wrote"));
    return "";
  }
  StepResult ConditionalWrite() {
    return Expecting(store_->PutIfAbsent(Log(1), *Text("ours")), PutOutcome::kCreated,
                     "a conditional put of a new name was refused");
  }
  StepResult SecondConditionalWrite() {
    ARROW_RETURN_NOT_OK(Expecting(
        store_->PutIfAbsent(Log(1), *Text("theirs")), PutOutcome::kExists,
        "the store ignores `If-None-Match: *`: two writers would overwrite each other's commits. "
        "Use one that honours it (AWS S3, MinIO)"));
    ARROW_ASSIGN_OR_RAISE(const auto content, store_->Get(Log(1)));
    ARROW_RETURN_NOT_OK(Expect(content != nullptr && content->ToString() == "ours",
                               "the refused put changed the object"));
    return "refused, as it must be";
  }
  StepResult RaceConditionalWrites() {
    ARROW_RETURN_NOT_OK(RacePutIfAbsent(store_, folder_));
    return fmt::format("{} names, {} writers each: one winner each", kProofNames, kProofWriters);
  }
  StepResult ListAll() {
    ARROW_RETURN_NOT_OK(store_->PutIfAbsent(Log(2), *Text("next")).status());
    ARROW_ASSIGN_OR_RAISE(const auto entries, store_->List(folder_ + "/log/"));
    ARROW_RETURN_NOT_OK(Expect(entries.size() == 2 && entries[0].path == Log(1) &&
                                   entries[1].path == Log(2) && entries[0].size_bytes == 4,
                               "the listing does not show the written objects in order"));
    return "";
  }
  StepResult ListAfter() {
    ARROW_ASSIGN_OR_RAISE(const auto entries, store_->List(folder_ + "/log/", Log(1)));
    ARROW_RETURN_NOT_OK(Expect(entries.size() == 1 && entries[0].path == Log(2),
                               "a listing after a name does not start there"));
    return "";
  }
  StepResult ReadRange() {
    ARROW_ASSIGN_OR_RAISE(const auto file, store_->OpenInput(Plain()));
    ARROW_ASSIGN_OR_RAISE(const auto bytes, file->ReadAt(3, 4));
    ARROW_RETURN_NOT_OK(
        Expect(bytes->ToString() == "3456", "a ranged read returns different bytes"));
    return "";
  }
  StepResult WritePieces() {
    ARROW_ASSIGN_OR_RAISE(const auto stream, store_->OpenOutput(Pieces()));
    const std::string piece(kPieceBytes, 'x');
    for (int i = 0; i < kPieces; ++i) ARROW_RETURN_NOT_OK(stream->Write(piece));
    ARROW_ASSIGN_OR_RAISE(auto content, store_->Get(Pieces()));
    ARROW_RETURN_NOT_OK(Expect(content == nullptr, "it is visible before it is complete"));
    ARROW_RETURN_NOT_OK(stream->Close());
    ARROW_ASSIGN_OR_RAISE(content, store_->Get(Pieces()));
    ARROW_RETURN_NOT_OK(Expect(content != nullptr && content->size() == kPieces * kPieceBytes,
                               "it does not return the whole content"));
    return FormatBytes(content->size());
  }
  StepResult AbortWrite() {
    ARROW_ASSIGN_OR_RAISE(const auto stream, store_->OpenOutput(Aborted()));
    const std::string piece(kPieceBytes, 'x');
    for (int i = 0; i < kPieces; ++i) ARROW_RETURN_NOT_OK(stream->Write(piece));
    ARROW_RETURN_NOT_OK(stream->Abort());
    ARROW_ASSIGN_OR_RAISE(const auto content, store_->Get(Aborted()));
    ARROW_RETURN_NOT_OK(Expect(content == nullptr, "an aborted write is visible"));
    return "";
  }
  StepResult CompareClocks() {
    const int64_t before_ms = WallClockMillis();
    ARROW_ASSIGN_OR_RAISE(const int64_t theirs_ms, store_->Now());
    const int64_t difference_ms = theirs_ms - (before_ms + WallClockMillis()) / 2;
    const std::string words = FormatMillis(std::abs(difference_ms)) +
                              (difference_ms < 0 ? " behind ours" : " ahead of ours");
    ARROW_RETURN_NOT_OK(Expect(std::abs(difference_ms) <= kToleratedClockDifferenceMillis,
                               "the store's clock is " + words + ": set both by NTP"));
    return words;
  }
  StepResult Delete() {
    for (const std::string& path : {Plain(), Log(1), Log(2), Pieces()}) {
      ARROW_RETURN_NOT_OK(store_->Delete(path));
    }
    ARROW_RETURN_NOT_OK(store_->Delete(Plain()));  // Absence is fine.
    ARROW_ASSIGN_OR_RAISE(const auto left, store_->List(folder_ + "/"));
    ARROW_RETURN_NOT_OK(Expect(left.empty(), left.empty() ? "" : left[0].path + " still exists"));
    return "";
  }
  // Deletes whatever is left after a failed step.
  Status CleanUp() {
    ARROW_ASSIGN_OR_RAISE(const auto left, store_->List(folder_ + "/"));
    for (const auto& entry : left) ARROW_RETURN_NOT_OK(store_->Delete(entry.path));
    return Status::OK();
  }

 private:
  static StepResult Expecting(const Result<PutOutcome>& outcome, PutOutcome wanted,
                              const std::string& otherwise) {
    ARROW_RETURN_NOT_OK(outcome.status());
    ARROW_RETURN_NOT_OK(Expect(*outcome == wanted, otherwise));
    return "";
  }
  // The signature is right only if every such character is escaped.
  std::string Plain() const { return folder_ + "/region=EU/a b%+é.txt"; }
  std::string Log(int version) const { return fmt::format("{}/log/{:020}.json", folder_, version); }

  std::string Pieces() const { return folder_ + "/pieces"; }
  std::string Aborted() const { return folder_ + "/aborted"; }

  ObjectStore* const store_;
  const std::string folder_;
};

struct Step {
  const char* name;
  StepResult (StorageWalk::*run)();
};

constexpr Step kSteps[] = {
    {"write", &StorageWalk::Write},
    {"read back", &StorageWalk::ReadBack},
    {"conditional write", &StorageWalk::ConditionalWrite},
    {"second conditional write", &StorageWalk::SecondConditionalWrite},
    {"concurrent conditional writes", &StorageWalk::RaceConditionalWrites},
    {"list", &StorageWalk::ListAll},
    {"list after", &StorageWalk::ListAfter},
    {"ranged read", &StorageWalk::ReadRange},
    {"piecewise write", &StorageWalk::WritePieces},
    {"aborted write", &StorageWalk::AbortWrite},
    {"clock", &StorageWalk::CompareClocks},
    {"delete", &StorageWalk::Delete},
};

}  // namespace

const char* Name(StorageStep::State state) {
  switch (state) {
    case StorageStep::State::kOk:
      return "ok";
    case StorageStep::State::kFailed:
      return "failed";
    case StorageStep::State::kNotTried:
      break;
  }
  return "not tried";
}

StorageReport WalkStorage(ObjectStore* store, const std::string& folder) {
  StorageWalk walk(store, folder + "/.storage-test-" + NewUuid());
  StorageReport report;
  for (const Step& step : kSteps) {
    StorageStep& tried = report.steps.emplace_back(StorageStep{.name = step.name});
    if (report.failed) continue;
    const auto begin = BootClock::now();
    const StepResult result = (walk.*step.run)();
    const std::chrono::duration<double, std::milli> took = BootClock::now() - begin;
    report.failed = !result.ok();
    tried.state = report.failed ? StorageStep::State::kFailed : StorageStep::State::kOk;
    tried.milliseconds = std::round(took.count() * 10) / 10;
    tried.detail = report.failed ? result.status().message() : *result;
  }
  if (report.failed) {
    const Status cleaned = walk.CleanUp();
    report.steps.push_back(
        {.name = "clean up",
         .state = cleaned.ok() ? StorageStep::State::kOk : StorageStep::State::kFailed,
         .detail = cleaned.message()});
  }
  return report;
}

}  // namespace shopstream::lake
