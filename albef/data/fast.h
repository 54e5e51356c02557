#ifndef VLAB_FAST_H
#define VLAB_FAST_H

#include <stddef.h>
#include <stdint.h>

/* The inner loops of the transforms, with AVX2. Each has a plain twin in Go, equal
   to it bit for bit, which runs where vlab_fast is 0. */
int vlab_fast(void);

/* Bytes that vlab_resize_rows may read behind the last pixel of a row. */
#define VLAB_ROW_SLACK 16

/* first, count and weights are those of taps in resize.go: width is a multiple
   of 4, and weights from count on are 0. */

/* Filters each of rows rows along its length, to out pixels, the last one first
   with mirror. */
void vlab_resize_rows(uint8_t *dst, const uint8_t *src, size_t src_stride, int rows, int out, int width,
                      const int32_t *first, const int32_t *count, const int32_t *weights, int mirror);

/* Filters rows of length bytes, 32 or more of them, each with those below, to out rows. */
void vlab_resize_columns(uint8_t *dst, const uint8_t *src, size_t src_stride, int length, int out, int width,
                         const int32_t *first, const int32_t *count, const int32_t *weights);

#endif
