#include "ingest/cut_policy.h"

namespace shopstream::ingest {

const char* Name(CutReason reason) {
  switch (reason) {
    case CutReason::kSize:
      return "size";
    case CutReason::kAge:
      return "age";
    case CutReason::kMemory:
      return "memory";
    case CutReason::kPartitions:
      return "partitions";
    case CutReason::kCaughtUp:
      return "caught_up";
    case CutReason::kRevoke:
      return "revoke";
    case CutReason::kStop:
      return "stop";
    case CutReason::kNotice:
      return "notice";
    case CutReason::kHeartbeat:
      return "heartbeat";
  }
  return "";
}

std::optional<CutReason> DueCut(const Filling& filling, const CutLimits& limits,
                                BootClock::time_point last_cut, BootClock::time_point now) {
  // Not immediately: the first cut with records of a new partition carries the notice too.
  std::optional<CutReason> notice;
  if (filling.notice_since && now - *filling.notice_since >= limits.commit_interval) {
    notice = CutReason::kNotice;
  }
  if (!filling.since) {
    const bool beats = !notice && filling.advances && now - last_cut >= limits.heartbeat;
    return beats ? CutReason::kHeartbeat : notice;
  }
  if (filling.bytes >= limits.filling_bytes) return CutReason::kMemory;
  if (filling.open_partitions >= limits.open_partitions) return CutReason::kPartitions;
  if (filling.fullest_value_rows >= limits.batch_size && now - last_cut >= limits.commit_interval) {
    return CutReason::kSize;
  }
  if (now - *filling.since >= limits.batch_timeout) return CutReason::kAge;
  return notice;
}

}  // namespace shopstream::ingest
