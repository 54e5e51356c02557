// The memory of tensors on the CPU. A training step allocates and frees the
// same sizes again and again. glibc maps and unmaps the large ones, so that the
// kernel zeroes every page anew, and puts the others into a heap whose gaps the
// kernels that oneDNN compiles keep from closing: memory grows for thousands of
// steps. Here blocks come in 32 sizes to the octave, a freed block waits in
// its size's list for the next tensor of that size, and none is split: what a
// few steps needed is what all later ones use.

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "native.h"

namespace {

constexpr size_t kAlign = 64;            // a block starts with its size's index, the tensor follows
constexpr size_t kHugePage = 2u << 20;
constexpr size_t kPage = 4096;
constexpr size_t kArena = 64u << 20;     // cut into blocks
constexpr size_t kOctave = 32;  // sizes in one: a parameter wastes 1.5 % in the mean
constexpr size_t kSizes = 64 * kOctave;

struct BlockSize {
  size_t index, bytes;
};

// block_size is the smallest block for n bytes: multiples of the alignment, then
// 2^k times 33/32, 34/32 ... 64/32. A greater index means a greater block.
BlockSize block_size(size_t n) {
  if (n <= 4096) {
    size_t units = n == 0 ? 1 : (n + kAlign - 1) / kAlign;
    return {units, units * kAlign};
  }
  size_t octave = 64 - __builtin_clzll(n - 1);  // 2^(octave-1) < n <= 2^octave
  size_t step = (size_t{1} << (octave - 1)) / kOctave;
  size_t bytes = (n + step - 1) / step * step;
  return {octave * kOctave + bytes / step - kOctave, bytes};
}

// bytes_of is the size of the blocks with an index.
size_t bytes_of(size_t index) {
  if (index <= 4096 / kAlign) return index * kAlign;
  size_t octave = (index - 1) / kOctave;
  return ((size_t{1} << (octave - 1)) / kOctave) * (index - octave * kOctave + kOctave);
}

// lasting says that this thread's tensors are here to stay: they take no larger
// blocks than they need from those of a step.
thread_local bool lasting = false;

class BlockAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t n) override {
    if (n == 0) return {nullptr, nullptr, &release, c10::DeviceType::CPU};
    BlockSize size = block_size(n);
    char* block = take(size.index);
    if (!block) {
      block = fresh(size);
      *reinterpret_cast<size_t*>(block) = size.index;
    }
    count(static_cast<int64_t>(bytes_of(*reinterpret_cast<size_t*>(block))));
    void* data = block + kAlign;
    return {data, data, &release, c10::DeviceType::CPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* dest, const void* src, size_t n) const override { default_copy_data(dest, src, n); }

  // peak returns the most bytes that tensors had at a time since it was last called.
  int64_t peak() { return peak_.exchange(used_); }

  // drop gives the pages of what waits back to the system. The blocks stay, and
  // get pages again where they are used again.
  void drop() {
    std::lock_guard<std::mutex> hold(lock_);
    for (size_t i = 0; i < kSizes; i++)
      for (char* block : waiting_[i]) {
        auto from = (reinterpret_cast<uintptr_t>(block) + kAlign + kPage - 1) / kPage * kPage;
        auto to = (reinterpret_cast<uintptr_t>(block) + kAlign + bytes_of(i)) / kPage * kPage;
        if (to > from) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
      }
    malloc_trim(0);
  }

 private:
  static void release(void* data);

  void count(int64_t bytes) {
    int64_t used = used_ += bytes;
    for (int64_t peak = peak_; used > peak && !peak_.compare_exchange_weak(peak, used);) {
    }
  }

  // take looks for a waiting block of the size, or up to an octave above: a
  // batch with shorter texts than the last one uses what that left.
  char* take(size_t index) {
    std::lock_guard<std::mutex> hold(lock_);
    size_t end = lasting ? index : std::min(index + kOctave, kSizes - 1);
    for (size_t i = index; i <= end; i++) {
      auto& list = waiting_[i];
      if (list.empty()) continue;
      char* block = list.back();
      list.pop_back();
      return block;
    }
    return nullptr;
  }

  // fresh cuts a block off the current arena: blocks of all sizes lie side by
  // side in huge pages, so that large weights take few entries of the TLB.
  char* fresh(BlockSize size) {
    size_t bytes = size.bytes + kAlign;
    std::lock_guard<std::mutex> hold(lock_);
    if (bytes > kArena / 4) return map(bytes);
    if (bytes > left_) arena_ = map(kArena), left_ = kArena;
    char* block = arena_;
    arena_ += bytes, left_ -= bytes;
    return block;
  }

  // map asks the system for memory that begins with a huge page.
  static char* map(size_t bytes) {
    size_t all = bytes + kHugePage;
    void* at = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    TORCH_CHECK(at != MAP_FAILED, "out of memory: no ", bytes, " bytes for a tensor");
    auto begin = (reinterpret_cast<uintptr_t>(at) + kHugePage - 1) / kHugePage * kHugePage;
    madvise(reinterpret_cast<void*>(begin), bytes, MADV_HUGEPAGE);
    return reinterpret_cast<char*>(begin);
  }

  char* arena_ = nullptr;
  size_t left_ = 0;
  std::atomic<int64_t> used_{0}, peak_{0};
  std::mutex lock_;
  std::array<std::vector<char*>, kSizes> waiting_;
};

// Never destroyed: tensors may be freed after the last destructor ran.
BlockAllocator& blocks() {
  static auto* one = new BlockAllocator;
  return *one;
}

void BlockAllocator::release(void* data) {
  if (!data) return;
  char* block = static_cast<char*>(data) - kAlign;
  size_t index = *reinterpret_cast<size_t*>(block);
  auto& b = blocks();
  b.used_ -= static_cast<int64_t>(bytes_of(index));
  std::lock_guard<std::mutex> hold(b.lock_);
  b.waiting_[index].push_back(block);
}

// Before there is a tensor and before there are threads.
__attribute__((constructor)) void install() {
  c10::SetCPUAllocator(&blocks(), 1);
#ifdef __GLIBC__
  // Go moves work between threads, and glibc gives each thread a heap of its
  // own that keeps what it had once.
  mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace

extern "C" void vt_drop_cache(void) { blocks().drop(); }
extern "C" int64_t vt_peak_memory(void) { return blocks().peak(); }
extern "C" void vt_lasting(int on) { lasting = on != 0; }
