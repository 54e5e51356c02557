#ifndef VLAB_FAST_H
#define VLAB_FAST_H

#include <stddef.h>
#include <stdint.h>

/* The inner loops of the transforms, with AVX2. Each has a plain twin in Go, equal
   to it bit for bit, which runs where vlab_fast is 0. */
int vlab_fast(void);

/* Bytes that vlab_resize_rows may read behind the last pixel of a row. */
#define VLAB_ROW_SLACK 16

/* first, count, weights and split are those of taps in taps.go: width is a
   multiple of 4, and weights from count on are 0. */

/* Filters each of rows rows along its length, to out pixels, the last one first
   with mirror. */
void vlab_resize_rows(uint8_t *dst, const uint8_t *src, size_t src_stride, int rows, int out, int width,
                      const int32_t *first, const int32_t *count, const int32_t *split, int mirror);

/* Filters rows of length bytes, 32 or more of them, each with those below, to out rows. */
void vlab_resize_columns(uint8_t *dst, const uint8_t *src, size_t src_stride, int length, int out, int width,
                         const int32_t *first, const int32_t *count, const int32_t *weights);

/* Each byte of pixels through the table of its channel; tables are three of 256. */
void vlab_look_up(uint8_t *dst, const uint8_t *src, size_t pixels, const uint8_t *tables);
void vlab_normalise_tables(float *dst, const uint8_t *src, size_t pixels, const float *tables);

/* How often each of the 256 values occurs in each of three channels. */
void vlab_histograms(int64_t *counts, const uint8_t *src, size_t pixels);

/* The lowest and highest value of each of three channels. */
void vlab_extremes(uint8_t *low, uint8_t *high, const uint8_t *src, size_t pixels);

/* Writes (value/255 - mean) / deviation channel by channel, and returns how many
   pixels it has done; the caller does the last few. */
size_t vlab_normalise(float *dst, const uint8_t *src, size_t pixels, const float *mean, const float *deviation);

/* Sharpens the bytes of a row from the third on, which has rows of stride bytes
   above and below it, and returns where it stopped. */
int vlab_sharpen_row(uint8_t *dst, const uint8_t *row, int stride, float factor);

/* A picture of w by h pixels warped: pixel x, y comes from x0[y] + dx[x],
   y0[y] + dy[x], in 1/1024 of a pixel. VLAB_ROW_SLACK applies. */
void vlab_warp(uint8_t *dst, const uint8_t *src, int w, int h, const int32_t *dx, const int32_t *dy,
               const int32_t *x0, const int32_t *y0);

#endif
