// Linear layers under autocast on a CPU. libtorch keeps the bf16 copy of each
// weight from the forward to the backward, 420 MB of the official model; here the
// backward makes it again, at the price of a second cast.

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "native.h"
#include "status.h"

namespace {

struct LinearNode : torch::autograd::Function<LinearNode> {
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

}  // namespace

extern "C" void* vt_linear(void* x_, void* weight_, void* bias_) {
  void* out = nullptr;
  status([&] {
    auto& x = *static_cast<at::Tensor*>(x_);
    auto& weight = *static_cast<at::Tensor*>(weight_);
    std::optional<at::Tensor> bias;
    if (bias_) bias = *static_cast<at::Tensor*>(bias_);
    bool ours = x.is_cpu() && x.dim() > 1 && weight.scalar_type() == at::kFloat && at::autocast::is_autocast_enabled(at::kCPU);
    out = new at::Tensor(ours ? LinearNode::apply(x.to(at::kBFloat16), weight, bias) : at::linear(x, weight, bias));
  });
  return out;
}
