// Forced in front of gotch's C++ (-include): gotch v0.9.1 was written against
// libtorch 2.1, and three functions have other signatures in 2.11. The
// overloads below carry the old signatures, so that gotch compiles unmodified;
// vlab calls none of the three, and its own C++ (VLAB_OWN) is spared the includes.
#pragma once
#if defined(__cplusplus) && !defined(VLAB_OWN)
#include <torch/torch.h>

#include <stdexcept>
#include <tuple>

namespace torch {

[[noreturn]] inline void vlab_gone(const char* name) {
  throw std::runtime_error(std::string(name) + ": libtorch 2.11 has another signature for it");
}

inline at::Tensor _cslt_sparse_mm(const at::Tensor&, const at::Tensor&, const at::Tensor&, bool) {
  vlab_gone("_cslt_sparse_mm");
}

inline std::tuple<at::Tensor, at::Tensor> _scaled_mm(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                                     c10::optional<at::ScalarType>, const at::Tensor&,
                                                     const at::Tensor&, const at::Tensor&) {
  vlab_gone("_scaled_mm");
}

inline std::tuple<at::Tensor, at::Tensor> _scaled_mm_out(at::Tensor&, at::Tensor&, const at::Tensor&,
                                                         const at::Tensor&, const at::Tensor&,
                                                         c10::optional<at::ScalarType>, const at::Tensor&,
                                                         const at::Tensor&, const at::Tensor&) {
  vlab_gone("_scaled_mm_out");
}

}  // namespace torch
#endif
