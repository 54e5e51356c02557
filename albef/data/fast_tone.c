#include "fast.h"

#include <string.h>

void vlab_look_up(uint8_t *dst, const uint8_t *src, size_t pixels, const uint8_t *tables) {
	const uint8_t *red = tables, *green = tables + 256, *blue = tables + 512;
	for (size_t i = 0; i < pixels; i++, src += 3, dst += 3) {
		uint8_t r = red[src[0]], g = green[src[1]], b = blue[src[2]];
		dst[0] = r, dst[1] = g, dst[2] = b;
	}
}

/* Neighbours often have the same colour, and counting twice in one place waits
   for the memory; hence two sets of counters. */
void vlab_histograms(int64_t *counts, const uint8_t *src, size_t pixels) {
	uint32_t part[2][768];
	memset(part, 0, sizeof part);
	size_t i = 0;
	for (; i + 1 < pixels; i += 2, src += 6) {
		part[0][src[0]]++, part[0][256 + src[1]]++, part[0][512 + src[2]]++;
		part[1][src[3]]++, part[1][256 + src[4]]++, part[1][512 + src[5]]++;
	}
	if (i < pixels)
		part[0][src[0]]++, part[0][256 + src[1]]++, part[0][512 + src[2]]++;
	for (int v = 0; v < 768; v++)
		counts[v] = (int64_t)part[0][v] + part[1][v];
}

void vlab_normalise_tables(float *dst, const uint8_t *src, size_t pixels, const float *tables) {
	const float *red = tables, *green = tables + 256, *blue = tables + 512;
	for (size_t i = 0; i < pixels; i++, src += 3) {
		dst[i] = red[src[0]];
		dst[pixels + i] = green[src[1]];
		dst[2 * pixels + i] = blue[src[2]];
	}
}

#if defined(__x86_64__)

#include <immintrin.h>

#define INLINE(isa) static inline __attribute__((always_inline, target(isa)))

INLINE("avx2") __m256i load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }

/* 32 pixels are three registers, in which byte i is of channel i%3, i of all 96. */
__attribute__((target("avx2"))) void vlab_extremes(uint8_t *low, uint8_t *high, const uint8_t *src, size_t pixels) {
	uint8_t least[96], most[96];
	memset(least, 255, sizeof least);
	memset(most, 0, sizeof most);
	__m256i a[3], b[3];
	for (int k = 0; k < 3; k++)
		a[k] = load(least), b[k] = load(most);
	size_t i = 0;
	for (; i + 32 <= pixels; i += 32, src += 96)
		for (int k = 0; k < 3; k++) {
			__m256i v = load(src + 32 * k);
			a[k] = _mm256_min_epu8(a[k], v), b[k] = _mm256_max_epu8(b[k], v);
		}
	for (int k = 0; k < 3; k++) {
		_mm256_storeu_si256((__m256i *)(least + 32 * k), a[k]);
		_mm256_storeu_si256((__m256i *)(most + 32 * k), b[k]);
	}
	for (int c = 0; c < 3; c++)
		low[c] = 255, high[c] = 0;
	for (int k = 0; k < 96; k++) {
		low[k % 3] = least[k] < low[k % 3] ? least[k] : low[k % 3];
		high[k % 3] = most[k] > high[k % 3] ? most[k] : high[k % 3];
	}
	for (; i < pixels; i++, src += 3)
		for (int c = 0; c < 3; c++) {
			low[c] = src[c] < low[c] ? src[c] : low[c];
			high[c] = src[c] > high[c] ? src[c] : high[c];
		}
}

/* v / d as a division rounds it, from the reciprocal of d: a product and one
   step of correction. A test goes through all values there are. */
INLINE("avx2,fma") __m256 divide(__m256 v, __m256 d, __m256 reciprocal) {
	__m256 q = _mm256_mul_ps(v, reciprocal);
	return _mm256_fmadd_ps(_mm256_fnmadd_ps(q, d, v), reciprocal, q);
}

/* Channel c of the eight pixels in the 24 bytes at src, of which 32 are read. */
INLINE("avx2") __m256i channel(const uint8_t *src, int c) {
	const char no = (char)0x80, k = (char)c;
	__m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)src)),
	                                    _mm_loadu_si128((const __m128i *)(src + 12)), 1);
	__m256i mask = _mm256_broadcastsi128_si256(_mm_setr_epi8(k, no, no, no, k + 3, no, no, no, k + 6, no, no, no,
	                                                         k + 9, no, no, no));
	return _mm256_shuffle_epi8(v, mask);
}

__attribute__((target("avx2,fma"))) size_t vlab_normalise(float *dst, const uint8_t *src, size_t pixels,
                                                          const float *mean, const float *deviation) {
	__m256 white = _mm256_set1_ps(255), per_white = _mm256_set1_ps(1 / 255.0f);
	size_t i = 0;
	for (; i + 10 <= pixels; i += 8) /* the last eight read 32 bytes */
#pragma GCC unroll 3
		for (int c = 0; c < 3; c++) {
			__m256 d = _mm256_set1_ps(deviation[c]), per_d = _mm256_set1_ps(1 / deviation[c]);
			__m256 v = divide(_mm256_cvtepi32_ps(channel(src + 3 * i, c)), white, per_white);
			v = divide(_mm256_sub_ps(v, _mm256_set1_ps(mean[c])), d, per_d);
			_mm256_storeu_ps(dst + (size_t)c * pixels + i, v);
		}
	return i;
}

/* Eight results of sharpening: blur + factor * (value - blur) without its
   fraction, as 32-bit numbers that may lie outside of a byte. */
INLINE("avx2") __m256i away(__m128i blur, __m128i value, __m256 factor) {
	__m256 b = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(blur)), v = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(value));
	return _mm256_cvttps_epi32(_mm256_add_ps(b, _mm256_mul_ps(factor, _mm256_sub_ps(v, b))));
}

INLINE("avx2") __m256i words(const uint8_t *p) { return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p)); }

INLINE("avx2") __m256i three(const uint8_t *p) {
	return _mm256_add_epi16(_mm256_add_epi16(words(p - 3), words(p)), words(p + 3));
}

__attribute__((target("avx2"))) int vlab_sharpen_row(uint8_t *dst, const uint8_t *row, int stride, float factor) {
	__m256 f = _mm256_set1_ps(factor);
	int x = 3;
	for (; x + 16 + 3 <= stride; x += 16) {
		const uint8_t *p = row + x;
		__m256i value = words(p);
		__m256i sum = _mm256_add_epi16(_mm256_add_epi16(three(p - stride), three(p + stride)),
		                               _mm256_add_epi16(three(p), _mm256_slli_epi16(value, 2)));
		/* sum/13 to the nearest integer is (2 sum + 13) / 26; 40330 is 2^20/26 rounded up */
		__m256i blur = _mm256_add_epi16(_mm256_slli_epi16(sum, 1), _mm256_set1_epi16(13));
		blur = _mm256_srli_epi16(_mm256_mulhi_epu16(blur, _mm256_set1_epi16((short)40330)), 4);
		__m256i low = away(_mm256_castsi256_si128(blur), _mm256_castsi256_si128(value), f);
		__m256i high = away(_mm256_extracti128_si256(blur, 1), _mm256_extracti128_si256(value, 1), f);
		__m256i byte = _mm256_set1_epi32(255);
		__m256i packed = _mm256_packus_epi32(_mm256_and_si256(low, byte), _mm256_and_si256(high, byte));
		packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(packed, packed), 0xd8);
		/* of each half: low 0-3, high 0-3 | low 4-7, high 4-7 */
		__m128i bytes = _mm256_castsi256_si128(packed);
		bytes = _mm_shuffle_epi32(bytes, 0xd8);
		_mm_storeu_si128((__m128i *)(dst + x), bytes);
	}
	return x;
}

#else

void vlab_extremes(uint8_t *low, uint8_t *high, const uint8_t *src, size_t pixels) {}
size_t vlab_normalise(float *dst, const uint8_t *src, size_t pixels, const float *mean, const float *deviation) {
	return 0;
}
int vlab_sharpen_row(uint8_t *dst, const uint8_t *row, int stride, float factor) { return 3; }

#endif
