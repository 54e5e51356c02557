// Work that a device does without the host: a guard that names what would read or
// send elements, and CUDA graphs.
//
// vlab links libtorch's CPU half alone and loads the CUDA half at run time, so
// at::cuda::CUDAGraph is reached by the names of its functions, as the linker
// would. Compiling against its header would take CUDA's own headers and a second
// shared object, which make setup had to build and a person's own libtorch had to
// match; a name that isn't there is told before anything is recorded, and the
// object itself is libtorch's to make and to destroy.

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <dlfcn.h>

#include <atomic>
#include <cstddef>
#include <string>

#include "native.h"
#include "status.h"

namespace {

thread_local bool sealed = false;

std::atomic<bool> broke{false};

using Pool = c10::MempoolId_t;

// Members take their object as a first argument: that is the calling convention of
// the ABI that libtorch is compiled for.
struct GraphAPI {
  Pool (*pool)();
  void (*make)(void* graph, bool keep);
  void (*begin)(void* graph, Pool pool, int mode);
  void (*end)(void* graph);
  void (*replay)(void* graph);
  void (*destroy)(void* graph);
  const char* lacks = nullptr;  // the first name that isn't there

  GraphAPI() {
    find(pool, "_ZN2at4cuda17graph_pool_handleEv");
    find(make, "_ZN2at4cuda9CUDAGraphC1Eb");
    find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
    find(replay, "_ZN2at4cuda9CUDAGraph6replayEv");
    find(destroy, "_ZN2at4cuda9CUDAGraphD1Ev");
  }

  template <class F>
  void find(F& f, const char* name) {
    f = reinterpret_cast<F>(dlsym(RTLD_DEFAULT, name));
    if (!f && !lacks) lacks = name;
  }
};

// kThreadLocal lets other threads use the device while one records: a cell of a
// session that asks the model something must not end a run in the background.
constexpr int kThreadLocal = 1;  // cudaStreamCaptureModeThreadLocal

// Graph holds a CUDAGraph, which has 104 bytes in libtorch 2.11.
struct Graph {
  GraphAPI api;
  alignas(64) std::byte object[1024];
  bool made = false, broken = false;
  at::Device device;

  explicit Graph(at::Device d) : device(d) {
    TORCH_CHECK(!api.lacks, "libtorch's CUDA half has no ", api.lacks);
    api.make(object, false);
    made = true;
  }
  ~Graph() {
    if (made) api.destroy(object);
  }
  Graph(const Graph&) = delete;

  // renew gives the device's generator a state of its own again: after a recording
  // that failed the old one would refuse to draw outside of a graph.
  void renew() {
    auto generator = at::globalContext().defaultGenerator(device);
    generator.graphsafe_set_state(generator.clone());
  }

  // recording runs one end of a recording.
  template <class F>
  void recording(F f) {
    try {
      f();
    } catch (...) {
      broke = broken = true;
      renew();
      throw;
    }
  }
};

}  // namespace

extern "C" {

int vt_seal(int on) {
  int was = sealed;
  sealed = on != 0;
  return was;
}

int vt_sealed(void) { return sealed; }

int vt_unsealed(const char* what) {
  if (!sealed) return 0;
  vt_fail((std::string(what) + " within work that a device does without the host").c_str());
  return 1;
}

const char* vt_graph_lacks(void) { return GraphAPI().lacks; }

int vt_graph_pool(uint64_t* pool) {
  return status([&] {
    GraphAPI api;
    TORCH_CHECK(!api.lacks, "libtorch's CUDA half has no ", api.lacks);
    auto id = api.pool();
    pool[0] = id.first, pool[1] = id.second;
  });
}

// Memory that earlier work has left in libtorch's cache is given back first: the
// graphs' own comes on top of it.
void* vt_graph_begin(int device, const uint64_t* pool) {
  void* out = nullptr;
  int failed = status([&] {
    auto g = new Graph(at::Device(at::kCUDA, device));
    c10::getDeviceAllocator(at::kCUDA)->emptyCache();
    out = g;
    g->recording([&] { g->api.begin(g->object, Pool(pool[0], pool[1]), kThreadLocal); });
  });
  if (failed && out) vt_graph_free(out);
  return failed ? nullptr : out;
}

int vt_graph_end(void* graph) {
  auto g = static_cast<Graph*>(graph);
  return status([&] { g->recording([&] { g->api.end(g->object); }); });
}

int vt_graph_replay(void* graph) {
  auto g = static_cast<Graph*>(graph);
  return status([&] { g->api.replay(g->object); });
}

// libtorch's allocator goes on asking the object of a recording that CUDA broke off
// whether memory is for it: that one stays.
void vt_graph_free(void* graph) {
  auto g = static_cast<Graph*>(graph);
  if (!g->broken) delete g;
}

int vt_graph_broke(void) { return broke; }

}  // extern "C"
