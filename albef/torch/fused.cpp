// Operations of a transformer layer that libtorch does in many passes over
// memory, on a CPU in one: dropout, residual sum with layer norm, and attention
// over images that several texts share. Each is a node of autograd whose
// backward draws its dropout again instead of storing it. On CUDA, and for what
// they don't cover, they are composed of libtorch's own.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "native.h"
#include "status.h"

namespace {

struct bf16 {
  uint16_t bits;
};

// Dropout is one draw for a whole tensor.
struct Dropout {
  uint64_t seed = 0;
  uint32_t threshold = 0;  // keeps a hash from there on; 0: keeps everything
  float scale = 1;

  uint32_t key(int64_t row) const {
    uint64_t z = seed + 0x9e3779b97f4a7c15u * static_cast<uint64_t>(row + 1);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<uint32_t>(z ^ (z >> 31));
  }
};

template <class T>
struct Norm {
  int64_t width;
  float eps;
  const float* x;
  const T* y;  // NULL: the norm of x alone
  const float *weight, *bias;
  float *sum, *full;  // full: NULL where nobody wants it
  T* low;             // NULL likewise
  float *mean, *rstd;
  Dropout drop;
};

template <class T>
struct NormBackward {
  int64_t width;
  const float *sum, *mean, *rstd, *weight;
  const float *dsum, *dfull;  // NULL: no gradient
  const T* dlow;
  float* dx;
  T* dy;
  Dropout drop;
};

// Words are rows of size logits and the word that was asked for; teacher may be
// NULL.
template <class T>
struct Words {
  int64_t size;
  const T *logits, *teacher;
  const int64_t* words;
  float distill;
  float *spread, *teacher_spread;
};

constexpr int64_t kQueryBlock = 64;  // queries at a time: their scores stay in the cache

// Attention of texts [*, length] over images [*, keys]: rows of numbers, head
// after head of deep numbers each. The texts of image i are texts[first[i]] to
// texts[first[i+1]-1].
template <class T>
struct Attention {
  int64_t heads, deep, width, length, keys;
  const T *q, *k, *v;
  int64_t q_text, q_row, k_image, k_row, v_image, v_row;
  const float* mask;
  int64_t mask_text, mask_row, mask_key;  // steps; 0 where it is the same for all
  const int64_t *first, *texts;
  float scale;
  T* out;
  Dropout drop;
};

template <class T>
struct AttentionBackward {
  Attention<T> forward;
  const T* dout;
  T *dq, *dk, *dv;
  int64_t dq_text, dq_row, dk_image, dk_row;
};

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,prefer-vector-width=512")
#define VT_ISA avx512
#define VT_WIDTH 16
#include "kernels.h"
#undef VT_ISA
#undef VT_WIDTH
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#define VT_ISA avx2
#define VT_WIDTH 8
#include "kernels.h"
#undef VT_ISA
#undef VT_WIDTH
#pragma GCC pop_options
#endif
#define VT_ISA plain
#define VT_WIDTH 4
#include "kernels.h"
#undef VT_ISA
#undef VT_WIDTH

int best_isa() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return 2;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
  return 0;
}

int isa = best_isa();

// VT_RUN calls a kernel compiled for this machine.
#if defined(__x86_64__)
#define VT_RUN(call) \
  (isa == 2 ? avx512::call : isa == 1 ? avx2::call : plain::call)
#else
#define VT_RUN(call) plain::call
#endif

Dropout new_dropout(double p) {
  Dropout d;
  if (p <= 0) return d;
  auto gen = at::detail::getDefaultCPUGenerator();
  std::lock_guard<std::mutex> hold(gen.mutex());
  d.seed = at::check_generator<at::CPUGeneratorImpl>(gen)->random64();
  d.threshold = static_cast<uint32_t>(std::min(p * 4294967296.0, 4294967295.0));
  d.scale = p < 1 ? static_cast<float>(1 / (1 - p)) : 0;
  return d;
}

// A node keeps its dropout as three numbers.
void keep(torch::autograd::AutogradContext* ctx, const Dropout& d) {
  ctx->saved_data["seed"] = static_cast<int64_t>(d.seed);
  ctx->saved_data["threshold"] = static_cast<int64_t>(d.threshold);
  ctx->saved_data["scale"] = static_cast<double>(d.scale);
}

Dropout kept(torch::autograd::AutogradContext* ctx) {
  Dropout d;
  d.seed = static_cast<uint64_t>(ctx->saved_data["seed"].toInt());
  d.threshold = static_cast<uint32_t>(ctx->saved_data["threshold"].toInt());
  d.scale = static_cast<float>(ctx->saved_data["scale"].toDouble());
  return d;
}

const float* floats(const at::Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; }
float* writable(at::Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; }

template <class T>
T* data(const at::Tensor& t) {
  return t.defined() ? static_cast<T*>(t.data_ptr()) : nullptr;
}

// composing says that this thread composes operations of libtorch's own on a CPU too.
thread_local bool composing = false;

bool is_low(const at::Tensor& t) { return t.scalar_type() == at::kBFloat16; }
bool is_composed(const at::Tensor& t) { return t.is_cuda() || composing; }
bool is_covered(const at::Tensor& t) { return !is_composed(t) && (is_low(t) || t.scalar_type() == at::kFloat); }

// by_type calls run with a null pointer of the element type of t.
template <class F>
void by_type(bool low, F run) {
  if (low)
    run(static_cast<bf16*>(nullptr));
  else
    run(static_cast<float*>(nullptr));
}

int64_t grain(int64_t n) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n)); }

at::Tensor dropout_rows(const at::Tensor& in, const Dropout& d) {
  auto out = at::empty_like(in);
  int64_t n = in.dim() ? in.size(-1) : 1, count = in.numel() / std::max<int64_t>(1, n);
  by_type(is_low(in), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    at::parallel_for(0, count, grain(n), [&](int64_t begin, int64_t end) {
      VT_RUN(dropout_rows<T>(data<T>(in), data<T>(out), begin, end, n, d));
    });
  });
  return out;
}

struct DropoutNode : torch::autograd::Function<DropoutNode> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor in, double p) {
    auto d = new_dropout(p);
    keep(ctx, d);
    return dropout_rows(in.contiguous(), d);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    return {dropout_rows(grads[0].contiguous(), kept(ctx)), {}};
  }
};

struct GeluNode : torch::autograd::Function<GeluNode> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor in) {
    ctx->save_for_backward({in});
    auto out = at::empty_like(in);
    by_type(is_low(in), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      at::parallel_for(0, in.numel(), 4096, [&](int64_t begin, int64_t end) { VT_RUN(gelu<T>(data<T>(in), data<T>(out), begin, end)); });
    });
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto in = ctx->get_saved_variables()[0];
    auto grad = grads[0].contiguous(), out = at::empty_like(in);
    by_type(is_low(in), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      at::parallel_for(0, in.numel(), 4096, [&](int64_t begin, int64_t end) {
        VT_RUN(gelu_backward<T>(data<T>(in), data<T>(grad), data<T>(out), begin, end));
      });
    });
    return {out};
  }
};

// Maybe is an operand that may be missing: autograd takes no undefined tensors.
using Maybe = std::optional<at::Tensor>;

Maybe maybe(const at::Tensor& t) { return t.defined() ? Maybe(t) : std::nullopt; }
at::Tensor plain_of(const Maybe& t) { return t.value_or(at::Tensor()); }

// NormNode gives those of sum, full and low that are asked for, see outputs_of.
struct NormNode : torch::autograd::Function<NormNode> {
  // outputs_of says which outputs there are and so which place they have.
  struct Outputs {
    bool sum, full, low;
  };
  static Outputs outputs_of(bool y, bool post, bool low) { return {y && !post, post || !low, low}; }

  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx, at::Tensor x, Maybe y_, at::Tensor weight, at::Tensor bias,
                                                double p, double eps, bool post, bool low) {
    auto y = plain_of(y_);
    auto outputs = outputs_of(y.defined(), post, low);
    int64_t n = x.size(-1), count = x.numel() / n;
    auto d = y.defined() ? new_dropout(p) : Dropout();
    auto sum = y.defined() ? at::empty_like(x) : x;
    auto mean = at::empty({count}, x.options()), rstd = at::empty({count}, x.options());
    at::Tensor full, half;
    if (outputs.low) half = at::empty(x.sizes(), x.options().dtype(at::kBFloat16));
    if (outputs.full) full = at::empty_like(x);
    by_type(low || (y.defined() && is_low(y)), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      Norm<T> a{n, static_cast<float>(eps), floats(x), data<T>(y), floats(weight), floats(bias), writable(sum), writable(full), data<T>(half),
                writable(mean), writable(rstd), d};
      at::parallel_for(0, count, grain(n), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++) VT_RUN(norm_row<T>(a, r));
      });
    });
    keep(ctx, d);
    ctx->save_for_backward({sum, mean, rstd, weight});
    ctx->saved_data["y"] = y.defined() ? (is_low(y) ? 2 : 1) : 0;
    ctx->saved_data["post"] = post;
    ctx->saved_data["low"] = low;
    ctx->set_materialize_grads(false);
    torch::autograd::variable_list out;
    if (outputs.sum) out.push_back(sum);
    if (outputs.full) out.push_back(full);
    if (outputs.low) out.push_back(half);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto saved = ctx->get_saved_variables();
    auto &sum = saved[0], &mean = saved[1], &rstd = saved[2], &weight = saved[3];
    int64_t n = sum.size(-1), count = sum.numel() / n, y = ctx->saved_data["y"].toInt();
    auto outputs = outputs_of(y != 0, ctx->saved_data["post"].toBool(), ctx->saved_data["low"].toBool());
    size_t next = 0;
    auto gradient = [&](bool there) {
      if (!there) return at::Tensor();
      auto g = grads[next++];
      return g.defined() ? g.contiguous() : g;
    };
    auto dsum = gradient(outputs.sum), dfull = gradient(outputs.full), dlow = gradient(outputs.low);
    auto dx = at::empty_like(sum);
    at::Tensor dy;
    if (y) dy = at::empty(sum.sizes(), sum.options().dtype(y == 2 ? at::kBFloat16 : at::kFloat));
    int64_t threads = at::get_num_threads();
    auto partial = at::zeros({2, threads, n}, sum.options());
    by_type(y == 2 || outputs.low, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      NormBackward<T> a{n, floats(sum), floats(mean), floats(rstd), floats(weight), floats(dsum), floats(dfull), data<T>(dlow),
                        writable(dx), data<T>(dy), kept(ctx)};
      float* to = writable(partial);
      at::parallel_for(0, count, grain(n), [&](int64_t begin, int64_t end) {
        int64_t id = at::get_thread_num();
        for (int64_t r = begin; r < end; r++) VT_RUN(norm_row_backward<T>(a, r, to + id * n, to + (threads + id) * n));
      });
    });
    auto sums = partial.sum(1);
    return {dx, dy, sums.select(0, 0), sums.select(0, 1), {}, {}, {}, {}};
  }
};

bool autocasts(const at::Tensor& t) { return at::autocast::is_autocast_enabled(t.is_cuda() ? at::kCUDA : at::kCPU); }

// Shared is which texts look at which image.
struct Shared {
  std::vector<int64_t> first, texts;
};

Shared share(const at::Tensor& of, int64_t texts, int64_t images) {
  Shared s;
  s.first.assign(images + 1, 0);
  s.texts.resize(texts);
  const int64_t* image = of.defined() ? of.data_ptr<int64_t>() : nullptr;
  TORCH_CHECK(image || texts == images, "attention: ", texts, " texts over ", images, " images, and nothing says which over which");
  for (int64_t t = 0; t < texts; t++) {
    int64_t i = image ? image[t] : t;
    TORCH_CHECK(0 <= i && i < images, "attention: no image ", i, " of ", images);
    s.first[i + 1]++;
  }
  for (int64_t i = 0; i < images; i++) s.first[i + 1] += s.first[i];
  auto next = s.first;
  for (int64_t t = 0; t < texts; t++) s.texts[next[image ? image[t] : t]++] = t;
  return s;
}

template <class T>
Attention<T> attention_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask, int64_t heads, bool packed,
                          const Shared& shared, const Dropout& d) {
  Attention<T> a{};
  a.heads = heads;
  a.width = packed ? q.size(2) / 3 : q.size(2);
  a.deep = a.width / heads;
  a.length = q.size(1);
  a.keys = packed ? q.size(1) : k.size(1);
  a.q = data<T>(q);
  a.k = packed ? a.q + a.width : data<T>(k);
  a.v = packed ? a.q + 2 * a.width : data<T>(v);
  a.q_text = q.stride(0), a.q_row = q.stride(1);
  a.k_image = packed ? a.q_text : k.stride(0), a.k_row = packed ? a.q_row : k.stride(1);
  a.v_image = packed ? a.q_text : v.stride(0), a.v_row = packed ? a.q_row : v.stride(1);
  a.mask = floats(mask);
  if (mask.defined()) {
    auto step = [&](int dim) { return mask.size(dim) == 1 ? int64_t{0} : mask.stride(dim); };
    a.mask_text = step(0), a.mask_row = step(2), a.mask_key = step(3);
  }
  a.first = shared.first.data(), a.texts = shared.texts.data();
  a.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(a.deep)));
  a.drop = d;
  return a;
}

// room is a thread's own, as large as it was ever asked for.
float* room(int64_t n) {
  thread_local std::vector<float> kept;
  if (static_cast<int64_t>(kept.size()) < n) kept.resize(n);
  return kept.data();
}

int64_t up(int64_t n) { return (n + 15) / 16 * 16; }

// AttentionNode attends from q [B, T, C] over k, v [I, N, C]; without k and v, q
// is [B, T, 3C] and holds all three.
struct AttentionNode : torch::autograd::Function<AttentionNode> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor q, Maybe k_, Maybe v_, Maybe of_, Maybe mask_, int64_t heads,
                            double p) {
    auto k = plain_of(k_), v = plain_of(v_), of = plain_of(of_), mask = plain_of(mask_);
    bool packed = !k.defined();
    int64_t texts = q.size(0), images = packed ? texts : k.size(0);
    auto shared = share(of, texts, images);
    auto d = new_dropout(p);
    auto out = at::empty({texts, q.size(1), packed ? q.size(2) / 3 : q.size(2)}, q.options());
    by_type(is_low(q), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      auto a = attention_of<T>(q, k, v, mask, heads, packed, shared, d);
      a.out = data<T>(out);
      int64_t deep = up(a.deep), wide = up(a.keys);
      int64_t need = 2 * a.keys * deep + deep * wide + kQueryBlock * (2 * deep + wide);
      at::parallel_for(0, images * heads, 1, [&](int64_t begin, int64_t end) {
        float* own = room(need);
        for (int64_t x = begin; x < end; x++) VT_RUN(attend<T>(a, x / heads, x % heads, own));
      });
    });
    keep(ctx, d);
    ctx->save_for_backward({q, k, v, of, mask});
    ctx->saved_data["heads"] = heads;
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto saved = ctx->get_saved_variables();
    auto &q = saved[0], &k = saved[1], &v = saved[2], &of = saved[3], &mask = saved[4];
    bool packed = !k.defined();
    int64_t heads = ctx->saved_data["heads"].toInt(), images = packed ? q.size(0) : k.size(0);
    auto shared = share(of, q.size(0), images);
    auto dout = grads[0].to(q.scalar_type()).contiguous();
    auto dq = at::empty(q.sizes(), q.options());
    at::Tensor dk, dv;
    if (!packed) dk = at::empty(k.sizes(), k.options()), dv = at::empty(v.sizes(), v.options());
    by_type(is_low(q), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      AttentionBackward<T> b{};
      b.forward = attention_of<T>(q, k, v, mask, heads, packed, shared, kept(ctx));
      const auto& a = b.forward;
      b.dout = data<T>(dout), b.dq = data<T>(dq);
      b.dk = packed ? b.dq + a.width : data<T>(dk), b.dv = packed ? b.dq + 2 * a.width : data<T>(dv);
      b.dq_text = dq.stride(0), b.dq_row = dq.stride(1);
      b.dk_image = packed ? b.dq_text : dk.stride(0), b.dk_row = packed ? b.dq_row : dk.stride(1);
      int64_t deep = up(a.deep), wide = up(a.keys);
      int64_t need = 4 * a.keys * deep + 2 * deep * wide + kQueryBlock * (3 * deep + 3 * wide);
      at::parallel_for(0, images * heads, 1, [&](int64_t begin, int64_t end) {
        float* own = room(need);
        for (int64_t x = begin; x < end; x++) VT_RUN(attend_backward<T>(b, x / heads, x % heads, own));
      });
    });
    return {dq, dk, dv, {}, {}, {}, {}};
  }
};

at::Tensor rows(at::Tensor t) { return t.stride(2) == 1 ? t : t.contiguous(); }

// PickNode picks images, [texts, ...] of [images, ...]. Its backward adds what the
// texts of an image ask for by a product with ones: index_add_ does it element by
// element, the slower the more texts there are, and in another order every time.
struct PickNode : torch::autograd::Function<PickNode> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor x, at::Tensor of) {
    ctx->save_for_backward({of});
    ctx->saved_data["shape"] = x.sizes();
    return x.index_select(0, of);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto of = ctx->get_saved_variables()[0];
    auto shape = ctx->saved_data["shape"].toIntVector();
    auto looks = at::arange(shape[0], of.options()).unsqueeze(1).eq(of).to(grads[0].scalar_type());
    return {looks.mm(grads[0].flatten(1)).view(shape), {}};
  }
};

// composed is the attention of libtorch's own operations, for CUDA.
at::Tensor composed(at::Tensor q, at::Tensor k, at::Tensor v, const at::Tensor& of, const at::Tensor& mask, int64_t heads, double p) {
  if (!k.defined()) {
    auto parts = q.chunk(3, 2);
    q = parts[0], k = parts[1], v = parts[2];
  }
  if (of.defined()) k = PickNode::apply(k, of), v = PickNode::apply(v, of);
  auto split = [&](const at::Tensor& x) { return x.unflatten(2, {heads, -1}).transpose(1, 2); };
  std::optional<at::Tensor> m;
  if (mask.defined()) m = mask.to(q.scalar_type());
  return at::scaled_dot_product_attention(split(q), split(k), split(v), m, p).transpose(1, 2).flatten(2);
}

// WordNode is the mean of word_loss over the rows that count.
struct WordNode : torch::autograd::Function<WordNode> {
  template <class T>
  static Words<T> words_of(const at::Tensor& logits, const at::Tensor& teacher, const at::Tensor& words, double distill, at::Tensor& spreads) {
    int64_t n = logits.size(0);
    return {logits.size(1), data<T>(logits), data<T>(teacher), words.data_ptr<int64_t>(), static_cast<float>(distill), writable(spreads),
            writable(spreads) + n};
  }

  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor logits, Maybe teacher_, at::Tensor words, double distill,
                            int64_t ignore) {
    auto teacher = plain_of(teacher_);
    int64_t n = logits.size(0), size = logits.size(1);
    auto spreads = at::empty({2, n}, logits.options().dtype(at::kFloat)), losses = at::zeros({n}, spreads.options());
    int64_t asked = 0;
    for (int64_t r = 0; r < n; r++) {
      int64_t word = words.data_ptr<int64_t>()[r];
      TORCH_CHECK(word == ignore || (0 <= word && word < size), "cross entropy: no word ", word, " of ", size);
      asked += word != ignore;
    }
    by_type(is_low(logits), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      auto a = words_of<T>(logits, teacher, words, distill, spreads);
      at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++)
          if (a.words[r] != ignore) losses.data_ptr<float>()[r] = VT_RUN(word_loss<T>(a, r));
      });
    });
    ctx->save_for_backward({logits, teacher, words, spreads});
    ctx->saved_data["distill"] = distill;
    ctx->saved_data["ignore"] = ignore;
    ctx->saved_data["asked"] = asked;
    return losses.sum() / (asked ? static_cast<double>(asked) : std::numeric_limits<double>::quiet_NaN());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto saved = ctx->get_saved_variables();
    auto &logits = saved[0], &teacher = saved[1], &words = saved[2], &spreads = saved[3];
    int64_t n = logits.size(0), ignore = ctx->saved_data["ignore"].toInt(), asked = ctx->saved_data["asked"].toInt();
    auto out = at::empty_like(logits);
    float scale = grads[0].item<float>() / static_cast<float>(asked);
    by_type(is_low(logits), [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      auto a = words_of<T>(logits, teacher, words, ctx->saved_data["distill"].toDouble(), spreads);
      at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++) {
          if (a.words[r] != ignore)
            VT_RUN(word_loss_backward<T>(a, r, scale, data<T>(out)));
          else
            std::fill_n(data<T>(out) + r * a.size, a.size, T{});
        }
      });
    });
    return {out, {}, {}, {}, {}};
  }
};

// composed_words is WordNode of libtorch's own operations, for CUDA. distill is the
// teacher's share and rest the words', numbers or scalar tensors.
template <class Share>
at::Tensor composed_words(at::Tensor logits, const at::Tensor& teacher, const at::Tensor& words, const Share& distill, const Share& rest,
                          int64_t ignore) {
  auto asked = words.ne(ignore).to(at::kFloat);
  auto log = at::log_softmax(logits.to(at::kFloat), 1);
  auto each = -log.gather(1, words.clamp_min(0).unsqueeze(1)).squeeze(1) * rest;
  if (teacher.defined()) each = each - (log * at::softmax(teacher.to(at::kFloat), 1)).sum(1) * distill;
  return (each * asked).sum() / asked.sum();
}

at::Tensor given(void* t) { return t ? *static_cast<at::Tensor*>(t) : at::Tensor(); }
void* own(const at::Tensor& t) { return t.defined() ? new at::Tensor(t) : nullptr; }

}  // namespace

extern "C" {

int vt_use_isa(int level) { return isa = std::min(level, best_isa()); }

int vt_compose(int on) {
  int was = composing;
  composing = on != 0;
  return was;
}

int vt_composed(void) { return composing; }

int vt_dropout(void* t, double p, void** out) {
  return status([&] {
    RECORD_FUNCTION("vlab::dropout", c10::ArrayRef<const c10::IValue>{});
    auto x = given(t);
    *out = own(is_covered(x) ? DropoutNode::apply(x, p) : at::dropout(x, p, true));
  });
}

int vt_gelu(void* t, void** out) {
  return status([&] {
    RECORD_FUNCTION("vlab::gelu", c10::ArrayRef<const c10::IValue>{});
    auto x = given(t);
    *out = own(is_covered(x) ? GeluNode::apply(x.contiguous()) : at::gelu(x));
  });
}

int vt_norm(void* x_, void* y_, void* weight_, void* bias_, double p, double eps, int post, void** sum, void** full, void** low) {
  return status([&] {
    RECORD_FUNCTION("vlab::norm", c10::ArrayRef<const c10::IValue>{});
    auto x = given(x_), y = given(y_), weight = given(weight_), bias = given(bias_);
    bool half = autocasts(x);
    if (is_composed(x) || x.scalar_type() != at::kFloat || (y.defined() && !is_covered(y))) {
      if (y.defined()) x = x + (p > 0 ? at::dropout(y, p, true) : y);
      *sum = post || !y.defined() ? nullptr : own(x);
      *full = own(at::layer_norm(x, {x.size(-1)}, weight, bias, eps));
      *low = nullptr;
      return;
    }
    // A float32 y under autocast would make a second element type of the low one.
    if (half && y.defined() && !is_low(y)) y = y.to(at::kBFloat16);
    half = half || (y.defined() && is_low(y));
    auto out = NormNode::apply(x.contiguous(), maybe(y.defined() ? y.contiguous() : y), weight, bias, p, eps, post != 0, half);
    auto outputs = NormNode::outputs_of(y.defined(), post != 0, half);
    size_t next = 0;
    *sum = outputs.sum ? own(out[next++]) : nullptr;
    *full = outputs.full ? own(out[next++]) : nullptr;
    *low = outputs.low ? own(out[next++]) : nullptr;
  });
}

void* vt_low(void* t) {
  void* out = nullptr;
  status([&] { out = own(autocasts(given(t)) ? given(t).to(at::kBFloat16) : given(t)); });
  return out;
}

int vt_distilled_cross_entropy(void* logits_, void* teacher_, void* words_, double distill, void* shares_, int64_t ignore, void** out) {
  return status([&] {
    RECORD_FUNCTION("vlab::distilled_cross_entropy", c10::ArrayRef<const c10::IValue>{});
    auto logits = given(logits_), teacher = given(teacher_), words = given(words_), shares = given(shares_);
    if (teacher.defined()) teacher = teacher.detach();
    if (!is_covered(logits) || (teacher.defined() && teacher.scalar_type() != logits.scalar_type())) {
      *out = own(shares.defined() ? composed_words(logits, teacher, words, shares.select(0, 0), shares.select(0, 1), ignore)
                                  : composed_words(logits, teacher, words, distill, 1 - distill, ignore));
      return;
    }
    if (shares.defined()) distill = shares.data_ptr<float>()[0];
    if (teacher.defined()) teacher = teacher.contiguous();
    *out = own(WordNode::apply(logits.contiguous(), maybe(teacher), words.contiguous(), distill, ignore));
  });
}

int vt_attend(void* q_, void* k_, void* v_, void* of_, void* mask_, int64_t heads, double p, void** out) {
  return status([&] {
    RECORD_FUNCTION("vlab::attention", c10::ArrayRef<const c10::IValue>{});
    auto q = given(q_), k = given(k_), v = given(v_), of = given(of_), mask = given(mask_);
    TORCH_CHECK(q.dim() == 3 && (k.defined() ? q.size(2) : q.size(2) / 3) % heads == 0, "attention: ", heads, " heads of ", q.sizes());
    if (!is_covered(q) || (k.defined() && (k.scalar_type() != q.scalar_type() || v.scalar_type() != q.scalar_type()))) {
      *out = own(composed(q, k, v, of, mask, heads, p));
      return;
    }
    if (mask.defined()) mask = mask.to(at::kFloat);
    if (of.defined()) of = of.contiguous();
    q = rows(q);
    if (k.defined()) k = rows(k), v = rows(v);
    *out = own(AttentionNode::apply(q, maybe(k), maybe(v), maybe(of), maybe(mask), heads, p));
  });
}

}  // extern "C"
