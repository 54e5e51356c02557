// The inner loops of fused.cpp for one instruction set. fused.cpp includes this
// file once for each, with
//
//   VT_ISA    the namespace
//   VT_WIDTH  how many floats a register holds
//
// and its options pushed. Nothing of the standard library is used in here: an
// inline function compiled for AVX-512 could replace the one that the rest of
// the program calls.

namespace VT_ISA {

typedef float vec __attribute__((vector_size(4 * VT_WIDTH), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * VT_WIDTH), aligned(4), may_alias));
typedef uint32_t uvec __attribute__((vector_size(4 * VT_WIDTH), aligned(4), may_alias));
typedef uint16_t hvec __attribute__((vector_size(2 * VT_WIDTH), aligned(2), may_alias));
constexpr int W = VT_WIDTH;

static inline vec all(float v) { return v - vec{}; }  // minus 0 is nothing, plus 0 would be an addition

static inline uvec lanes() {
  uvec out;
  for (int i = 0; i < W; i++) out[i] = i;
  return out;
}

// load reads up to left numbers, the rest are 0.
static inline vec load(const float* p, int64_t left = W) {
  if (left >= W) return *reinterpret_cast<const vec*>(p);
  vec out = {};
  for (int i = 0; i < left; i++) out[i] = p[i];
  return out;
}

static inline void store(float* p, vec v, int64_t left = W) {
  if (left >= W) {
    *reinterpret_cast<vec*>(p) = v;
    return;
  }
  for (int i = 0; i < left; i++) p[i] = v[i];
}

// bf16 is the upper half of a float32.
static inline vec load(const bf16* p, int64_t left = W) {
  hvec h = {};
  if (left >= W)
    h = *reinterpret_cast<const hvec*>(p);
  else
    for (int i = 0; i < left; i++) h[i] = p[i].bits;
  return (vec)(__builtin_convertvector(h, uvec) << 16);
}

static inline void store(bf16* p, vec v, int64_t left = W) {
  uvec u = (uvec)v;
  u += 0x7fff + ((u >> 16) & 1);  // to the nearest, half to even
  hvec h = __builtin_convertvector(u >> 16, hvec);
  if (left >= W) {
    *reinterpret_cast<hvec*>(p) = h;
    return;
  }
  for (int i = 0; i < left; i++) p[i].bits = h[i];
}

static inline vec larger(vec a, vec b) { return a > b ? a : b; }

// crossed is v with its lanes swapped half apart.
template <int half>
static inline vec crossed(vec v) {
#ifdef __clang__
  vec out;
  for (int i = 0; i < W; i++) out[i] = v[i ^ half];
  return out;
#else
  return __builtin_shuffle(v, (ivec)(lanes() ^ (uint32_t)half));
#endif
}

static inline float sum(vec v) {
  if (W > 8) v += crossed<W / 2>(v);
  if (W > 4) v += crossed<4>(v);
  v += crossed<2>(v);
  v += crossed<1>(v);
  return v[0];
}

static inline float largest(vec v) {
  if (W > 8) v = larger(v, crossed<W / 2>(v));
  if (W > 4) v = larger(v, crossed<4>(v));
  v = larger(v, crossed<2>(v));
  v = larger(v, crossed<1>(v));
  return v[0];
}

// exponential is e^x for x at most 0, to some 2 units in the last place; below
// -87 it is next to nothing.
static inline vec exponential(vec x) {
  x = larger(x, all(-87.0f));
  const vec magic = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  vec whole = x * 1.44269504088896f + magic;
  ivec n = (ivec)whole - (ivec)magic;
  whole -= magic;
  vec f = x - whole * 0.693359375f;
  f = f + whole * 2.12194440e-4f;
  vec p = all(1.9875691500e-4f);
  p = p * f + 1.3981999507e-3f;
  p = p * f + 8.3334519073e-3f;
  p = p * f + 4.1665795894e-2f;
  p = p * f + 1.6666665459e-1f;
  p = p * f + 5.0000001201e-1f;
  p = p * f * f + f + 1.0f;
  return p * (vec)((n + 127) << 23);
}

// Dropout keeps an element where a hash of its row's key and its column is at
// least a threshold: the backward draws the same again, and nothing is stored.
static inline uvec draw(uint32_t key, int64_t column) {
  uvec h = (lanes() + (uint32_t)column) * 0x9e3779b1u + key;
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16);
}

// dropped is v with dropout: 0, or scaled by 1/(1-p).
static inline vec dropped(vec v, const Dropout& d, uint32_t key, int64_t column) {
  return draw(key, column) >= d.threshold ? v * d.scale : vec{};
}

template <class T>
static void dropout_rows(const T* in, T* out, int64_t begin, int64_t end, int64_t n, const Dropout& d) {
  for (int64_t r = begin; r < end; r++) {
    uint32_t key = d.key(r);
    for (int64_t c = 0; c < n; c += W) store(out + r * n + c, dropped(load(in + r * n + c, n - c), d, key, c), n - c);
  }
}

// norm_row is the layer norm of x + dropout(y) for one row; y may be missing.
template <class T>
static void norm_row(const Norm<T>& a, int64_t r) {
  const int64_t n = a.width;
  const float* x = a.x + r * n;
  const T* y = a.y ? a.y + r * n : nullptr;
  float* s = a.sum + r * n;  // x + dropout(y)
  uint32_t key = a.drop.threshold ? a.drop.key(r) : 0;
  vec total = {};
  for (int64_t c = 0; c < n; c += W) {
    vec v = load(x + c, n - c);
    if (y) {
      vec add = load(y + c, n - c);
      v += a.drop.threshold ? dropped(add, a.drop, key, c) : add;
      store(s + c, v, n - c);
    }
    total += v;
  }
  const float* from = y ? s : x;
  float mean = sum(total) / n;
  vec squares = {};
  for (int64_t c = 0; c < n; c += W) {
    vec v = load(from + c, n - c) - mean;
    if (n - c < W) v = lanes() < (uint32_t)(n - c) ? v : vec{};
    squares += v * v;
  }
  float rstd = 1 / __builtin_sqrtf(sum(squares) / n + a.eps);
  a.mean[r] = mean, a.rstd[r] = rstd;
  for (int64_t c = 0; c < n; c += W) {
    vec v = (load(from + c, n - c) - mean) * rstd * load(a.weight + c, n - c) + load(a.bias + c, n - c);
    if (a.full) store(a.full + r * n + c, v, n - c);
    if (a.low) store(a.low + r * n + c, v, n - c);
  }
}

// norm_row_backward turns the gradients of a row's outputs into those of x and y,
// and adds to those of weight and bias.
template <class T>
static void norm_row_backward(const NormBackward<T>& a, int64_t r, float* dweight, float* dbias) {
  const int64_t n = a.width;
  const float* s = a.sum + r * n;
  const float mean = a.mean[r], rstd = a.rstd[r];
  vec first = {}, second = {};
  for (int64_t c = 0; c < n; c += W) {
    int64_t left = n - c;
    vec g = {};
    if (a.dfull) g += load(a.dfull + r * n + c, left);
    if (a.dlow) g += load(a.dlow + r * n + c, left);
    vec hat = (load(s + c, left) - mean) * rstd;
    store(dweight + c, load(dweight + c, left) + g * hat, left);
    store(dbias + c, load(dbias + c, left) + g, left);
    g *= load(a.weight + c, left);
    first += g, second += g * hat;
  }
  const float m1 = sum(first) / n, m2 = sum(second) / n;
  uint32_t key = a.drop.threshold ? a.drop.key(r) : 0;
  for (int64_t c = 0; c < n; c += W) {
    int64_t left = n - c;
    vec g = {};
    if (a.dfull) g += load(a.dfull + r * n + c, left);
    if (a.dlow) g += load(a.dlow + r * n + c, left);
    vec hat = (load(s + c, left) - mean) * rstd;
    vec ds = (g * load(a.weight + c, left) - m1 - hat * m2) * rstd;
    if (a.dsum) ds += load(a.dsum + r * n + c, left);
    store(a.dx + r * n + c, ds, left);
    if (a.dy) store(a.dy + r * n + c, a.drop.threshold ? dropped(ds, a.drop, key, c) : ds, left);
  }
}

// Gauss is the error function of a normal distribution at x, and its density
// without the constant. erf is Abramowitz and Stegun 7.1.26, within 1.5e-7.
struct Gauss {
  vec below, bell;  // the share below x, e^(-x^2/2)
};

static inline Gauss gauss(vec x) {
  vec z = x * 0.70710678118654752f;
  vec size = z < vec{} ? -z : z;
  vec t = 1.0f / (0.3275911f * size + 1.0f);
  vec p = all(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  vec bell = exponential(-size * size);
  vec tail = 0.5f * p * t * bell;  // beyond size
  return {x < vec{} ? tail : 1.0f - tail, bell};
}

template <class T>
static void gelu(const T* in, T* out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i += W) {
    vec x = load(in + i, end - i);
    store(out + i, x * gauss(x).below, end - i);
  }
}

template <class T>
static void gelu_backward(const T* in, const T* grad, T* out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i += W) {
    vec x = load(in + i, end - i);
    Gauss g = gauss(x);
    store(out + i, load(grad + i, end - i) * (g.below + x * g.bell * 0.39894228040143268f), end - i);
  }
}

// spread is the logarithm of the sum of e^x over a row.
template <class T>
static float spread(const T* x, int64_t n) {
  vec top = all(-3.4e38f);
  for (int64_t c = 0; c < n; c += W) {
    vec v = load(x + c, n - c);
    if (n - c < W) v = lanes() < (uint32_t)(n - c) ? v : all(-3.4e38f);
    top = larger(top, v);
  }
  const float most = largest(top);
  vec total = {};
  for (int64_t c = 0; c < n; c += W) {
    vec v = exponential(load(x + c, n - c) - most);
    if (n - c < W) v = lanes() < (uint32_t)(n - c) ? v : vec{};
    total += v;
  }
  return most + __builtin_logf(sum(total));
}

// word_loss is the loss of one row; it leaves the logarithms that the backward
// needs.
template <class T>
static float word_loss(const Words<T>& a, int64_t r) {
  const T* x = a.logits + r * a.size;
  a.spread[r] = spread(x, a.size);
  float loss = (1 - a.distill) * (a.spread[r] - load(x + a.words[r], 1)[0]);
  if (!a.teacher) return loss;
  const T* t = a.teacher + r * a.size;
  a.teacher_spread[r] = spread(t, a.size);
  vec total = {};
  for (int64_t c = 0; c < a.size; c += W) {
    vec v = exponential(load(t + c, a.size - c) - a.teacher_spread[r]) * (a.spread[r] - load(x + c, a.size - c));
    if (a.size - c < W) v = lanes() < (uint32_t)(a.size - c) ? v : vec{};
    total += v;
  }
  return loss + a.distill * sum(total);
}

template <class T>
static void word_loss_backward(const Words<T>& a, int64_t r, float scale, T* out) {
  const T* x = a.logits + r * a.size;
  for (int64_t c = 0; c < a.size; c += W) {
    vec v = exponential(load(x + c, a.size - c) - a.spread[r]);
    if (a.teacher) v -= a.distill * exponential(load(a.teacher + r * a.size + c, a.size - c) - a.teacher_spread[r]);
    store(out + r * a.size + c, v * scale, a.size - c);
  }
  T* word = out + r * a.size + a.words[r];
  float p = __builtin_expf(load(x + a.words[r], 1)[0] - a.spread[r]);
  if (a.teacher) p -= a.distill * __builtin_expf(load(a.teacher + r * a.size + a.words[r], 1)[0] - a.teacher_spread[r]);
  store(word, all((p - (1 - a.distill)) * scale), 1);
}

// Product: c[m][n] (+)= a[m][k] b[k][n], n in whole registers. Element (i, l) of
// a lies at i*down + l*right.
struct Product {
  const float* a;
  int64_t down, right;
  const float* b;
  int64_t b_row;
  float* c;
  int64_t c_row;
  int64_t depth;
  bool add;
};

template <int M, int N>
static inline void tile(const Product& p, int64_t i, int64_t j) {
  vec acc[M][N];
  for (int r = 0; r < M; r++)
    for (int t = 0; t < N; t++) acc[r][t] = p.add ? load(p.c + (i + r) * p.c_row + j + t * W) : vec{};
  for (int64_t l = 0; l < p.depth; l++) {
    vec b[N];
    for (int t = 0; t < N; t++) b[t] = load(p.b + l * p.b_row + j + t * W);
    for (int r = 0; r < M; r++) {
      vec a = all(p.a[(i + r) * p.down + l * p.right]);
      for (int t = 0; t < N; t++) acc[r][t] += a * b[t];
    }
  }
  for (int r = 0; r < M; r++)
    for (int t = 0; t < N; t++) store(p.c + (i + r) * p.c_row + j + t * W, acc[r][t]);
}

// row_tile is how many rows are summed up at once, beside N registers of columns.
#if VT_WIDTH == 16
constexpr int kRegisters = 4;  // of 32 registers, 24 or 25 add up
constexpr int row_tile(int n) { return n == 5 ? 5 : n >= 3 ? 6 : 12; }
#else
constexpr int kRegisters = 2;  // of 16, 8 add up
constexpr int row_tile(int n) { return n >= 3 ? 2 : n == 2 ? 4 : 8; }
#endif

template <int N>
static inline void rows(const Product& p, int64_t m, int64_t j) {
  constexpr int M = row_tile(N);
  int64_t i = 0;
  for (; i + M <= m; i += M) tile<M, N>(p, i, j);
  for (; i + 4 <= m; i += 4) tile<4, N>(p, i, j);
  for (; i + 2 <= m; i += 2) tile<2, N>(p, i, j);
  if (i < m) tile<1, N>(p, i, j);
}

static void multiply(const Product& p, int64_t m, int64_t n) {
  int64_t j = 0;
  for (; j + (kRegisters + 1) * W < n || j + kRegisters * W == n; j += kRegisters * W) rows<kRegisters>(p, m, j);
  if (j + (kRegisters + 1) * W == n) {  // one register alone would wait for its own sums
    rows<kRegisters + 1>(p, m, j);
    return;
  }
  for (; j + 2 * W <= n; j += 2 * W) rows<2>(p, m, j);
  for (; j < n; j += W) rows<1>(p, m, j);
}

// padded is n in whole registers.
static inline int64_t padded(int64_t n) { return (n + W - 1) / W * W; }

// widen copies rows of n numbers as float32, scaled, rows wide apart; what is
// over is 0.
template <class T>
static void widen(const T* in, int64_t row, int64_t count, int64_t n, float scale, float* out, int64_t wide) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t c = 0; c < wide; c += W) store(out + i * wide + c, c < n ? load(in + i * row + c, n - c) * scale : vec{});
}

// between puts lanes of a, where bit is clear, beside those of b.
template <int bit, bool high>
static inline vec between(vec a, vec b) {
  ivec from;
  for (int i = 0; i < W; i++) from[i] = high ? (i & bit ? W + i : i + bit) : (i & bit ? W + i - bit : i);
#ifdef __clang__
  vec out;
  for (int i = 0; i < W; i++) out[i] = from[i] < W ? a[from[i]] : b[from[i] - W];
  return out;
#else
  return __builtin_shuffle(a, b, from);
#endif
}

template <int bit>
static inline void exchange(vec* r) {
  for (int i = 0; i < W; i++)
    if (!(i & bit)) {
      vec a = r[i], b = r[i + bit];
      r[i] = between<bit, false>(a, b), r[i + bit] = between<bit, true>(a, b);
    }
}

// turn writes in [count, n] as out [n, wide], zeros behind count; n in whole
// registers.
static void turn(const float* in, int64_t in_row, int64_t count, int64_t n, float* out, int64_t wide) {
  for (int64_t i = 0; i < wide; i += W)
    for (int64_t c = 0; c < n; c += W) {
      vec r[W];
      for (int k = 0; k < W; k++) r[k] = i + k < count ? load(in + (i + k) * in_row + c) : vec{};
      exchange<1>(r);
      exchange<2>(r);
      if (W > 4) exchange<4>(r);
      if (W > 8) exchange<W / 2>(r);
      for (int k = 0; k < W; k++) store(out + (c + k) * wide + i, r[k]);
    }
}

// shares turns a row of scores into shares and returns what they are to be scaled
// by to sum to 1; what is over is 0.
static float shares(float* s, const float* mask, int64_t mask_step, int64_t n, int64_t wide) {
  vec top = all(-3.4e38f);
  for (int64_t c = 0; c < wide; c += W) {
    vec v = load(s + c);
    if (mask && mask_step) v += load(mask + c, n - c);
    if (mask && !mask_step) v += *mask;
    if (n - c < W) v = lanes() < (uint32_t)(n - c > 0 ? n - c : 0) ? v : all(-3.4e38f);
    store(s + c, v);
    top = larger(top, v);
  }
  const float most = largest(top);
  vec total = {};
  for (int64_t c = 0; c < wide; c += W) {
    vec v = exponential(load(s + c) - most);
    if (n - c < W) v = lanes() < (uint32_t)(n - c > 0 ? n - c : 0) ? v : vec{};
    store(s + c, v);
    total += v;
  }
  return 1 / sum(total);
}

// Rows are some query rows of the texts that look at one image.
struct Rows {
  int64_t n, text[kQueryBlock], at[kQueryBlock];  // at: the row within its text
};

// next fills rows with those that follow: text x of the list, from its row on.
template <class T>
static bool next(const Attention<T>& a, int64_t end, int64_t& x, int64_t& from, Rows& rows) {
  rows.n = 0;
  while (x < end && rows.n < kQueryBlock) {
    const int64_t t = a.texts[x];
    for (; from < a.length && rows.n < kQueryBlock; from++, rows.n++) rows.text[rows.n] = t, rows.at[rows.n] = from;
    if (from == a.length) x++, from = 0;
  }
  return rows.n > 0;
}

// scores computes the shares of rows, s [rows, wide], and what they are to be
// scaled by: queries are scaled and wide.
template <class T>
static void scores(const Attention<T>& a, const Rows& rows, const float* queries, const float* keys_turned, int64_t deep, int64_t wide,
                   float* s, float* scales) {
  multiply({queries, deep, 1, keys_turned, wide, s, wide, a.deep, false}, rows.n, wide);
  for (int64_t i = 0; i < rows.n; i++) {
    const float* mask = a.mask ? a.mask + rows.text[i] * a.mask_text + rows.at[i] * a.mask_row : nullptr;
    scales[i] = shares(s + i * wide, mask, a.mask_key, a.keys, wide);
  }
}

// dropout_scores is in with dropout, the same for the same row and head.
template <class T>
static void dropout_scores(const Attention<T>& a, const Rows& rows, int64_t h, int64_t wide, const float* in, float* out) {
  for (int64_t i = 0; i < rows.n; i++) {
    uint32_t key = a.drop.key((rows.text[i] * a.heads + h) * a.length + rows.at[i]);
    for (int64_t c = 0; c < wide; c += W) store(out + i * wide + c, dropped(load(in + i * wide + c), a.drop, key, c));
  }
}

// attend computes one head of all texts of one image. room is of the size that
// AttentionNode reckons.
template <class T>
static void attend(const Attention<T>& a, int64_t image, int64_t h, float* room) {
  if (a.first[image] == a.first[image + 1]) return;
  const int64_t n = a.keys, deep = padded(a.deep), wide = padded(n);
  float* keys = room;               // [n, deep]
  float* values = keys + n * deep;  // [n, deep]
  float* turned = values + n * deep;
  float* queries = turned + deep * wide;    // [block, deep]
  float* s = queries + kQueryBlock * deep;  // [block, wide]
  float* context = s + kQueryBlock * wide;  // [block, deep]
  const int64_t at = h * a.deep;
  widen(a.k + image * a.k_image + at, a.k_row, n, a.deep, 1, keys, deep);
  widen(a.v + image * a.v_image + at, a.v_row, n, a.deep, 1, values, deep);
  turn(keys, deep, n, deep, turned, wide);
  Rows rows;
  for (int64_t x = a.first[image], from = 0; next(a, a.first[image + 1], x, from, rows);) {
    for (int64_t i = 0; i < rows.n; i++) widen(a.q + rows.text[i] * a.q_text + rows.at[i] * a.q_row + at, 0, 1, a.deep, a.scale, queries + i * deep, deep);
    float scales[kQueryBlock];
    scores(a, rows, queries, turned, deep, wide, s, scales);
    if (a.drop.threshold) dropout_scores(a, rows, h, wide, s, s);
    multiply({s, wide, 1, values, deep, context, deep, n, false}, rows.n, deep);
    for (int64_t i = 0; i < rows.n; i++)
      for (int64_t c = 0; c < a.deep; c += W)
        store(a.out + (rows.text[i] * a.length + rows.at[i]) * a.width + at + c, load(context + i * deep + c) * scales[i], a.deep - c);
  }
}

// attend_backward computes the gradients of one head of one image's keys and
// values, and of the queries of its texts.
template <class T>
static void attend_backward(const AttentionBackward<T>& b, int64_t image, int64_t h, float* room) {
  const Attention<T>& a = b.forward;
  const int64_t n = a.keys, deep = padded(a.deep), wide = padded(n);
  float* keys = room;
  float* values = keys + n * deep;
  float* turned = values + n * deep;            // keys, [deep, wide]
  float* values_turned = turned + deep * wide;  // [deep, wide]
  float* dkeys = values_turned + deep * wide;   // [n, deep]
  float* dvalues = dkeys + n * deep;
  float* queries = dvalues + n * deep;          // [block, deep]
  float* dout = queries + kQueryBlock * deep;   // [block, deep]
  float* dqueries = dout + kQueryBlock * deep;  // [block, deep]
  float* s = dqueries + kQueryBlock * deep;     // [block, wide]
  float* kept = s + kQueryBlock * wide;         // [block, wide]: after dropout
  float* ds = kept + kQueryBlock * wide;        // [block, wide]
  const int64_t at = h * a.deep;
  widen(a.k + image * a.k_image + at, a.k_row, n, a.deep, 1, keys, deep);
  widen(a.v + image * a.v_image + at, a.v_row, n, a.deep, 1, values, deep);
  turn(keys, deep, n, deep, turned, wide);
  turn(values, deep, n, deep, values_turned, wide);
  for (int64_t i = 0; i < n * deep; i += W) store(dkeys + i, vec{}), store(dvalues + i, vec{});
  Rows rows;
  for (int64_t x = a.first[image], from = 0; next(a, a.first[image + 1], x, from, rows);) {
    const int64_t m = rows.n;
    for (int64_t i = 0; i < m; i++) {
      widen(a.q + rows.text[i] * a.q_text + rows.at[i] * a.q_row + at, 0, 1, a.deep, a.scale, queries + i * deep, deep);
      widen(b.dout + (rows.text[i] * a.length + rows.at[i]) * a.width + at, 0, 1, a.deep, 1, dout + i * deep, deep);
    }
    float scales[kQueryBlock];
    scores(a, rows, queries, turned, deep, wide, s, scales);
    for (int64_t i = 0; i < m; i++)
      for (int64_t c = 0; c < wide; c += W) store(s + i * wide + c, load(s + i * wide + c) * scales[i]);
    const float* shared = s;
    if (a.drop.threshold) dropout_scores(a, rows, h, wide, s, kept), shared = kept;
    multiply({shared, 1, wide, dout, deep, dvalues, deep, m, true}, n, deep);
    multiply({dout, deep, 1, values_turned, wide, ds, wide, a.deep, false}, m, wide);
    if (a.drop.threshold) dropout_scores(a, rows, h, wide, ds, ds);
    for (int64_t i = 0; i < m; i++) {  // through the softmax
      vec total = {};
      for (int64_t c = 0; c < wide; c += W) total += load(s + i * wide + c) * load(ds + i * wide + c);
      const float mean = sum(total);
      for (int64_t c = 0; c < wide; c += W) store(ds + i * wide + c, load(s + i * wide + c) * (load(ds + i * wide + c) - mean));
    }
    multiply({ds, 1, wide, queries, deep, dkeys, deep, m, true}, n, deep);
    multiply({ds, wide, 1, keys, deep, dqueries, deep, n, false}, m, deep);
    for (int64_t i = 0; i < m; i++)
      for (int64_t c = 0; c < a.deep; c += W)
        store(b.dq + rows.text[i] * b.dq_text + rows.at[i] * b.dq_row + at + c, load(dqueries + i * deep + c) * a.scale, a.deep - c);
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < a.deep; c += W) {
      store(b.dk + image * b.dk_image + i * b.dk_row + at + c, load(dkeys + i * deep + c), a.deep - c);
      store(b.dv + image * b.dk_image + i * b.dk_row + at + c, load(dvalues + i * deep + c), a.deep - c);
    }
}

}  // namespace VT_ISA
