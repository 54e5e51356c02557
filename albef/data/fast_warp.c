#include "fast.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline, target("avx2")))

/* As in warp.go; weights have 10 bits here, so that two fit into a multiplication. */
enum { position_bits = 5, positions = 1 << position_bits, shift = 10 - position_bits, border = 128 };

typedef struct {
	const uint8_t *pix;
	int w, h;
} picture;

static int edge_pixel(const picture *m, int x, int y, int c) {
	return x < 0 || y < 0 || x >= m->w || y >= m->h ? border : m->pix[3 * (y * m->w + x) + c];
}

/* One pixel that may lie at or beyond the edge; x and y are in 1/32 of a pixel. */
static void bilinear(uint8_t *out, const picture *m, int x, int y) {
	int fx = x & (positions - 1), fy = y & (positions - 1);
	x >>= position_bits, y >>= position_bits;
	if (x < -1 || y < -1 || x >= m->w || y >= m->h) {
		memset(out, border, 3);
		return;
	}
	for (int c = 0; c < 3; c++) {
		int top = edge_pixel(m, x, y, c) * (positions - fx) + edge_pixel(m, x + 1, y, c) * fx;
		int bottom = edge_pixel(m, x, y + 1, c) * (positions - fx) + edge_pixel(m, x + 1, y + 1, c) * fx;
		out[c] = (uint8_t)((top * (positions - fy) + bottom * fy + 512) >> 10);
	}
}

/* Where eight pixels come from: the byte of the upper left one of four, and the
   weights of the upper two and of the lower two as pairs of 16 bits. */
typedef struct {
	int32_t offset[8];
	__m256i top, bottom;
} origins;

/* 0 where one of the eight reaches beyond the edge. */
INLINE int find(origins *o, __m256i x, __m256i y, int w, int h) {
	__m256i part = _mm256_set1_epi32(positions - 1), one = _mm256_set1_epi32(positions), none = _mm256_set1_epi32(-1);
	__m256i fx = _mm256_and_si256(x, part), fy = _mm256_and_si256(y, part);
	x = _mm256_srai_epi32(x, position_bits), y = _mm256_srai_epi32(y, position_bits);
	__m256i inside = _mm256_and_si256(
		_mm256_and_si256(_mm256_cmpgt_epi32(x, none), _mm256_cmpgt_epi32(y, none)),
		_mm256_and_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(w - 1), x), _mm256_cmpgt_epi32(_mm256_set1_epi32(h - 1), y)));
	if (_mm256_movemask_epi8(inside) != -1)
		return 0;
	__m256i at = _mm256_add_epi32(_mm256_mullo_epi32(y, _mm256_set1_epi32(w)), x);
	_mm256_storeu_si256((__m256i *)o->offset, _mm256_add_epi32(at, _mm256_slli_epi32(at, 1)));
	__m256i across = _mm256_or_si256(_mm256_sub_epi32(one, fx), _mm256_slli_epi32(fx, 16));
	__m256i up = _mm256_sub_epi32(one, fy);
	o->top = _mm256_mullo_epi16(across, _mm256_or_si256(up, _mm256_slli_epi32(up, 16)));
	o->bottom = _mm256_mullo_epi16(across, _mm256_or_si256(fy, _mm256_slli_epi32(fy, 16)));
	return 1;
}

/* Of two places the pixel there and the one to its right, channel by channel. */
INLINE __m256i neighbours(const uint8_t *a, const uint8_t *b) {
	const char no = (char)0x80;
	__m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)a)),
	                                    _mm_loadl_epi64((const __m128i *)b), 1);
	return _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, no, 3, no, 1, no, 4, no, 2, no, 5, no, no, no, no, no)));
}

/* Pixels i and j of the eight: three sums of 32 bits in each half. */
INLINE __m256i blend(const origins *o, const uint8_t *src, int stride, int i, int j) {
	__m256i pick = _mm256_setr_epi32(i, i, i, i, j, j, j, j);
	__m256i top = neighbours(src + o->offset[i], src + o->offset[j]);
	__m256i bottom = neighbours(src + stride + o->offset[i], src + stride + o->offset[j]);
	__m256i sum = _mm256_add_epi32(_mm256_madd_epi16(top, _mm256_permutevar8x32_epi32(o->top, pick)),
	                               _mm256_madd_epi16(bottom, _mm256_permutevar8x32_epi32(o->bottom, pick)));
	return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(512)), 10);
}

/* Writes eight pixels, 24 bytes, from sums that hold 0 and 1, 2 and 3 and so on. */
INLINE void put_eight(uint8_t *to, const __m256i sum[4]) {
	const char no = (char)0x80;
	__m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(sum[0], sum[1]), _mm256_packs_epi32(sum[2], sum[3]));
	/* the halves now hold pixels 0 2 4 6 and 1 3 5 7 of four bytes each */
	bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
	bytes = _mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, no, no, no, no)));
	__m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
	_mm_storel_epi64((__m128i *)to, low);
	uint32_t rest = (uint32_t)_mm_extract_epi32(low, 2);
	memcpy(to + 8, &rest, 4);
	_mm_storel_epi64((__m128i *)(to + 12), high);
	rest = (uint32_t)_mm_extract_epi32(high, 2);
	memcpy(to + 20, &rest, 4);
}

AVX2 void vlab_warp(uint8_t *dst, const uint8_t *src, int w, int h, const int32_t *dx, const int32_t *dy,
                    const int32_t *x0, const int32_t *y0) {
	picture m = {src, w, h};
	for (int y = 0; y < h; y++, dst += 3 * w)
		for (int i = 0; i < w; i += 8) {
			origins o;
			int eight = i + 8 <= w;
			if (eight) {
				__m256i fx = _mm256_add_epi32(_mm256_set1_epi32(x0[y]), _mm256_loadu_si256((const __m256i *)(dx + i)));
				__m256i fy = _mm256_add_epi32(_mm256_set1_epi32(y0[y]), _mm256_loadu_si256((const __m256i *)(dy + i)));
				eight = find(&o, _mm256_srai_epi32(fx, shift), _mm256_srai_epi32(fy, shift), w, h);
			}
			if (eight) {
				__m256i sum[4];
#pragma GCC unroll 4
				for (int k = 0; k < 4; k++)
					sum[k] = blend(&o, src, 3 * w, 2 * k, 2 * k + 1);
				put_eight(dst + 3 * i, sum);
				continue;
			}
			for (int k = i; k < i + 8 && k < w; k++)
				bilinear(dst + 3 * k, &m, (x0[y] + dx[k]) >> shift, (y0[y] + dy[k]) >> shift);
		}
}

#else

void vlab_warp(uint8_t *dst, const uint8_t *src, int w, int h, const int32_t *dx, const int32_t *dy,
               const int32_t *x0, const int32_t *y0) {}

#endif
