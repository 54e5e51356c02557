// What libtch lacks. Tensors are gotch's pointers (torch::Tensor*). A function
// that makes a tensor returns NULL on failure, any other returns 0 for success;
// vt_error then holds the reason, for the calling thread.
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

const char* vt_error(void);

// Start-up.
const char* vt_version(void);
void vt_drop_cache(void);
int64_t vt_peak_memory(void);
void vt_lasting(int on);
int vt_load_cuda(const char* path);
int vt_cuda_count(void);
int64_t vt_cuda_peak(int device);
// A card's name, of at most size bytes, and its memory in bytes.
int vt_cuda_card(int device, char* name, int size, uint64_t* bytes);
void vt_set_threads(int n);
void vt_release_threads(void);
int vt_get_threads(void);
void* vt_state(void);
void vt_state_free(void* state);
void* vt_alone_begin(void* state);
void vt_alone_end(void* alone);
const char* vt_cpu_capability(void);

// Storage and shape.
void* vt_from_data(const void* data, const int64_t* shape, int ndim, int dtype, int device);
int vt_to_host(void* t, void* dst, int64_t bytes);
int vt_meta(void* t, int64_t* shape, int cap, int* ndim, int* dtype, int* device);
int vt_item(void* t, double* out);
void vt_free(void** ts, int64_t n);
void* vt_to_device(void* t, int device);
void* vt_aside_begin(int device, int waits);
int vt_aside_end(void* aside, void** ts, int64_t n);
int vt_copy(void* dst, void* src);
void* vt_alias(void* t);
void* vt_clone(void* t);
void* vt_data(void* t);
int64_t vt_data_ptr(void* t);

// Operations with scalars, shapes or options.
void* vt_scale_add(void* t, double scale, double shift);
void* vt_full(const int64_t* shape, int ndim, double value, int dtype, int device);
void* vt_arange(int64_t from, int64_t to, int64_t step, int device);
void* vt_eye(int64_t n, int device);
void* vt_mod(void* t, int64_t n);
int vt_index_copy(void* t, int64_t dim, void* index, void* src);
void* vt_draw(void* weights, int64_t n);
void* vt_multinomial(void* weights, int64_t n);
void* vt_view(void* t, const int64_t* shape, int ndim);
void* vt_expand(void* t, const int64_t* shape, int ndim);
void* vt_clamp(void* t, double lo, double hi);
void* vt_masked_fill(void* t, void* mask, double value);
void* vt_normalize(void* t, int64_t dim);
int vt_fill_uniform(void* t, double lo, double hi);
int vt_fill_normal(void* t, double mean, double std);
int vt_clamp_inplace(void* t, double lo, double hi);
int vt_zero_diagonal(void* t);
void* vt_compare(void* t, double value, int op);

// Fused operations; see fused.cpp. What they don't make is NULL.
void vt_fail(const char* why);
int vt_use_isa(int level);
int vt_compose(int on);
int vt_composed(void);
int vt_dropout(void* t, double p, void** out);
int vt_gelu(void* t, void** out);
int vt_norm(void* x, void* y, void* weight, void* bias, double p, double eps, int post, void** sum, void** full, void** low);
void* vt_low(void* t);
int vt_distilled_cross_entropy(void* logits, void* teacher, void* words, double distill, void* shares, int64_t ignore, void** out);
int vt_attend(void* q, void* k, void* v, void* of, void* mask, int64_t heads, double p, void** out);
void* vt_linear(void* x, void* weight, void* bias);

// Autograd.
int vt_set_requires_grad(void* t, int on);
int vt_zero_grad(void** ts, int64_t n);
int vt_grads(void** ts, int64_t n, void** out);
int vt_gradients(void* loss, void** inputs, int64_t n, int keep, void** out);
int vt_backward(void* loss);
int vt_backward_with(void** outs, void** grads, int64_t n);
int vt_grad_enabled(void);

// Optimiser and momentum. rate may be NULL, else it counts in the place of lr.
int vt_fused_adamw(void** params, void** grads, void** m, void** v, void** steps, int64_t n, double lr, void* rate, double beta1,
                   double beta2, double decay, double eps);
int vt_foreach_lerp(void** ts, void** ends, int64_t n, double weight);
int vt_backward_adamw(void* loss, void** params, void** m, void** v, void** steps, const double* decays, int64_t n, double lr, void* rate,
                      double beta1, double beta2, double eps);
void* vt_total_norm(void** ts, int64_t n);
int vt_foreach_scale(void** ts, int64_t n, void* scale);

// Autocast to bf16 on one device kind; leave restores what enter found.
int vt_autocast_enter(int cuda);
int vt_autocast_leave(int cuda);
// Sets whether it is on and returns whether it was.
int vt_autocast_set(int cuda, int on);
int vt_autocast_on(int cuda);

// Times of operations: a line each of name, calls and nanoseconds, tab between.
void vt_profile_begin(int device);
const char* vt_profile_end(void);

// Random state of a device's default generator.
int vt_seed(int64_t seed);
void* vt_rng_state(int device);
int vt_set_rng_state(int device, void* state);

// Whether the calling thread may read elements, or send some to a device; see
// capture.cpp. vt_seal returns what was, vt_unsealed fails for what may not.
int vt_seal(int on);
int vt_sealed(void);
int vt_unsealed(const char* what);

// CUDA graphs. vt_graph_lacks returns the first symbol that isn't there, or NULL.
const char* vt_graph_lacks(void);
int vt_graph_pool(uint64_t* pool);
void* vt_graph_begin(int device, const uint64_t* pool);
int vt_graph_end(void* graph);
int vt_graph_replay(void* graph);
void vt_graph_free(void* graph);
// Whether CUDA broke a recording off: libtorch's allocator then takes it for under
// way for good, and keeps what other streams have used.
int vt_graph_broke(void);

#ifdef __cplusplus
}
#endif
