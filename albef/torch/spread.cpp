// Work that is spread over threads, each of which calls libtorch's operations
// alone.

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <omp.h>

#include "native.h"

namespace {

// Alone makes the calling thread do as the one that the state is of, with
// operations of one thread.
struct Alone {
  int before = at::get_num_threads();  // also has libtorch set this thread up
  at::ThreadLocalStateGuard state;
  explicit Alone(const at::ThreadLocalState& s) : state(s) { omp_set_num_threads(1); }
  ~Alone() { omp_set_num_threads(before); }
};

}  // namespace

extern "C" {

// The calling thread's state: whether gradients are kept, autocast.
void* vt_state(void) { return new at::ThreadLocalState(); }
void vt_state_free(void* state) { delete static_cast<at::ThreadLocalState*>(state); }

void* vt_alone_begin(void* state) { return new Alone(*static_cast<at::ThreadLocalState*>(state)); }
void vt_alone_end(void* alone) { delete static_cast<Alone*>(alone); }

}  // extern "C"
