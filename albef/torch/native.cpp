#include "native.h"
#include "status.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_fused_adamw.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <omp.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/torch.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

thread_local std::string last_error;

at::Tensor& T(void* p) { return *static_cast<at::Tensor*>(p); }
void* own(at::Tensor t) { return new at::Tensor(std::move(t)); }

std::vector<at::Tensor> list(void** ts, int64_t n) {
  std::vector<at::Tensor> out;
  out.reserve(n);
  for (int64_t i = 0; i < n; i++) out.push_back(T(ts[i]));
  return out;
}

at::Device device_of(int d) {
  if (d == -2) return at::Device(at::kMeta);
  return d < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, d);
}

// guard runs f and keeps the message of what it throws.
template <class F>
auto guard(F f, decltype(f()) failed) noexcept -> decltype(f()) {
  try {
    return f();
  } catch (const c10::Error& e) {
    last_error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown C++ exception";
  }
  return failed;
}

template <class F>
void* tensor(F f) noexcept {
  return guard([&]() -> void* { return own(f()); }, nullptr);
}

}  // namespace

extern "C" {

const char* vt_error(void) { return last_error.c_str(); }
void vt_fail(const char* why) { last_error = why; }

const char* vt_version(void) { return TORCH_VERSION; }

// cuDNN's attention is left out: it compiles a plan for each shape that it meets,
// and where texts change in length that is often, and can't be done in a recording.
int vt_load_cuda(const char* path) {
  if (!dlopen(path, RTLD_NOW | RTLD_GLOBAL)) {
    last_error = dlerror();
    return 1;
  }
  at::globalContext().setSDPUseCuDNN(false);
  return 0;
}

int vt_cuda_count(void) {
  return guard([] { return at::globalContext().hasCUDA() ? static_cast<int>(torch::cuda::device_count()) : 0; }, 0);
}

// What libtorch has taken of the device, its cache included.
int64_t vt_cuda_peak(int device) {
  return guard([&] {
    auto stats = c10::getDeviceAllocator(at::kCUDA)->getDeviceStats(static_cast<c10::DeviceIndex>(device));
    return static_cast<int64_t>(stats.reserved_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak);
  }, int64_t{0});
}

// The driver is asked itself: libtorch's own function wants CUDA's headers.
int vt_cuda_card(int device, char* name, int size, uint64_t* bytes) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver) return 1;
  auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  auto tell = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  auto memory = reinterpret_cast<int (*)(size_t*, int)>(dlsym(driver, "cuDeviceTotalMem_v2"));
  int card = 0;
  size_t total = 0;
  if (!init || !get || !tell || !memory || init(0) || get(&card, device) || tell(name, size, card) || memory(&total, card)) return 1;
  *bytes = total;
  return 0;
}

void vt_set_threads(int n) { at::set_num_threads(n); }
void vt_release_threads(void) { omp_pause_resource(omp_pause_soft, omp_get_initial_device()); }
int vt_get_threads(void) { return at::get_num_threads(); }

const char* vt_cpu_capability(void) {
  static thread_local std::string s;
  s = at::get_cpu_capability();
  return s.c_str();
}

void* vt_from_data(const void* data, const int64_t* shape, int ndim, int dtype, int device) {
  if (vt_unsealed("elements from the host")) return nullptr;
  return tensor([&] {
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    auto t = at::empty(at::IntArrayRef(shape, ndim), options);
    std::memcpy(t.data_ptr(), data, t.nbytes());
    return device == -1 ? t : t.to(device_of(device));
  });
}

int vt_to_host(void* t, void* dst, int64_t bytes) {
  if (vt_unsealed("elements read")) return 1;
  return status([&] {
    auto h = T(t).detach().to(at::kCPU).contiguous();
    TORCH_CHECK(static_cast<int64_t>(h.nbytes()) == bytes, "copy to host: tensor has ", h.nbytes(), " bytes, buffer ", bytes);
    std::memcpy(dst, h.data_ptr(), bytes);
  });
}

int vt_meta(void* t, int64_t* shape, int cap, int* ndim, int* dtype, int* device) {
  return status([&] {
    auto& x = T(t);
    *ndim = static_cast<int>(x.dim());
    *dtype = static_cast<int>(x.scalar_type());
    *device = x.is_cuda() ? x.get_device() : x.is_meta() ? -2 : -1;
    for (int i = 0; i < *ndim && i < cap; i++) shape[i] = x.size(i);
  });
}

int vt_item(void* t, double* out) {
  if (vt_unsealed("an element read")) return 1;
  return status([&] { *out = T(t).item().toDouble(); });
}

void vt_free(void** ts, int64_t n) {
  for (int64_t i = 0; i < n; i++) delete static_cast<at::Tensor*>(ts[i]);
}

int vt_copy(void* dst, void* src) {
  if (T(dst).device() != T(src).device() && vt_unsealed("a copy between devices")) return 1;
  return status([&] {
    at::NoGradGuard no_grad;
    T(dst).copy_(T(src));
  });
}

// From ordinary to a device's memory goes through pinned memory, so that nobody
// waits for the copy.
void* vt_to_device(void* t, int device) {
  if (vt_unsealed("a copy between devices")) return nullptr;
  return tensor([&] {
    auto& x = T(t);
    auto to = device_of(device);
    if (to.is_cuda() && !x.is_cuda()) return x.pin_memory().to(to, x.scalar_type(), /*non_blocking=*/true);
    return x.to(to);
  });
}

namespace {

// Aside is a stream beside that of the work, and the one it left. There are two a
// device: what is begun on the one that waits, is begun after the work so far.
struct Aside {
  c10::impl::VirtualGuardImpl device{c10::DeviceType::CUDA};
  c10::Stream work, own;
  Aside(c10::Device d, bool waits) : work(device.getStream(d)), own(side(device, d, waits)) {
    if (waits) follow(work, own);
    device.exchangeStream(own);
  }

  // follow has one stream wait for what was begun on another.
  static void follow(c10::Stream first, c10::Stream then) {
    c10::Event done(c10::DeviceType::CUDA);
    done.record(first);
    done.block(then);
  }

  static c10::Stream side(const c10::impl::VirtualGuardImpl& device, c10::Device d, bool waits) {
    if (!waits && vt_graph_broke()) return device.getStream(d);
    static std::map<std::pair<c10::DeviceIndex, bool>, c10::Stream> streams;
    auto key = std::make_pair(d.index(), waits);
    auto found = streams.find(key);
    if (found == streams.end()) found = streams.emplace(key, device.getStreamFromGlobalPool(d, false)).first;
    return found->second;
  }
};

}  // namespace

void* vt_aside_begin(int device, int waits) {
  return guard([&]() -> void* { return new Aside(device_of(device), waits != 0); }, nullptr);
}

// The work's stream waits for what was begun aside, and what was made there is
// not given to anybody else before the work has used it.
int vt_aside_end(void* aside, void** ts, int64_t n) {
  std::unique_ptr<Aside> a(static_cast<Aside*>(aside));
  return status([&] {
    a->device.exchangeStream(a->work);
    Aside::follow(a->own, a->work);
    for (int64_t i = 0; i < n; i++)
      if (T(ts[i]).is_cuda()) T(ts[i]).record_stream(a->work);
  });
}

void* vt_alias(void* t) {
  return tensor([&] { return T(t); });
}

void* vt_data(void* t) {
  return tensor([&] { return T(t).variable_data(); });
}

void* vt_clone(void* t) {
  return tensor([&] { return T(t).clone(); });
}

int64_t vt_data_ptr(void* t) {
  return guard([&] { return reinterpret_cast<int64_t>(T(t).data_ptr()); }, int64_t{0});
}

void* vt_scale_add(void* t, double scale, double shift) {
  return tensor([&] {
    auto& x = T(t);
    if (shift == 0) return x * scale;
    return scale == 1 ? x + shift : x * scale + shift;
  });
}

void* vt_full(const int64_t* shape, int ndim, double value, int dtype, int device) {
  return tensor([&] {
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(device_of(device));
    return at::full(at::IntArrayRef(shape, ndim), value, options);
  });
}

void* vt_arange(int64_t from, int64_t to, int64_t step, int device) {
  return tensor([&] { return at::arange(from, to, step, at::TensorOptions().dtype(at::kLong).device(device_of(device))); });
}

void* vt_eye(int64_t n, int device) {
  return tensor([&] { return at::eye(n, at::TensorOptions().dtype(at::kFloat).device(device_of(device))); });
}

void* vt_mod(void* t, int64_t n) {
  return tensor([&] { return at::remainder(T(t), n); });
}

int vt_index_copy(void* t, int64_t dim, void* index, void* src) {
  return status([&] {
    at::NoGradGuard no_grad;
    T(t).index_copy_(dim, T(index), T(src));
  });
}

// What torch.multinomial does once it has looked at the weights: the greatest of
// weight / q, with q drawn from the exponential distribution.
void* vt_draw(void* weights, int64_t n) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    auto q = at::empty_like(T(weights)).exponential_(1);
    at::div_out(q, T(weights), q);
    return n == 1 ? at::argmax(q, -1, true) : std::get<1>(q.topk(n));
  });
}

void* vt_multinomial(void* weights, int64_t n) {
  if (vt_unsealed("weights read")) return nullptr;
  return tensor([&] { return at::multinomial(T(weights), n); });
}

void* vt_view(void* t, const int64_t* shape, int ndim) {
  return tensor([&] { return T(t).reshape(at::IntArrayRef(shape, ndim)); });
}

void* vt_expand(void* t, const int64_t* shape, int ndim) {
  return tensor([&] { return T(t).expand(at::IntArrayRef(shape, ndim)); });
}

void* vt_clamp(void* t, double lo, double hi) {
  return tensor([&] { return at::clamp(T(t), lo, hi); });
}

void* vt_masked_fill(void* t, void* mask, double value) {
  return tensor([&] { return T(t).masked_fill(T(mask), value); });
}

void* vt_normalize(void* t, int64_t dim) {
  return tensor([&] {
    auto& x = T(t);
    return x / x.norm(2, dim, true).clamp_min(1e-12);
  });
}

int vt_fill_uniform(void* t, double lo, double hi) {
  return status([&] {
    at::NoGradGuard no_grad;
    T(t).uniform_(lo, hi);
  });
}

int vt_fill_normal(void* t, double mean, double std) {
  return status([&] {
    at::NoGradGuard no_grad;
    T(t).normal_(mean, std);
  });
}

int vt_clamp_inplace(void* t, double lo, double hi) {
  return status([&] {
    at::NoGradGuard no_grad;
    T(t).clamp_(lo, hi);
  });
}

int vt_zero_diagonal(void* t) {
  return status([&] {
    at::NoGradGuard no_grad;
    T(t).fill_diagonal_(0);
  });
}

void* vt_compare(void* t, double value, int op) {
  return tensor([&] {
    auto& x = T(t);
    switch (op) {
      case 0: return x.eq(value);
      case 1: return x.ne(value);
      case 2: return x.lt(value);
      case 3: return x.gt(value);
      default: throw std::invalid_argument("compare: unknown operator");
    }
  });
}

int vt_set_requires_grad(void* t, int on) {
  return status([&] { T(t).requires_grad_(on != 0); });
}

int vt_zero_grad(void** ts, int64_t n) {
  return status([&] {
    for (int64_t i = 0; i < n; i++) T(ts[i]).mutable_grad() = at::Tensor();
  });
}

// A parameter without a gradient gives NULL.
int vt_grads(void** ts, int64_t n, void** out) {
  return status([&] {
    for (int64_t i = 0; i < n; i++) {
      auto& g = T(ts[i]).mutable_grad();
      if (g.defined() && g.is_sparse()) g = g.to_dense();  // of an embedding alone
      out[i] = g.defined() ? own(g) : nullptr;
    }
  });
}

int vt_gradients(void* loss, void** inputs, int64_t n, int keep, void** out) {
  return status([&] {
    auto grads = torch::autograd::grad({T(loss)}, list(inputs, n), {}, keep != 0, false, true);
    for (int64_t i = 0; i < n; i++) out[i] = grads[i].defined() ? own(grads[i]) : nullptr;
  });
}

int vt_backward(void* loss) {
  return status([&] { T(loss).backward(); });
}

// What needs no gradient is no root.
int vt_backward_with(void** outs, void** grads, int64_t n) {
  return status([&] {
    std::vector<at::Tensor> roots, with;
    for (int64_t i = 0; i < n; i++)
      if (T(outs[i]).requires_grad()) roots.push_back(T(outs[i])), with.push_back(T(grads[i]));
    if (!roots.empty()) torch::autograd::backward(roots, with);
  });
}

int vt_grad_enabled(void) { return at::GradMode::is_enabled(); }

int vt_fused_adamw(void** params, void** grads, void** m, void** v, void** steps, int64_t n, double lr, void* rate, double beta1,
                   double beta2, double decay, double eps) {
  return status([&] {
    at::NoGradGuard no_grad;
    auto counts = list(steps, n);
    at::_foreach_add_(counts, 1);
    auto update = [&](const auto& lr) {
      at::_fused_adamw_(list(params, n), list(grads, n), list(m, n), list(v, n), {}, counts, lr, beta1, beta2, decay, eps, false, false, {}, {});
    };
    rate ? update(T(rate)) : update(lr);
    count_optimised();
  });
}

int vt_foreach_lerp(void** ts, void** ends, int64_t n, double weight) {
  return status([&] {
    at::NoGradGuard no_grad;
    at::_foreach_lerp_(list(ts, n), list(ends, n), weight);
  });
}

void* vt_total_norm(void** ts, int64_t n) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    return at::stack(at::_foreach_norm(list(ts, n), 2)).norm(2);
  });
}

int vt_foreach_scale(void** ts, int64_t n, void* scale) {
  return status([&] {
    at::NoGradGuard no_grad;
    at::_foreach_mul_(list(ts, n), T(scale));
  });
}

int vt_autocast_enter(int cuda) {
  auto kind = cuda ? at::kCUDA : at::kCPU;
  return guard(
      [&] {
        int was = at::autocast::is_autocast_enabled(kind) ? 1 : 0;
        at::autocast::set_autocast_dtype(kind, at::kBFloat16);
        at::autocast::set_autocast_enabled(kind, true);
        at::autocast::increment_nesting();
        return was;
      },
      -1);
}

int vt_autocast_leave(int cuda) {
  auto kind = cuda ? at::kCUDA : at::kCPU;
  return status([&] {
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
      at::autocast::set_autocast_enabled(kind, false);
    }
  });
}

int vt_autocast_set(int cuda, int on) {
  auto kind = cuda ? at::kCUDA : at::kCPU;
  int was = at::autocast::is_autocast_enabled(kind) ? 1 : 0;
  at::autocast::set_autocast_enabled(kind, on != 0);
  return was;
}

int vt_autocast_on(int cuda) { return at::autocast::is_autocast_enabled(cuda ? at::kCUDA : at::kCPU); }

int vt_seed(int64_t seed) {
  return status([&] { torch::manual_seed(seed); });
}

void* vt_rng_state(int device) {
  return tensor([&] { return at::globalContext().defaultGenerator(device_of(device)).get_state(); });
}

int vt_set_rng_state(int device, void* state) {
  return status([&] {
    auto g = at::globalContext().defaultGenerator(device_of(device));
    g.set_state(T(state));
  });
}

}  // extern "C"
