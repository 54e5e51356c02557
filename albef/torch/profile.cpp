// Which operations take the time: libtorch calls back before and after each,
// forward and backward, on every thread. Where a device works on its own, it is
// waited for before and after, so that its time is the operation's.

#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/record_function.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "native.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Sum {
  int64_t calls = 0;
  double own = 0;  // seconds, without the operations within
};

std::mutex lock;
std::map<std::string, Sum> sums;
int waits = -1;  // the CUDA device that is waited for, or -1

void wait() {
  if (waits >= 0) at::detail::getCUDAHooks().deviceSynchronize(static_cast<c10::DeviceIndex>(waits));
}

thread_local std::vector<double> within;  // seconds of what has ended inside each running operation

struct Begun : at::ObserverContext {
  Clock::time_point at;
};

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
  auto begun = std::make_unique<Begun>();
  wait();
  within.push_back(0);
  begun->at = Clock::now();
  return begun;
}

void end(const at::RecordFunction& f, at::ObserverContext* context) {
  wait();
  std::chrono::duration<double> took = Clock::now() - static_cast<Begun*>(context)->at;
  if (within.empty()) return;  // begun before the profile was
  double inner = within.back();
  within.pop_back();
  if (!within.empty()) within.back() += took.count();
  std::lock_guard<std::mutex> hold(lock);
  auto& sum = sums[f.name()];
  sum.calls++;
  sum.own += took.count() - inner;
}

at::CallbackHandle handle = at::INVALID_CALLBACK_HANDLE;
std::string report;

}  // namespace

extern "C" {

void vt_profile_begin(int device) {
  sums.clear();
  waits = device;
  handle = at::addGlobalCallback(at::RecordFunctionCallback(&begin, &end));
}

const char* vt_profile_end(void) {
  at::removeCallback(handle);
  report.clear();
  for (const auto& [name, sum] : sums)
    report += name + "\t" + std::to_string(sum.calls) + "\t" + std::to_string(static_cast<int64_t>(sum.own * 1e9)) + "\n";
  return report.c_str();
}

}  // extern "C"
