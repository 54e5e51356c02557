// Linear layers on a CPU.
//
// Under autocast libtorch keeps the bf16 copy of each weight from the forward to
// the backward, 420 MB of the official model; here the backward makes it again, at
// the price of a second cast.
//
// In fp32 libtorch's products are MKL's, which on AMD's processors are slow where
// rows are few or a matrix isn't turned: the forward and the gradient of the input
// are oneDNN's here, up to twice as fast. MKL's is the faster one for a weight's
// gradient.
//
// oneDNN lays a weight out anew for each product, which takes a quarter of the time
// at 577 rows. A weight that is used again and again without gradients, as in
// queries, is therefore kept as it wants it.

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <atomic>
#include <mutex>
#include <unordered_map>

#include "native.h"
#include "status.h"

namespace {

// onednn is libtorch's way to oneDNN's product of dense matrices, nullptr in a
// build that has none.
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                             c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

const c10::TypedOperatorHandle<Pointwise>* onednn() {
  static const auto found = [] {
    std::optional<c10::TypedOperatorHandle<Pointwise>> typed;
    if (auto op = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""})) typed = op->typed<Pointwise>();
    return typed;
  }();
  return found ? &*found : nullptr;
}

// optimised counts steps of an optimiser: libtorch's fused AdamW does not count a
// parameter's version up.
std::atomic<int64_t> optimised{0};

// Packed are weights as oneDNN wants them, for the number of rows that they are used
// with. A weight's version and the steps tell whether it has been changed since.
class Packed {
 public:
  // find returns the packed form, an undefined tensor where the weight has not been
  // used often enough as it is.
  at::Tensor find(const at::Tensor& weight, at::ScalarType type, int64_t rows) {
    Key key{weight.unsafeGetTensorImpl(), type};
    auto version = std::make_pair(int64_t(weight._version()), optimised.load());
    std::lock_guard lock(mutex_);
    auto& e = entries_[key];
    if (e.of.expired() || e.version != version || e.rows != rows) {
      drop();
      entries_[key] = Entry{Weak(weight.getIntrusivePtr()), version, rows, 1, {}};
      return {};
    }
    if (!e.packed.defined() && ++e.uses >= kOften) e.packed = pack(weight.to(type), rows);
    return e.packed;
  }

 private:
  static constexpr int kOften = 3;
  struct Weak {
    c10::weak_intrusive_ptr<c10::TensorImpl> p;
    Weak() : p(c10::intrusive_ptr<c10::TensorImpl>()) {}
    explicit Weak(const c10::intrusive_ptr<c10::TensorImpl>& t) : p(t) {}
    bool expired() const { return p.expired(); }
  };
  struct Entry {
    Weak of;
    std::pair<int64_t, int64_t> version;
    int64_t rows = 0;
    int uses = 0;
    at::Tensor packed;
  };
  struct Key {
    c10::TensorImpl* weight;
    at::ScalarType type;
    bool operator==(const Key& o) const { return weight == o.weight && type == o.type; }
  };
  struct Hash {
    size_t operator()(const Key& k) const { return std::hash<void*>()(k.weight) ^ size_t(k.type); }
  };

  // drop forgets weights that are no more.
  void drop() {
    for (auto it = entries_.begin(); it != entries_.end();)
      it = it->second.of.expired() ? entries_.erase(it) : std::next(it);
  }

  static at::Tensor pack(const at::Tensor& weight, int64_t rows) {
    using Reorder = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>);
    static const auto op = c10::Dispatcher::singleton().findSchema({"mkldnn::_reorder_linear_weight", ""});
    if (!op) return {};
    return op->typed<Reorder>().call(weight, c10::SymInt(rows));
  }

  std::mutex mutex_;
  std::unordered_map<Key, Entry, Hash> entries_;
};

Packed& packed() {
  static auto* p = new Packed;  // outlives what the process still does at its end
  return *p;
}

// asked is rows [M, K] by a turned weight [N, K] without gradients: undefined where
// that is to be done as otherwise.
at::Tensor asked(const at::Tensor& rows, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  if (at::GradMode::is_enabled() || rows.size(0) < 16 || weight.numel() < 1 << 18 || !weight.is_leaf() || !onednn()) return {};
  at::AutoDispatchBelowADInplaceOrView below;
  auto w = packed().find(weight, rows.scalar_type(), rows.size(0));
  if (!w.defined()) return {};
  std::optional<at::Tensor> b;
  if (bias) b = bias->to(rows.scalar_type());
  return onednn()->call(rows, w, b, "none", c10::List<std::optional<at::Scalar>>(), "");
}

struct HalfLinearNode : torch::autograd::Function<HalfLinearNode> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor x, at::Tensor weight, std::optional<at::Tensor> bias) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["bias"] = bias.has_value();
    auto rows = x.flatten(0, -2), turned = weight.to(at::kBFloat16).t();
    auto out = bias ? at::addmm(bias->to(at::kBFloat16), rows, turned) : at::mm(rows, turned);
    auto shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return out.view(shape);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto saved = ctx->get_saved_variables();
    auto &x = saved[0], &weight = saved[1];
    auto dout = grads[0].to(at::kBFloat16).flatten(0, -2);
    at::Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) dx = dout.mm(weight.to(at::kBFloat16)).view(x.sizes());
    if (ctx->needs_input_grad(1)) dweight = dout.t().mm(x.flatten(0, -2)).to(at::kFloat);
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) dbias = dout.sum(0, false, at::kFloat);
    return {dx, dweight, dbias};
  }
};

// by_onednn tells whether a product gains by it. oneDNN compiles a kernel for each
// number of rows that it hasn't met, some milliseconds, which small models with
// texts of all lengths never earn back.
bool by_onednn(int64_t rows, const at::Tensor& weight) { return rows > 0 && weight.numel() >= 1 << 18 && onednn(); }

// product is rows [M, K] by the turned weight [N, K], plus bias [N].
at::Tensor product(const at::Tensor& rows, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  if (by_onednn(rows.size(0), weight)) {
    at::AutoDispatchBelowADInplaceOrView below;
    return onednn()->call(rows, weight, bias, "none", c10::List<std::optional<at::Scalar>>(), "");
  }
  return bias ? at::addmm(*bias, rows, weight.t()) : at::mm(rows, weight.t());
}

struct PlainLinearNode : torch::autograd::Function<PlainLinearNode> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor x, at::Tensor weight, std::optional<at::Tensor> bias) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["bias"] = bias.has_value();
    auto shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return product(x.flatten(0, -2), weight, bias).view(shape);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto saved = ctx->get_saved_variables();
    auto &x = saved[0], &weight = saved[1];
    auto dout = grads[0].flatten(0, -2);
    at::Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) dx = product(dout, weight.t(), std::nullopt).view(x.sizes());
    if (ctx->needs_input_grad(1)) dweight = dout.t().mm(x.flatten(0, -2));
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) dbias = dout.sum(0);
    return {dx, dweight, dbias};
  }
};

}  // namespace

void count_optimised() { optimised++; }

extern "C" void* vt_linear(void* x_, void* weight_, void* bias_) {
  void* out = nullptr;
  status([&] {
    auto& x = *static_cast<at::Tensor*>(x_);
    auto& weight = *static_cast<at::Tensor*>(weight_);
    std::optional<at::Tensor> bias;
    if (bias_) bias = *static_cast<at::Tensor*>(bias_);
    bool ours = x.is_cpu() && x.dim() > 1 && weight.scalar_type() == at::kFloat;
    bool half = ours && at::autocast::is_autocast_enabled(at::kCPU);
    if (half || (ours && x.scalar_type() == at::kFloat)) {
      auto shape = x.sizes().vec();
      shape.back() = weight.size(0);
      auto rows = x.flatten(0, -2);
      if (auto y = asked(half ? rows.to(at::kBFloat16) : rows, weight, bias); y.defined()) {
        out = new at::Tensor(y.view(shape));
        return;
      }
    }
    if (half)
      out = new at::Tensor(HalfLinearNode::apply(x.to(at::kBFloat16), weight, bias));
    else if (ours && x.scalar_type() == at::kFloat)
      out = new at::Tensor(PlainLinearNode::apply(x, weight, bias));
    else
      out = new at::Tensor(at::linear(x, weight, bias));
  });
  return out;
}
