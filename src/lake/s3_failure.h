#pragma once

#include <string>

#include "base/status.h"
#include "lake/s3_client.h"

namespace shopstream::lake {

enum class S3Verdict {
  kAnswered,  // Success, or one of the answers that are values: 404 and 412.
  kAgain,     // It may go well another time.
  kLost,      // A conditional put may or may not have happened: only the caller can find out.
  kRefused,   // It never will go well as things stand.
};

// What to make of a reply to a request that was or was not `conditional`.
S3Verdict Judge(const S3Reply& reply, bool conditional);

// What failed (`what`: "put s3://bucket/key"), why, and what to do. Invalid where it was refused
// for good, else IOError.
Status S3Failure(const std::string& what, const S3Reply& reply, bool conditional, int64_t now_ms);

// The same of an error of Arrow's S3 file system, which names S3's code inside its text.
Status S3Failure(const std::string& what, const Status& arrow_status);

}  // namespace shopstream::lake
