#include "jpeg_huffman.h"

#include <string.h>

/* The first members of libjpeg's struct jpeg_entropy_decoder, the same in every
   release since 1995. jpegint.h has it, which not every system installs. */
typedef struct {
	void (*start_pass)(j_decompress_ptr cinfo);
	boolean (*decode_mcu)(j_decompress_ptr cinfo, JBLOCKROW *blocks);
} entropy_decoder;

/* An entry of look: the bits taken (6 bits, the count a shift looks at), how far
   ahead the first coefficient lies (5 bits), how far ahead of that the second
   one (6 bits), and their values (8 and 7 bits, signed). Where there is no second
   one, it repeats the first. A second distance of 63 leaves the block whatever
   comes first, so that the reader has one thing to watch: it is the end of the
   block, after a coefficient or, with a first distance of 0, at once; or, where
   no bits are taken, what does not fit into a look: the first value then is the
   symbol, the second the length of its code, 0 where that is too long as well.
   In the table of a DC only the first value counts. */
enum { first_at = 6, second_at = 11, value_at = 17, value2_at = 25, end_distance = 63 };
#define TAKEN(e) ((e) & 63)
#define FIRST(e) (((e) >> first_at) & 31)
#define SECOND(e) (((e) >> second_at) & 63)
#define VALUE(e) ((int32_t)((uint32_t)(e) << 7) >> 24)
#define VALUE2(e) ((e) >> value2_at)

static int32_t entry(int taken, int first, int second, int value, int value2) {
	return (int32_t)((uint32_t)taken | (uint32_t)first << first_at | (uint32_t)second << second_at |
	                 (uint32_t)(value & 255) << value_at | (uint32_t)(value2 & 127) << value2_at);
}

/* A symbol, whose code has length bits, at the top of VLAB_LOOK bits; taken is 0
   where they don't suffice for the value, and length where not for the code. */
typedef struct {
	int taken, advance, value, symbol, length;
} coefficient;

/* Where coefficient k in the order of the file stands in the block. */
static const uint8_t natural[64] = {
		0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
		41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
		30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* The value of size bits, as T.81 F.1.2.1.1 codes it. */
static inline int extend(int bits, int size) {
	return size && bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
}

/* What symbol, whose code has length bits, says at the top of pattern. */
static coefficient interpret(int pattern, int length, int symbol, int dc) {
	int size = symbol & 15, run = symbol >> 4;
	coefficient c = {length + size, dc ? 1 : run + 1, 0, symbol, length};
	if (c.taken > VLAB_LOOK)
		c.taken = 0;
	else if (!dc && size == 0 && run != 15)
		c.advance = end_distance; /* runs below 15 only occur in progressive files */
	else
		c.value = extend((pattern >> (VLAB_LOOK - c.taken)) & ((1 << size) - 1), size);
	return c;
}

/* The entry for pattern, given what the top of every pattern says. */
static int32_t join(const coefficient *all, int pattern, int dc) {
	coefficient a = all[pattern];
	if (a.taken == 0 || a.value != (int8_t)a.value || (!dc && (a.value < -64 || a.value >= 64)))
		return entry(0, 0, end_distance, a.symbol, a.length);
	if (a.advance == end_distance)
		return entry(a.taken, 0, end_distance, 0, 0);
	coefficient b = all[(pattern << a.taken) & ((1 << VLAB_LOOK) - 1)];
	if (!dc && b.taken != 0 && a.taken + b.taken <= VLAB_LOOK && b.value >= -64 && b.value < 64)
		return entry(a.taken + b.taken, a.advance, b.advance, a.value, b.value);
	return entry(a.taken, a.advance, 0, a.value, a.value);
}

/* Fills t from a table of the file; 0 where the table makes no sense. */
static int make_table(vlab_huffman_table *t, const JHUFF_TBL *from, int dc) {
	if (!from)
		return 0;
	if (t->made && t->dc == dc && !memcmp(t->bits, from->bits, 17) && !memcmp(t->values, from->huffval, 256))
		return 1;
	static const coefficient unknown = {0, 0, 0, 0, 0};
	coefficient all[1 << VLAB_LOOK];
	t->made = 0;
	memcpy(t->bits, from->bits, 17);
	memcpy(t->values, from->huffval, 256);
	for (int i = 0; i < 1 << VLAB_LOOK; i++)
		all[i] = unknown;
	int code = 0, place = 0;
	for (int length = 1; length <= 16; length++, code <<= 1) {
		t->offset[length] = place - code;
		for (int i = 0; i < t->bits[length]; i++, code++, place++) {
			if (place > 255 || code >= 1 << length)
				return 0;
			int low = code << (VLAB_LOOK - length);
			for (int k = 0; length <= VLAB_LOOK && k < 1 << (VLAB_LOOK - length); k++)
				all[low + k] = interpret(low + k, length, t->values[place], dc);
		}
		t->last[length] = code << (16 - length);
	}
	for (int i = 0; i < 1 << VLAB_LOOK; i++)
		t->look[i] = join(all, i, dc);
	t->dc = dc;
	t->made = 1;
	return 1;
}

/* Copies the scan without the zero after each 0xff, up to the first marker, and
   returns its size; 0 where there is no marker. */
static size_t unstuff(uint8_t *to, const uint8_t *from, size_t size) {
	uint8_t *start = to;
	const uint8_t *end = from + size;
	while (from < end) {
		const uint8_t *stop = memchr(from, 0xff, (size_t)(end - from));
		size_t n = (size_t)((stop ? stop : end) - from);
		memcpy(to, from, n);
		to += n;
		if (!stop || stop + 1 >= end)
			return 0;
		if (stop[1] != 0)
			return (size_t)(to - start);
		*to++ = 0xff;
		from = stop + 2;
	}
	return 0;
}

/* What of the reader's state is kept in registers while a block is read. */
typedef struct {
	uint64_t window;
	const uint8_t *next;
	int filled;
} reader;

/* Afterwards 56 bits or more are valid, beyond the end of the scan too, where
   VLAB_SCAN_ROOM zeros follow; decode_mcu looks out for that. */
static inline void refill(reader *r) {
	uint64_t bytes;
	memcpy(&bytes, r->next, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	bytes = __builtin_bswap64(bytes);
#endif
	r->window |= bytes >> r->filled;
	r->next += (63 - r->filled) >> 3;
	r->filled |= 56;
}

static inline int take(reader *r, int n) {
	int bits = n ? (int)(r->window >> (64 - n)) : 0;
	r->window <<= n;
	r->filled -= n;
	return bits;
}

/* A symbol by comparing with the largest code of each length; -1 where there is
   no such code. */
static int slow_symbol(reader *r, const vlab_huffman_table *t) {
	int top = (int)(r->window >> 48), length = 1;
	while (length <= 16 && top >= t->last[length])
		length++;
	if (length > 16)
		return -1;
	return t->values[(take(r, length) + t->offset[length]) & 255];
}

/* The next difference of DC values; INT32_MIN where the code is wrong. */
static inline int32_t dc_difference(reader *r, const vlab_huffman_table *t) {
	refill(r);
	int32_t e = t->look[r->window >> (64 - VLAB_LOOK)];
	if (TAKEN(e)) {
		take(r, TAKEN(e));
		return VALUE(e);
	}
	int size = slow_symbol(r, t);
	if (size < 0 || size > 15)
		return INT32_MIN;
	return extend(take(r, size), size);
}

/* One coefficient, of any length. 0 at the end of the block, -1 where the code is
   wrong, and else how far ahead it lies. */
static int one_coefficient(reader *r, const vlab_huffman_table *t, int *value) {
	refill(r);
	int32_t e = t->look[r->window >> (64 - VLAB_LOOK)];
	int symbol;
	if (TAKEN(e) == 0 && VALUE2(e) != 0) {
		symbol = VALUE(e) & 255;
		take(r, VALUE2(e));
	} else {
		symbol = slow_symbol(r, t);
	}
	if (symbol < 0)
		return -1;
	int size = symbol & 15;
	if (size == 0 && symbol != 0xf0)
		return 0;
	*value = extend(take(r, size), size);
	return (symbol >> 4) + 1;
}

/* Reads one coefficient after place k, or with all those to the end of the block.
   The place it has come to, 63 at the end, or -1 where a code is wrong. */
static __attribute__((noinline)) int slowly(reader *r, const vlab_huffman_table *t, JCOEF *block, int k, int all) {
	do {
		int value, advance = one_coefficient(r, t, &value);
		k += advance;
		if (advance <= 0 || k > 63)
			return advance == 0 ? 63 : -1;
		if (block)
			block[natural[k]] = (JCOEF)value;
	} while (all && k < 63);
	return k;
}

/* Reads the 63 AC coefficients into block, which are 0 before; a NULL block
   skips them. 0 where a code is wrong. The speed lies in how few steps lead from
   one look to the next, and in there being one branch that can't be foretold. */
static inline __attribute__((always_inline)) int ac_coefficients(reader *state, const vlab_huffman_table *t, JCOEF *block) {
	reader r = *state; /* never pointed to, so that it stays in registers */
	int k = 0;         /* the place of the last coefficient */
	for (;;) {
		refill(&r);
#pragma GCC unroll 8
		for (int i = 0; i < 56 / VLAB_LOOK; i++) {
			int32_t e = t->look[r.window >> (64 - VLAB_LOOK)];
			int first = k + FIRST(e), second = first + SECOND(e);
			if (__builtin_expect(second >= 63, 0)) {
				*state = r;
				if (__builtin_expect(SECOND(e) == end_distance && TAKEN(e) && first < 63, 1)) {
					take(state, TAKEN(e));
					if (block) {
						JCOEF *to = &block[natural[first]];
						*to = FIRST(e) ? (JCOEF)VALUE(e) : *to;
					}
					return 1;
				}
				k = slowly(state, t, block, k, TAKEN(e));
				if (k < 0 || k == 63)
					return k == 63;
				r = *state;
				break;
			}
			r.window <<= TAKEN(e);
			r.filled -= TAKEN(e);
			if (block) {
				block[natural[first]] = (JCOEF)VALUE(e);
				block[natural[second]] = (JCOEF)VALUE2(e);
			}
			k = second;
		}
	}
}

static boolean decode_mcu(j_decompress_ptr cinfo, JBLOCKROW *blocks) {
	vlab_huffman *h = cinfo->client_data;
	int wanted = blocks && h->column >= h->first && h->column <= h->last;
	if (++h->column == h->columns)
		h->column = 0;
	reader r = {h->window, h->next, h->filled};
	int good = 1;
	for (int i = 0; i < h->blocks; i++) {
		int32_t difference = dc_difference(&r, h->dc_of[i]);
		good &= difference != INT32_MIN;
		int *dc = &h->dc[h->component[i]];
		*dc = (int)((unsigned)*dc + (unsigned)difference);
		if (wanted) {
			(*blocks[i])[0] = (JCOEF)*dc;
			good &= ac_coefficients(&r, h->ac_of[i], *blocks[i]);
		} else {
			good &= ac_coefficients(&r, h->ac_of[i], NULL);
		}
		if (r.next > h->end + 8 || !good)
			h->give_up(cinfo);
	}
	h->window = r.window, h->next = r.next, h->filled = r.filled;
	if (r.next - (r.filled >> 3) > h->end)
		h->give_up(cinfo); /* more was read than the scan holds */
	return TRUE;
}

/* Whether the scan that cinfo is about to read is of the ordinary kind. */
static int ordinary(j_decompress_ptr cinfo) {
#ifndef LIBJPEG_TURBO_VERSION
	return 0;
#endif
	return !cinfo->progressive_mode && !cinfo->arith_code && cinfo->restart_interval == 0 &&
         cinfo->data_precision == 8 && cinfo->comps_in_scan == cinfo->num_components &&
         !jpeg_has_multiple_scans(cinfo) && cinfo->blocks_in_MCU <= D_MAX_BLOCKS_IN_MCU;
}

int vlab_huffman_install(vlab_huffman *h, j_decompress_ptr cinfo, uint8_t *scan,
                         uint32_t first, uint32_t last, void (*give_up)(j_decompress_ptr)) {
	if (!ordinary(cinfo))
		return 0;
	for (int i = 0; i < cinfo->comps_in_scan; i++) {
		const jpeg_component_info *c = cinfo->cur_comp_info[i];
		if (c->dc_tbl_no < 0 || c->dc_tbl_no > 3 || c->ac_tbl_no < 0 || c->ac_tbl_no > 3)
			return 0;
		if (!make_table(&h->table[c->dc_tbl_no], cinfo->dc_huff_tbl_ptrs[c->dc_tbl_no], 1) ||
				!make_table(&h->table[4 + c->ac_tbl_no], cinfo->ac_huff_tbl_ptrs[c->ac_tbl_no], 0))
			return 0;
		h->dc[i] = 0;
	}
	h->blocks = cinfo->blocks_in_MCU;
	for (int i = 0; i < h->blocks; i++) {
		h->component[i] = (uint8_t)cinfo->MCU_membership[i];
		const jpeg_component_info *c = cinfo->cur_comp_info[h->component[i]];
		h->dc_of[i] = &h->table[c->dc_tbl_no];
		h->ac_of[i] = &h->table[4 + c->ac_tbl_no];
	}
	h->columns = cinfo->MCUs_per_row, h->column = 0;
	h->first = first, h->last = last;
	size_t n = unstuff(scan, cinfo->src->next_input_byte, cinfo->src->bytes_in_buffer);
	if (n == 0)
		return 0;
	memset(scan + n, 0, VLAB_SCAN_ROOM);
	h->next = scan, h->end = scan + n;
	h->window = 0, h->filled = 0;
	h->give_up = give_up;
	cinfo->client_data = h;
	((entropy_decoder *)cinfo->entropy)->decode_mcu = decode_mcu;
	return 1;
}
