#include "fast.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline, target("avx2")))

enum { weight_bits = 22, half = 1 << (weight_bits - 1), split_bits = 12 };

int vlab_fast(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

/* Shuffles that make pairs of 16-bit numbers of pixels first and first + 1: their
   reds, greens and blues. */
INLINE __m256i pairs(int first) {
	const char p = (char)(3 * first), no = (char)0x80;
	return _mm256_broadcastsi128_si256(
		_mm_setr_epi8(p, no, p + 3, no, p + 1, no, p + 4, no, p + 2, no, p + 5, no, no, no, no, no));
}

INLINE __m256i two_rows(const uint8_t *a, const uint8_t *b) {
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)a)),
                                 _mm_loadu_si128((const __m128i *)b), 1);
}

/* Sums of two rows at a time, apart for the low and the high bits of the weights. */
typedef struct {
	__m256i low[2], high[2];
} sums;

/* Adds n pixels of four rows, two or four, times their weights. */
INLINE void add_pixels(const uint8_t *const row[4], int offset, const int32_t *split, int n, sums *s) {
	__m256i rows[2] = {two_rows(row[0] + offset, row[1] + offset), two_rows(row[2] + offset, row[3] + offset)};
#pragma GCC unroll 2
	for (int t = 0; t < n; t += 2) {
		__m256i low = _mm256_set1_epi32(split[t]), high = _mm256_set1_epi32(split[t + 1]);
#pragma GCC unroll 2
		for (int i = 0; i < 2; i++) {
			__m256i v = _mm256_shuffle_epi8(rows[i], pairs(t));
			s->low[i] = _mm256_add_epi32(s->low[i], _mm256_madd_epi16(v, low));
			s->high[i] = _mm256_add_epi32(s->high[i], _mm256_madd_epi16(v, high));
		}
	}
}

/* One pixel of four rows: of rows 0 and 1, and of 2 and 3. */
INLINE void filter_pixel(const uint8_t *const row[4], int offset, const int32_t *split, int count, __m256i pixels[2]) {
	__m256i zero = _mm256_setzero_si256(), start = _mm256_set1_epi32(half);
	sums s = {{start, start}, {zero, zero}};
	int k = 0;
	for (; k + 2 < count; k += 4, offset += 12)
		add_pixels(row, offset, split + k, 4, &s);
	if (k < count)
		add_pixels(row, offset, split + k, 2, &s);
	for (int i = 0; i < 2; i++) {
		__m256i sum = _mm256_add_epi32(s.low[i], _mm256_slli_epi32(s.high[i], split_bits));
		pixels[i] = _mm256_srai_epi32(sum, weight_bits);
	}
}

/* Writes a pixel with one byte more, behind it or before it, which the pixel
   written next covers; the last one is written without. */
INLINE void put_pixel(uint8_t *to, uint32_t rgb, int mirror, int last) {
	if (last) {
		memcpy(to, &rgb, 2);
		to[2] = (uint8_t)(rgb >> 16);
	} else if (mirror) {
		rgb <<= 8;
		memcpy(to - 1, &rgb, 4);
	} else {
		memcpy(to, &rgb, 4);
	}
}

INLINE void write_pixel(uint8_t *const to[4], int at, const uint8_t *const row[4], int first, const int32_t *split,
                        int count, int mirror, int last) {
	__m256i pixels[2];
	filter_pixel(row, 3 * first, split, count, pixels);
	__m256i words = _mm256_packs_epi32(pixels[0], pixels[1]), bytes = _mm256_packus_epi16(words, words);
	uint64_t even = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(bytes));
	uint64_t odd = (uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(bytes, 1));
	put_pixel(to[0] + at, (uint32_t)even, mirror, last);
	put_pixel(to[1] + at, (uint32_t)odd, mirror, last);
	put_pixel(to[2] + at, (uint32_t)(even >> 32), mirror, last);
	put_pixel(to[3] + at, (uint32_t)(odd >> 32), mirror, last);
}

INLINE void filter_rows(uint8_t *const to[4], const uint8_t *const row[4], int out, int width, const int32_t *first,
                        const int32_t *count, const int32_t *split, int mirror) {
	int at = mirror ? 3 * (out - 1) : 0, step = mirror ? -3 : 3;
	for (int i = 0; i < out - 1; i++, at += step, split += width)
		write_pixel(to, at, row, first[i], split, count[i], mirror, 0);
	write_pixel(to, at, row, first[out - 1], split, count[out - 1], mirror, 1);
}

AVX2 void vlab_resize_rows(uint8_t *dst, const uint8_t *src, size_t src_stride, int rows, int out, int width,
                           const int32_t *first, const int32_t *count, const int32_t *split, int mirror) {
	for (int y = 0; y < rows; y += 4) {
		const uint8_t *from[4];
		uint8_t *to[4];
		for (int i = 0; i < 4; i++) { /* the last rows may be done more than once */
			int at = y + i < rows ? y + i : rows - 1;
			from[i] = src + (size_t)at * src_stride;
			to[i] = dst + (size_t)at * 3 * (size_t)out;
		}
		if (mirror)
			filter_rows(to, from, out, width, first, count, split, 1);
		else
			filter_rows(to, from, out, width, first, count, split, 0);
	}
}

INLINE __m256i eight_bytes(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)); }

/* 32 bytes of a row from those below each other. */
INLINE void filter_column(uint8_t *to, const uint8_t *from, size_t stride, const int32_t *weights, int count) {
	__m256i sums[4];
	for (int i = 0; i < 4; i++)
		sums[i] = _mm256_set1_epi32(half);
	for (int k = 0; k < count; k++, from += stride) {
		__m256i weight = _mm256_set1_epi32(weights[k]);
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++)
			sums[i] = _mm256_add_epi32(sums[i], _mm256_mullo_epi32(eight_bytes(from + 8 * i), weight));
	}
	for (int i = 0; i < 4; i++)
		sums[i] = _mm256_srai_epi32(sums[i], weight_bits);
	__m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]), _mm256_packs_epi32(sums[2], sums[3]));
	bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
	_mm256_storeu_si256((__m256i *)to, bytes);
}

AVX2 void vlab_resize_columns(uint8_t *dst, const uint8_t *src, size_t src_stride, int length, int out, int width,
                              const int32_t *first, const int32_t *count, const int32_t *weights) {
	for (int y = 0; y < out; y++, dst += length) {
		const uint8_t *from = src + (size_t)first[y] * src_stride;
		const int32_t *w = weights + (size_t)y * (size_t)width;
		for (int x = 0; x < length; x += 32) {
			int at = x + 32 <= length ? x : length - 32; /* the last bytes may be done twice */
			filter_column(dst + at, from + at, src_stride, w, count[y]);
		}
	}
}

#else

int vlab_fast(void) { return 0; }
void vlab_resize_rows(uint8_t *dst, const uint8_t *src, size_t src_stride, int rows, int out, int width,
                      const int32_t *first, const int32_t *count, const int32_t *split, int mirror) {}
void vlab_resize_columns(uint8_t *dst, const uint8_t *src, size_t src_stride, int length, int out, int width,
                         const int32_t *first, const int32_t *count, const int32_t *weights) {}

#endif
