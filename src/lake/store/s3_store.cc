#include "lake/store/s3_store.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/shutdown.h"
#include "lake/store/s3_failure.h"
#include "lake/store/store_input.h"

namespace shopstream::lake {
namespace {

// Back-off within one call, not counting the time of its requests: about 18 attempts if each fails
// immediately. Callers are more patient.
constexpr BackoffOptions kPatience{
    .first = Millis{100}, .longest = Millis{1000}, .give_up_after = Millis{8'000}};
constexpr double kConnectTimeoutSeconds = 3;
constexpr double kStallTimeoutSeconds = 10;

// The same patience for Arrow's requests, counted in attempts because it does not report the time.
class Retries : public arrow::fs::S3RetryStrategy {
 public:
  bool ShouldRetry(const AWSErrorDetail& error, int64_t tries) override {
    return error.should_retry && tries < kMost;
  }
  int64_t CalculateDelayBeforeNextRetry(const AWSErrorDetail&, int64_t tries) override {
    return std::min<int64_t>(kPatience.first.count() << std::min<int64_t>(tries, 10),
                             kPatience.longest.count());
  }

 private:
  static constexpr int64_t kMost = 10;
};

std::string Words(const std::string& verb, const S3Place& place) {
  return verb + " s3://" + place.bucket + (place.key.empty() ? "" : "/" + place.key);
}

// The AWS client has its own log, on stdout, among the results. What fails is returned as a
// Status, and logged here.
Status StartClient() {
  static const Status started = [] {
    auto options = arrow::fs::S3GlobalOptions::Defaults();
    options.log_level = arrow::fs::S3LogLevel::Off;
    return arrow::fs::InitializeS3(options);
  }();
  return started;
}

Result<arrow::fs::S3Options> Options(const S3Config& config, const S3Address& address) {
  if (config.access_key.empty() != config.secret_key.empty()) {
    return Status::Invalid("s3.access_key and s3.secret_key go together: set both, or neither for ",
                           "the AWS environment variables or profile");
  }
  ARROW_RETURN_NOT_OK(StartClient());
  auto options = config.access_key.empty()
                     ? arrow::fs::S3Options::Defaults()
                     : arrow::fs::S3Options::FromAccessKey(config.access_key, config.secret_key,
                                                           config.session_token);
  options.region = config.region;
  options.scheme = address.scheme;
  if (!config.endpoint.empty()) options.endpoint_override = address.authority;
  options.tls_ca_file_path = config.ca_file.empty() ? SystemCaFile() : config.ca_file;
  options.connect_timeout = kConnectTimeoutSeconds;
  options.request_timeout = kStallTimeoutSeconds;
  options.retry_strategy = std::make_shared<Retries>();
  options.allow_delayed_open = true;  // A small object is one request instead of three.
  return options;
}

// A provider may renew them between two calls; what is returned belongs together.
S3Credentials CurrentCredentials(const arrow::fs::S3Options& options) {
  constexpr int kTries = 3;  // Two renewals in a row do not happen.
  S3Credentials credentials;
  for (int i = 0; i < kTries && credentials.access_key != options.GetAccessKey(); ++i) {
    credentials = {options.GetAccessKey(), options.GetSecretKey(), options.GetSessionToken()};
  }
  return credentials;
}

bool SaysNoSuchBucket(const S3Reply& reply) {
  return reply.status == 404 && ParseS3Error(reply.body).code == "NoSuchBucket";
}

// Arrow's stream, but leaves nothing if destroyed without Close(); Arrow's would close itself.
class S3Output : public arrow::io::OutputStream {
 public:
  S3Output(std::string what, std::shared_ptr<arrow::io::OutputStream> stream)
      : what_(std::move(what)), stream_(std::move(stream)) {}
  ~S3Output() override { LogIfLeft(GiveUp()); }

  using OutputStream::Write;
  Status Write(const void* data, int64_t size) override {
    if (closed_) return Status::Invalid("cannot ", what_, ": the stream is closed");
    return OrGiveUp(stream_->Write(data, size));
  }
  // Waits for the parts in flight.
  Status Flush() override { return closed_ ? Status::OK() : OrGiveUp(stream_->Flush()); }
  Status Close() override {
    if (closed_) return Status::OK();
    ARROW_RETURN_NOT_OK(OrGiveUp(stream_->Close()));
    closed_ = true;
    return Status::OK();
  }
  Status Abort() override { return GiveUp(); }
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return stream_->Tell(); }

 private:
  Status OrGiveUp(const Status& status) {
    if (status.ok()) return status;
    LogIfLeft(GiveUp());
    return S3Failure(what_, status);
  }
  void LogIfLeft(const Status& status) const {
    if (status.ok()) return;
    Log::Warn("{}: the unfinished upload is left to the clean-up: {}", what_, status.message());
  }
  Status GiveUp() {
    if (closed_) return Status::OK();
    closed_ = true;
    return stream_->Abort();
  }

  const std::string what_;
  const std::shared_ptr<arrow::io::OutputStream> stream_;
  bool closed_ = false;
};

}  // namespace

S3Store::S3Store(std::string uri, S3Root root, S3Config config, arrow::fs::S3Options options,
                 std::unique_ptr<S3Client> client)
    : uri_(std::move(uri)),
      root_(std::move(root)),
      config_(std::move(config)),
      options_(std::move(options)),
      client_(std::move(client)) {}

Result<std::unique_ptr<ObjectStore>> S3Store::Open(const std::string& uri, const S3Config& config) {
  ARROW_ASSIGN_OR_RAISE(S3Root root, S3Root::Parse(uri));
  ARROW_ASSIGN_OR_RAISE(const S3Address address, S3Address::Of(config));
  ARROW_ASSIGN_OR_RAISE(arrow::fs::S3Options options, Options(config, address));
  if (options.GetAccessKey().empty()) {
    return Status::Invalid("lake.uri '", uri, "': no credentials: set s3.access_key and ",
                           "s3.secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a ",
                           "profile in ~/.aws/credentials");
  }
  ARROW_ASSIGN_OR_RAISE(auto client,
                        S3Client::Open(config, [options] { return CurrentCredentials(options); }));
  return std::unique_ptr<ObjectStore>(
      new S3Store(uri, std::move(root), config, std::move(options), std::move(client)));
}

void S3Store::Shutdown() {
  const Status status = arrow::fs::EnsureS3Finalized();
  if (!status.ok()) Log::Warn("S3 could not be shut down: {}", status.message());
}

Result<std::shared_ptr<arrow::Buffer>> S3Store::Get(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(S3Place place, root_.Locate(path));
  const S3Request request{"GET", std::move(place)};
  ARROW_ASSIGN_OR_RAISE(S3Reply reply, Call("get", request));
  if (reply.status == 404) {
    ARROW_RETURN_NOT_OK(CheckBucketIsThere("get", request, reply));
    return nullptr;
  }
  return arrow::Buffer::FromString(std::move(reply.body));
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> S3Store::OpenInput(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const S3Place place, root_.Locate(path));
  ARROW_ASSIGN_OR_RAISE(const auto file_system, FileSystem());
  auto file = file_system->OpenInputFile(place.bucket + "/" + place.key);
  if (!file.ok()) return S3Failure(Words("open", place), file.status());
  return MakeStoreInput(*std::move(file), [what = Words("read", place)](const Status& status) {
    return S3Failure(what, status);
  });
}

Status S3Store::Put(const std::string& path, const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(S3Place place, root_.Locate(path));
  return Write("put", {"PUT", std::move(place), {}, false, &content}).status();
}

Result<std::shared_ptr<arrow::io::OutputStream>> S3Store::OpenOutput(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const S3Place place, root_.Locate(path));
  ARROW_ASSIGN_OR_RAISE(const auto file_system, FileSystem());
  const std::string what = Words("write", place);
  auto stream = file_system->OpenOutputStream(place.bucket + "/" + place.key, nullptr);
  if (!stream.ok()) return S3Failure(what, stream.status());
  return std::make_shared<S3Output>(what, *std::move(stream));
}

Result<PutOutcome> S3Store::PutIfAbsent(const std::string& path, const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(S3Place place, root_.Locate(path));
  ARROW_ASSIGN_OR_RAISE(
      const S3Reply reply,
      Write("put if absent", {"PUT", std::move(place), {}, /*only_if_absent=*/true, &content}));
  return reply.status == 412 ? PutOutcome::kExists : PutOutcome::kCreated;
}

Result<std::vector<ObjectEntry>> S3Store::List(const std::string& prefix,
                                               const std::string& after) {
  const S3Place begin = root_.LocatePrefix(prefix);
  const S3Place above = root_.LocatePrefix(after);
  ARROW_ASSIGN_OR_RAISE(const auto buckets, BucketsOf(begin));
  std::vector<ObjectEntry> entries;
  for (const std::string& bucket : buckets) {
    S3Query query;
    // Without a '/', a bare root's prefix is a prefix of bucket names, not of keys.
    if (bucket == begin.bucket && !begin.key.empty()) query.emplace_back("prefix", begin.key);
    if (!after.empty() && bucket == above.bucket) query.emplace_back("start-after", above.key);
    ARROW_RETURN_NOT_OK(ListBucket(bucket, query, [&](const S3Listing& page) {
      for (const S3Listing::Object& object : page.objects) {
        std::string path = root_.PathOf({bucket, object.key});
        // Consoles and other clients mark folders with empty objects, which no path of ours names.
        if (path <= after || path.ends_with('/')) continue;
        entries.push_back({std::move(path), object.size_bytes, object.modified_ms});
      }
    }));
  }
  return entries;
}

Result<std::vector<std::string>> S3Store::ListFolders(const std::string& folder) {
  if (root_.bucket_per_table() && folder.empty()) return Buckets();
  const S3Place inside = root_.LocatePrefix(folder.empty() ? "" : folder + "/");
  std::vector<std::string> names;
  ARROW_RETURN_NOT_OK(ListBucket(
      inside.bucket, {{"prefix", inside.key}, {"delimiter", "/"}}, [&](const S3Listing& page) {
        for (const std::string& name : page.folders) {
          names.push_back(name.substr(inside.key.size(), name.size() - inside.key.size() - 1));
        }
      }));
  return names;
}

Status S3Store::Delete(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(S3Place place, root_.Locate(path));
  return Call("delete", {"DELETE", std::move(place)}).status();
}

Result<int64_t> S3Store::Now() {
  // Every answer contains the time, even a refusal.
  const S3Request request{"GET", {root_.bucket(), ""}, {{"list-type", "2"}, {"max-keys", "1"}}};
  S3Reply reply = client_->Send(request);
  if (reply.date_ms < 0) {
    ARROW_ASSIGN_OR_RAISE(reply, Call("ask for the time at", request));
  }
  if (reply.date_ms >= 0) return reply.date_ms;
  return Unavailable(uri_, ": the service's answer has no date");
}

Result<int64_t> S3Store::RemoveAbandonedWrites(std::chrono::milliseconds min_age) {
  ARROW_ASSIGN_OR_RAISE(const int64_t now_ms, Now());
  ARROW_ASSIGN_OR_RAISE(const auto buckets, BucketsOf(root_.LocatePrefix("")));
  int64_t removed = 0;
  for (const std::string& bucket : buckets) {
    ARROW_ASSIGN_OR_RAISE(const bool ours, HoldsTable(bucket));
    if (!ours) continue;
    ARROW_ASSIGN_OR_RAISE(const auto uploads, UploadsIn(bucket));
    for (const S3Uploads::Upload& upload : uploads) {
      const S3Place place{bucket, upload.key};
      if (!root_.Contains(place) || now_ms - upload.begun_ms < min_age.count()) continue;
      // 404: its writer has completed or aborted it meanwhile.
      ARROW_RETURN_NOT_OK(
          Call("abort the upload of", {"DELETE", place, {{"uploadId", upload.id}}}).status());
      ++removed;
    }
  }
  return removed;
}

Result<S3Reply> S3Store::Call(const std::string& verb, const S3Request& request) {
  Retry retry({.patience = kPatience});
  while (true) {
    S3Reply reply = client_->Send(request);
    const S3Verdict verdict = Judge(reply, request.only_if_absent);
    if (verdict == S3Verdict::kAnswered) return reply;
    const Status failure =
        S3Failure(Words(verb, request.place), reply, request.only_if_absent, WallClockMillis());
    // A request that may have taken effect is not repeated: only the caller can find out.
    if (verdict != S3Verdict::kAgain || ShutdownOverdue()) return failure;
    ARROW_RETURN_NOT_OK(retry.Wait(failure));
  }
}

Result<S3Reply> S3Store::Write(const std::string& verb, const S3Request& request) {
  ARROW_ASSIGN_OR_RAISE(S3Reply reply, Call(verb, request));
  if (SaysNoSuchBucket(reply)) {
    ARROW_RETURN_NOT_OK(MakeBucket(request.place.bucket));
    ARROW_ASSIGN_OR_RAISE(reply, Call(verb, request));
  }
  const bool done = reply.status / 100 == 2 || (request.only_if_absent && reply.status == 412);
  if (done) return reply;
  return S3Failure(Words(verb, request.place), reply, request.only_if_absent, WallClockMillis());
}

Status S3Store::MakeBucket(const std::string& bucket) {
  std::shared_ptr<arrow::Buffer> where;
  if (config_.region != "us-east-1") {  // The default must not be named.
    where = arrow::Buffer::FromString("<CreateBucketConfiguration><LocationConstraint>" +
                                      config_.region +
                                      "</LocationConstraint></CreateBucketConfiguration>");
  }
  const S3Request request{"PUT", {bucket, ""}, {}, false, where.get()};
  return Retry({.patience = kPatience, .stop = StopToken(ShutdownOverdue)}).Run([&] {
    const S3Reply reply = client_->Send(request);
    // Another writer may have been first.
    const bool there =
        reply.status / 100 == 2 || ParseS3Error(reply.body).code == "BucketAlreadyOwnedByYou";
    return there ? Status::OK()
                 : S3Failure("find bucket " + bucket + " or create it", reply, false,
                             WallClockMillis());
  });
}

Status S3Store::CheckBucketIsThere(const std::string& verb, const S3Request& request,
                                   const S3Reply& reply) const {
  if (ParseS3Error(reply.body).code.empty()) {
    return Status::Invalid("cannot ", Words(verb, request.place), ": ",
                           config_.endpoint.empty() ? "AWS" : config_.endpoint,
                           " answers 404 as no S3 service does: correct s3.endpoint");
  }
  if (root_.bucket_per_table() || !SaysNoSuchBucket(reply)) return Status::OK();
  return S3Failure(Words(verb, request.place), reply, false, WallClockMillis());
}

Status S3Store::ListBucket(const std::string& bucket, S3Query query,
                           const std::function<void(S3Listing page)>& take) {
  query.emplace_back("list-type", "2");
  query.emplace_back("encoding-type", "url");
  std::string next;
  do {
    S3Request request{"GET", {bucket, ""}, query};
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    ARROW_ASSIGN_OR_RAISE(const S3Reply reply, Call("list", request));
    if (reply.status == 404) return CheckBucketIsThere("list", request, reply);
    ARROW_ASSIGN_OR_RAISE(S3Listing page, ParseS3Listing(reply.body));
    next = page.next;
    take(std::move(page));
  } while (!next.empty());
  return Status::OK();
}

// Without a prefix, because MinIO treats it as the whole key.
Result<std::vector<S3Uploads::Upload>> S3Store::UploadsIn(const std::string& bucket) {
  std::vector<S3Uploads::Upload> uploads;
  S3Uploads page;
  do {
    S3Request request{"GET", {bucket, ""}, {{"uploads", ""}, {"encoding-type", "url"}}};
    if (page.more) {
      request.query.emplace_back("key-marker", page.next_key);
      request.query.emplace_back("upload-id-marker", page.next_id);
    }
    ARROW_ASSIGN_OR_RAISE(const S3Reply reply, Call("list the uploads in", request));
    if (reply.status == 404) return uploads;
    ARROW_ASSIGN_OR_RAISE(page, ParseS3Uploads(reply.body));
    uploads.insert(uploads.end(), page.uploads.begin(), page.uploads.end());
  } while (page.more);
  return uploads;
}

Result<bool> S3Store::HoldsTable(const std::string& bucket) {
  if (!root_.bucket_per_table()) return true;
  ARROW_ASSIGN_OR_RAISE(const auto folders, ListFolders(bucket));
  for (const std::string& folder : folders) {
    if (folder == "_delta_log") return true;
    ARROW_ASSIGN_OR_RAISE(const auto below, ListFolders(bucket + "/" + folder));
    if (std::find(below.begin(), below.end(), "_delta_log") != below.end()) return true;
  }
  return false;
}

Result<std::vector<std::string>> S3Store::Buckets() {
  ARROW_ASSIGN_OR_RAISE(const S3Reply reply, Call("list the buckets of", {"GET", {}}));
  ARROW_ASSIGN_OR_RAISE(auto names, ParseS3Buckets(reply.body));
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> S3Store::BucketsOf(const S3Place& prefix) {
  if (!prefix.bucket.empty()) return std::vector{prefix.bucket};
  ARROW_ASSIGN_OR_RAISE(auto names, Buckets());
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix.key); });
  return names;
}

Result<std::shared_ptr<arrow::fs::S3FileSystem>> S3Store::FileSystem() {
  const std::lock_guard lock(mutex_);
  if (file_system_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(file_system_, arrow::fs::S3FileSystem::Make(options_));
  }
  return file_system_;
}

}  // namespace shopstream::lake
