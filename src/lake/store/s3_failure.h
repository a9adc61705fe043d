#pragma once

#include <string>

#include "base/status.h"
#include "lake/store/s3_client.h"

namespace shopstream::lake {

enum class S3Verdict {
  kAnswered,  // Success, or an answer that is a value: 404 and 412.
  kAgain,     // A retry may succeed.
  kLost,      // A conditional put may have taken effect: only the caller can find out.
  kRefused,   // Retrying cannot help.
};

// Classifies the reply to a request that was or was not `conditional`.
S3Verdict Judge(const S3Reply& reply, bool conditional);

// What failed (`what`: "put s3://bucket/key"), why, and the remedy. Invalid if retrying cannot
// help, otherwise IOError.
Status S3Failure(const std::string& what, const S3Reply& reply, bool conditional, int64_t now_ms);

// The same for an error of Arrow's S3 file system, which has S3's code in its text.
Status S3Failure(const std::string& what, const Status& arrow_status);

}  // namespace shopstream::lake
