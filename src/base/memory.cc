#include "base/memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace shopstream {

void ShareOneHeap() {
#ifdef __GLIBC__
  // Two: with one, the client's threads and ours contend. Peak of an ingest of 3 million records:
  // 255 MiB; 311 MiB with glibc's default of eight per core and Arrow's own pool.
  mallopt(M_ARENA_MAX, 2);
#endif
  setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0);
}

}  // namespace shopstream
