// Backward and AdamW in one walk: a parameter is moved soon after its gradient is
// complete, and the gradient freed, so that all gradients together are never in
// memory.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adamw.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <map>
#include <vector>

#include "native.h"
#include "status.h"

namespace {

struct Options {
  double lr, beta1, beta2, eps;
};

// Moments are a parameter's state, made at its first gradient.
struct Moments {
  void **m, **v, **steps;
  double decay;
};

// Lasting says that what is made meanwhile is here to stay.
struct Lasting {
  Lasting() { vt_lasting(1); }
  ~Lasting() { vt_lasting(0); }
};

void* zeros(const at::Tensor& like, at::IntArrayRef shape) {
  return new at::Tensor(at::zeros(shape, like.options().dtype(at::kFloat).requires_grad(false)));
}

// Pending are parameters whose gradients are complete. They are moved some at a
// time: a gradient that another core has just written takes longer to fetch from
// its cache than from memory.
class Pending {
 public:
  explicit Pending(Options o) : o_(o) {}

  void add(const at::Tensor& param, const Moments& s) {
    if (!*s.m) {
      Lasting lasting;
      *s.m = zeros(param, param.sizes()), *s.v = zeros(param, param.sizes()), *s.steps = zeros(param, {});
    }
    auto tensor = [](void* p) { return *static_cast<at::Tensor*>(p); };
    auto grad = param.grad();
    param.mutable_grad() = at::Tensor();
    if (grad.is_sparse()) grad = grad.to_dense();  // of an embedding alone
    auto& g = groups_[s.decay];
    g.params.push_back(param), g.grads.push_back(grad);
    g.m.push_back(tensor(*s.m)), g.v.push_back(tensor(*s.v)), g.steps.push_back(tensor(*s.steps));
    bytes_ += grad.nbytes();
    if (bytes_ >= kEnough) flush();
  }

  void flush() {
    at::NoGradGuard no_grad;
    for (auto& [decay, g] : groups_) {
      at::_foreach_add_(g.steps, 1);
      at::_fused_adamw_(g.params, g.grads, g.m, g.v, {}, g.steps, o_.lr, o_.beta1, o_.beta2, decay, o_.eps, false, false, {}, {});
    }
    count_optimised();
    groups_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr size_t kEnough = 20u << 20;
  struct Group {
    std::vector<at::Tensor> params, grads, m, v, steps;
  };
  Options o_;
  std::map<double, Group> groups_;  // by decay
  size_t bytes_ = 0;
};

struct Update : torch::autograd::PostAccumulateGradHook {
  Pending& pending;
  Moments s;
  Update(Pending& pending, Moments s) : pending(pending), s(s) {}

  void operator()(const at::Tensor& param) override { pending.add(param, s); }
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
                                 void* rate, double beta1, double beta2, double eps) {
  return status([&] {
    if (rate) lr = static_cast<at::Tensor*>(rate)->item<double>();
    Pending pending(Options{lr, beta1, beta2, eps});
    Hooked hooked;
    for (int64_t i = 0; i < n; i++) {
      auto& p = *static_cast<at::Tensor*>(params[i]);
      hooked.params.push_back(p);
      torch::autograd::impl::set_post_acc_grad_hooks(
          p, std::make_unique<Update>(pending, Moments{&m[i], &v[i], &steps[i], decays[i]}));
    }
    static_cast<at::Tensor*>(loss)->backward();
    pending.flush();
  });
}
