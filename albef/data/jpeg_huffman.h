#ifndef VLAB_JPEG_HUFFMAN_H
#define VLAB_JPEG_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

/* Reads the entropy-coded bits of an ordinary baseline JPEG (one scan, Huffman,
   8 bits, no restart markers) about twice as fast as libjpeg does: stuffed bytes
   are taken out beforehand, and one look at a table gives one or two coefficients
   with their places. libjpeg does all the rest. Whatever is out of the ordinary, damage too,
   is left to libjpeg's own reader. */

#define VLAB_LOOK 11 /* bits looked at in one go */

typedef struct {
	/* What the next VLAB_LOOK bits hold; see entry in jpeg_huffman.c. */
	int32_t look[1 << VLAB_LOOK];
	int32_t last[18];    /* the largest code of each length, left-aligned to 16 bits, + 1 */
	int32_t offset[17];  /* what to add to a code of a length for its place in values */
	uint8_t bits[17];    /* what the table was made of */
	uint8_t values[256];
	int made, dc;
} vlab_huffman_table;

typedef struct {
	vlab_huffman_table table[8]; /* DC of index 0 to 3, then AC; kept between pictures */
	const uint8_t *next, *end;   /* of the scan without stuffed bytes */
	uint64_t window;             /* bits to come, first at the top */
	int filled;                  /* how many of them are valid */
	int dc[MAX_COMPS_IN_SCAN];   /* last value of each component */
	uint32_t column, columns;    /* of the MCU, and MCUs in a row */
	uint32_t first, last;        /* MCU columns whose pixels are wanted */
	int blocks;                  /* in an MCU */
	uint8_t component[D_MAX_BLOCKS_IN_MCU];
	vlab_huffman_table *ac_of[D_MAX_BLOCKS_IN_MCU], *dc_of[D_MAX_BLOCKS_IN_MCU];
	void (*give_up)(j_decompress_ptr cinfo);
} vlab_huffman;

/* vlab_huffman_install makes cinfo, whose decompression has just been started
   from memory, read its coefficients through h. scan is memory for as many bytes
   as are left in the file and VLAB_SCAN_ROOM more. It reports 0, with nothing
   changed, where the file is not of the ordinary kind or has no end. Only pixels
   in the MCU columns from first to last are wanted. cinfo->client_data becomes
   h; both h and scan stay until cinfo is destroyed. give_up, which must not
   return, is called where the scan turns out to be damaged. VLAB_SCAN_ROOM is
   more than a block can take of bits, 64 times 31, and what is read ahead. */
#define VLAB_SCAN_ROOM 512
int vlab_huffman_install(vlab_huffman *h, j_decompress_ptr cinfo, uint8_t *scan,
                         uint32_t first, uint32_t last, void (*give_up)(j_decompress_ptr));

#endif
