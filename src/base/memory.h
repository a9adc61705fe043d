#pragma once

namespace shopstream {

// Keeps resident memory close to the memory in use: the client's threads allocate records and our
// threads free them, and with one heap per thread each would keep what the other freed. Call first
// in main, before any thread and any use of Arrow. ARROW_DEFAULT_MEMORY_POOL still overrides.
void ShareOneHeap();

}  // namespace shopstream
