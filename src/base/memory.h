#pragma once

namespace shopstream {

// Keeps resident memory close to what is in use: records are allocated by the client's threads and
// freed by ours, and a heap for each thread would keep what the other gave back. Call first in
// main, before any thread and any use of Arrow. ARROW_DEFAULT_MEMORY_POOL still overrides.
void ShareOneHeap();

}  // namespace shopstream
