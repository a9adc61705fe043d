#include "lake/put_proof.h"

#include "base/log.h"
#include "lake/uuid.h"

namespace shopstream::lake {

Status ProvePutIfAbsent(ObjectStore* store, const std::string& folder) {
  if (!store->IsRemote()) return Status::OK();
  const std::string path = folder + "/.put-if-absent-" + NewUuid();
  const auto first = arrow::Buffer::FromString("1");
  const auto second = arrow::Buffer::FromString("2");
  // A name of its own: what already stands there after a lost reply is this one's too.
  ARROW_RETURN_NOT_OK(store->PutIfAbsent(path, *first).status());
  const auto again = store->PutIfAbsent(path, *second);
  const Status removed = store->Delete(path);
  if (!removed.ok()) Log::Warn("{} is left over: {}", path, removed.message());
  ARROW_ASSIGN_OR_RAISE(const PutOutcome outcome, again);
  if (outcome == PutOutcome::kExists) return Status::OK();
  return Status::Invalid(
      store->Describe(),
      ": this store ignores `If-None-Match: *`: it let a conditional put replace what was there. "
      "Two writers would lose each other's commits, so nothing is written. Use a store that "
      "honours "
      "it (AWS S3, MinIO), or repair what stands between");
}

}  // namespace shopstream::lake
