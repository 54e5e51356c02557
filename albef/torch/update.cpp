// Backward and AdamW in one walk: a parameter is moved as soon as its gradient is
// complete, and the gradient freed, so that all gradients together are never in
// memory.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "native.h"

namespace {

struct Options {
  double lr, beta1, beta2, eps;
};

// Moments are a parameter's state, made at its first gradient.
struct Moments {
  void **m, **v, **steps;
  double decay;
};

void* zeros(const at::Tensor& like, at::IntArrayRef shape) {
  return new at::Tensor(at::zeros(shape, like.options().dtype(at::kFloat).requires_grad(false)));
}

struct Update : torch::autograd::PostAccumulateGradHook {
  Options o;
  Moments s;
  Update(Options o, Moments s) : o(o), s(s) {}

  void operator()(const at::Tensor& param) override {
    at::NoGradGuard no_grad;
    if (!*s.m) *s.m = zeros(param, param.sizes()), *s.v = zeros(param, param.sizes()), *s.steps = zeros(param, {});
    auto tensor = [](void* p) { return *static_cast<at::Tensor*>(p); };
    auto count = tensor(*s.steps), grad = param.grad();
    if (grad.is_sparse()) grad = grad.to_dense();  // of an embedding alone
    count.add_(1);
    at::_fused_adamw_({param}, {grad}, {tensor(*s.m)}, {tensor(*s.v)}, {}, {count}, o.lr, o.beta1, o.beta2, s.decay, o.eps, false, false,
                      {}, {});
    param.mutable_grad() = at::Tensor();
  }
};

// Hooked takes the hooks off again, whatever happens.
struct Hooked {
  std::vector<at::Tensor> params;
  ~Hooked() {
    for (auto& p : params) torch::autograd::impl::set_post_acc_grad_hooks(p, nullptr);
  }
};

}  // namespace

extern "C" int vt_backward_adamw(void* loss, void** params, void** m, void** v, void** steps, const double* decays, int64_t n, double lr,
                                 double beta1, double beta2, double eps) {
  try {
    Hooked hooked;
    for (int64_t i = 0; i < n; i++) {
      auto& p = *static_cast<at::Tensor*>(params[i]);
      hooked.params.push_back(p);
      torch::autograd::impl::set_post_acc_grad_hooks(
          p, std::make_unique<Update>(Options{lr, beta1, beta2, eps}, Moments{&m[i], &v[i], &steps[i], decays[i]}));
    }
    static_cast<at::Tensor*>(loss)->backward();
    return 0;
  } catch (const c10::Error& e) {
    vt_fail(e.what_without_backtrace());
  } catch (const std::exception& e) {
    vt_fail(e.what());
  }
  return 1;
}
