#include "jpeg_huffman.h"

#include <string.h>

/* The first members of libjpeg's struct jpeg_entropy_decoder, the same in every
   release since 1995. jpegint.h has it, which not every system installs. */
typedef struct {
	void (*start_pass)(j_decompress_ptr cinfo);
	boolean (*decode_mcu)(j_decompress_ptr cinfo, JBLOCKROW *blocks);
} entropy_decoder;

#define LONG_CODE 0x80 /* in an entry of look: see slow_symbol */
#define END_OF_BLOCK 0x7f00 /* an advance no block is long enough for */

/* Where coefficient k in the order of the file stands in the block. */
static const uint8_t natural[64] = {
		0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
		41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
		30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/* The value of size bits, as T.81 F.1.2.1.1 codes it. */
static inline int extend(int bits, int size) {
	return size && bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
}

/* One entry of look for the code of a symbol at the top of the bits in pattern. */
static int32_t entry(int pattern, int length, int symbol, int dc) {
	int size = symbol & 15, run = symbol >> 4;
	int advance = dc ? 0 : run + 1, total = length + size;
	if (!dc && size == 0 && run != 15)
		return END_OF_BLOCK | length; /* runs below 15 only occur in progressive files */
	if (dc && run)
		return LONG_CODE;
	if (total > VLAB_LOOK)
		return LONG_CODE;
	int value = extend((pattern >> (VLAB_LOOK - total)) & ((1 << size) - 1), size);
	return (int32_t)((uint32_t)value << 16) | advance << 8 | total;
}

/* Fills t from a table of the file; 0 where the table makes no sense. */
static int make_table(vlab_huffman_table *t, const JHUFF_TBL *from, int dc) {
	if (!from)
		return 0;
	if (t->made && t->dc == dc && !memcmp(t->bits, from->bits, 17) && !memcmp(t->values, from->huffval, 256))
		return 1;
	t->made = 0;
	memcpy(t->bits, from->bits, 17);
	memcpy(t->values, from->huffval, 256);
	for (int i = 0; i < 1 << VLAB_LOOK; i++)
		t->look[i] = LONG_CODE;
	int code = 0, place = 0;
	for (int length = 1; length <= 16; length++, code <<= 1) {
		t->offset[length] = place - code;
		for (int i = 0; i < t->bits[length]; i++, code++, place++) {
			if (place > 255 || code >= 1 << length)
				return 0;
			if (length > VLAB_LOOK)
				continue;
			int low = code << (VLAB_LOOK - length);
			for (int k = 0; k < 1 << (VLAB_LOOK - length); k++)
				t->look[low + k] = entry(low + k, length, t->values[place], dc);
		}
		t->last[length] = code << (16 - length);
	}
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
	if (!(e & LONG_CODE)) {
		take(r, e & 0x7f);
		return e >> 16;
	}
	int size = slow_symbol(r, t);
	if (size < 0 || size > 15)
		return INT32_MIN;
	return extend(take(r, size), size);
}

/* A symbol that one look can't tell. 0 at the end of the block, -1 where the
   code is wrong, and else the distance to the coefficient's place. */
static __attribute__((noinline)) int long_code(reader *r, const vlab_huffman_table *t, int *value) {
	refill(r);
	int symbol = slow_symbol(r, t);
	if (symbol < 0)
		return -1;
	int size = symbol & 15;
	if (size == 0 && symbol != 0xf0)
		return 0;
	*value = extend(take(r, size), size);
	refill(r);
	return (symbol >> 4) + 1;
}

/* Reads the 63 AC coefficients into block, which are 0 before; a NULL block
   skips them. 0 where a code is wrong. The loop is as long as it is because the
   speed lies in how few steps lead from one look to the next: a refill between
   any two would double them. */
static inline __attribute__((always_inline)) int ac_coefficients(reader *state, const vlab_huffman_table *t, JCOEF *block) {
	reader r = *state; /* never pointed to, so that it stays in registers */
	int k = 0;
	for (;;) {
		refill(&r);
		for (int i = 0; i < 56 / VLAB_LOOK; i++) {
			int32_t e = t->look[r.window >> (64 - VLAB_LOOK)];
			int value = e >> 16, advance = (e >> 8) & 0x7f;
			if (__builtin_expect(e & LONG_CODE, 0)) {
				*state = r;
				advance = long_code(state, t, &value);
				if (advance <= 0)
					return advance == 0;
				r = *state;
				i = -1;
			} else {
				r.window <<= e & 0x3f;
				r.filled -= e & 0x3f;
			}
			k += advance;
			if (k >= 63) {
				if (k == 63 && block)
					block[63] = (JCOEF)value;
				*state = r;
				return k == 63 || advance == 0x7f;
			}
			if (block)
				block[natural[k]] = (JCOEF)value;
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
