#include "dot.h"

static void plain(const int8_t *codes, size_t rows, size_t stride, const int16_t *query, int32_t *out) {
	for (size_t r = 0; r < rows; r++, codes += stride) {
		int32_t sum = 0;
		for (size_t i = 0; i < stride; i++) sum += (int32_t)codes[i] * query[i];
		out[r] = sum;
	}
}

#if defined(__x86_64__)
#include <immintrin.h>

// Rows are prefetched so many bytes ahead: more than a page, where the CPU's own prefetching stops.
enum { AHEAD = 8192 };

__attribute__((target("avx2"))) static int32_t total256(__m256i x) {
	__m128i s = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
	return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

__attribute__((target("avx2"))) static void avx2(const int8_t *codes, size_t rows, size_t stride, const int16_t *query, int32_t *out) {
	for (size_t r = 0; r < rows; r++, codes += stride) {
		__m256i even = _mm256_setzero_si256(), odd = even;
		for (size_t i = 0; i < stride; i += 64) {
			_mm_prefetch((const char *)codes + i + AHEAD, _MM_HINT_T0);
			for (size_t j = i; j < i + 64; j += 32) {
				__m256i a = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(codes + j)));
				__m256i b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(codes + j + 16)));
				even = _mm256_add_epi32(even, _mm256_madd_epi16(a, _mm256_loadu_si256((const __m256i *)(query + j))));
				odd = _mm256_add_epi32(odd, _mm256_madd_epi16(b, _mm256_loadu_si256((const __m256i *)(query + j + 16))));
			}
		}
		out[r] = total256(_mm256_add_epi32(even, odd));
	}
}

__attribute__((target("avx512f,avx512bw"))) static void avx512(const int8_t *codes, size_t rows, size_t stride, const int16_t *query, int32_t *out) {
	for (size_t r = 0; r < rows; r++, codes += stride) {
		__m512i even = _mm512_setzero_si512(), odd = even;
		for (size_t i = 0; i < stride; i += 64) {
			_mm_prefetch((const char *)codes + i + AHEAD, _MM_HINT_T0);
			__m512i a = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(codes + i)));
			__m512i b = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(codes + i + 32)));
			even = _mm512_add_epi32(even, _mm512_madd_epi16(a, _mm512_loadu_si512(query + i)));
			odd = _mm512_add_epi32(odd, _mm512_madd_epi16(b, _mm512_loadu_si512(query + i + 32)));
		}
		out[r] = _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
	}
}

// four512 is avx512 for four queries, whose codes are widened once.
__attribute__((target("avx512f,avx512bw"))) static void four512(const int8_t *codes, size_t rows, size_t stride, const int16_t *query, int32_t *out) {
	for (size_t r = 0; r < rows; r++, codes += stride) {
		__m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
		for (size_t i = 0; i < stride; i += 32) {
			__m512i a = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(codes + i)));
			for (int q = 0; q < 4; q++) sum[q] = _mm512_add_epi32(sum[q], _mm512_madd_epi16(a, _mm512_loadu_si512(query + q * stride + i)));
		}
		for (int q = 0; q < 4; q++) out[q * rows + r] = _mm512_reduce_add_epi32(sum[q]);
	}
}

int vlab_dots_best(void) {
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512bw")) return VLAB_DOTS_AVX512;
	return __builtin_cpu_supports("avx2") ? VLAB_DOTS_AVX2 : VLAB_DOTS_PLAIN;
}
#else
int vlab_dots_best(void) { return VLAB_DOTS_PLAIN; }
#endif

void vlab_dots(int way, const int8_t *codes, size_t rows, size_t stride, const int16_t *queries, size_t count, int32_t *out) {
	size_t q = 0;
#if defined(__x86_64__)
	for (; way == VLAB_DOTS_AVX512 && q + 4 <= count; q += 4, queries += 4 * stride, out += 4 * rows) four512(codes, rows, stride, queries, out);
#endif
	for (; q < count; q++, queries += stride, out += rows) {
		switch (way) {
#if defined(__x86_64__)
		case VLAB_DOTS_AVX512:
			avx512(codes, rows, stride, queries, out);
			break;
		case VLAB_DOTS_AVX2:
			avx2(codes, rows, stride, queries, out);
			break;
#endif
		default:
			plain(codes, rows, stride, queries, out);
		}
	}
}
