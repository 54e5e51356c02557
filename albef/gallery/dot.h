// Sums of products of 8-bit codes and 16-bit queries, exact.
#include <stddef.h>
#include <stdint.h>

// The ways to compute them, each needing more of a CPU.
enum { VLAB_DOTS_PLAIN, VLAB_DOTS_AVX2, VLAB_DOTS_AVX512 };

// vlab_dots_best is the last of them that this CPU has.
int vlab_dots_best(void);

// vlab_dots writes out[q * rows + r], the product of codes[r] and queries[q].
// Rows and queries have stride numbers, a multiple of 64.
void vlab_dots(int way, const int8_t *codes, size_t rows, size_t stride, const int16_t *queries, size_t count, int32_t *out);
