#include "jpeg_turbo.h"

#include "jpeg_huffman.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>

/* libjpeg ends the process on an error unless its handlers are replaced. */
typedef struct {
	struct jpeg_error_mgr base; /* first, so that a jpeg_error_mgr* is ours */
	jmp_buf back;
	char *message;
	int again; /* the fast reader has given up */
} error_state;

struct vlab_jpeg_memory {
	vlab_huffman huffman;
	uint8_t *scan;
	size_t scan_size;
};

vlab_jpeg_memory *vlab_jpeg_new(void) { return calloc(1, sizeof(vlab_jpeg_memory)); }

void vlab_jpeg_free(vlab_jpeg_memory *memory) {
	free(memory->scan);
	free(memory);
}

size_t vlab_jpeg_held(const vlab_jpeg_memory *memory) { return sizeof *memory + memory->scan_size; }

/* A progressive file may hold any number of scans over the same pixels, each as
   dear as the whole picture. Real encoders write about ten. */
#define MAX_SCANS 200

static void fail(j_common_ptr cinfo) {
	error_state *state = (error_state *)cinfo->err;
	cinfo->err->format_message(cinfo, state->message);
	longjmp(state->back, 1);
}

/* Warnings are let through, as Pillow does, but for the end of the file in the
   middle of the picture: libjpeg would fill the rest with grey. */
static void warn(j_common_ptr cinfo, int level) {
	if (level < 0 && cinfo->err->msg_code == JWRN_JPEG_EOF)
		fail(cinfo);
}

static void say_nothing(j_common_ptr cinfo) { (void)cinfo; }

static void watch_scans(j_common_ptr cinfo) {
	if (!cinfo->is_decompressor || ((j_decompress_ptr)cinfo)->input_scan_number <= MAX_SCANS)
		return;
	error_state *state = (error_state *)cinfo->err;
	snprintf(state->message, VLAB_JPEG_MESSAGE, "more than %d progressive scans", MAX_SCANS);
	longjmp(state->back, 1);
}

static void install(j_decompress_ptr cinfo, error_state *state, char *message) {
	memset(cinfo, 0, sizeof *cinfo);
	cinfo->err = jpeg_std_error(&state->base);
	state->base.error_exit = fail;
	state->base.emit_message = warn;
	state->base.output_message = say_nothing;
	state->message = message;
	state->again = 0;
	message[0] = 0;
}

/* Reads the header and chooses the colour space of the output. */
static int open_header(j_decompress_ptr cinfo, const unsigned char *data, size_t size) {
	jpeg_create_decompress(cinfo);
	jpeg_mem_src(cinfo, data, (unsigned long)size);
	jpeg_read_header(cinfo, TRUE);
	if (cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK) {
		cinfo->out_color_space = JCS_CMYK;
		return 4;
	}
	cinfo->out_color_space = JCS_RGB;
	return 3;
}

int vlab_jpeg_header(const unsigned char *data, size_t size, vlab_jpeg_info *info, char *message) {
	struct jpeg_decompress_struct cinfo;
	error_state state;
	install(&cinfo, &state, message);
	if (setjmp(state.back)) {
		jpeg_destroy_decompress(&cinfo);
		return -1;
	}
	info->channels = open_header(&cinfo, data, size);
	info->width = (int)cinfo.image_width;
	info->height = (int)cinfo.image_height;
	jpeg_destroy_decompress(&cinfo);
	return 0;
}

static void give_up(j_decompress_ptr cinfo) {
	error_state *state = (error_state *)cinfo->err;
	state->again = 1;
	longjmp(state->back, 1);
}

/* Pixels beside the part that the upsampling of colour looks at. */
#define MARGIN 4

/* Restricts cinfo to the columns of part and fills in where its rows begin; the
   rest of a row is neither transformed nor, with the fast reader, stored. */
static void choose_columns(j_decompress_ptr cinfo, vlab_jpeg_part *part) {
	JDIMENSION left = part->x > MARGIN ? (JDIMENSION)(part->x - MARGIN) : 0;
	JDIMENSION right = (JDIMENSION)(part->x + part->width + MARGIN);
	if (right > cinfo->output_width)
		right = cinfo->output_width;
	JDIMENSION width = right - left;
	if (width < cinfo->output_width)
		jpeg_crop_scanline(cinfo, &left, &width);
	part->left = (int)left;
	part->stride = (int)width;
}

/* Puts the fast reader to work where it can be. */
static int speed_up(j_decompress_ptr cinfo, vlab_jpeg_memory *memory, const vlab_jpeg_part *part) {
	size_t need = cinfo->src->bytes_in_buffer + VLAB_SCAN_ROOM;
	if (memory->scan_size < need) {
		free(memory->scan);
		memory->scan = malloc(need);
		memory->scan_size = memory->scan ? need : 0;
		if (!memory->scan)
			return 0;
	}
	uint32_t first = 0, last = UINT32_MAX;
	if (cinfo->comps_in_scan > 1) {
		uint32_t across = (uint32_t)(DCTSIZE / part->denominator * cinfo->max_h_samp_factor);
		first = (uint32_t)part->left / across;
		last = (uint32_t)(part->left + part->stride - 1) / across;
	}
	return vlab_huffman_install(&memory->huffman, cinfo, memory->scan, first, last, give_up);
}

/* Decodes the rows of part into out. Those above pass through its first row.
   Without the fast reader, which has seen the end of the file, the last
   row is read too, so that a truncated file is found. */
static void read_rows(j_decompress_ptr cinfo, const vlab_jpeg_part *part, unsigned char *out, size_t stride) {
	JDIMENSION first = (JDIMENSION)part->y, end = first + (JDIMENSION)part->height;
	if (first > MARGIN)
		jpeg_skip_scanlines(cinfo, first - MARGIN);
	while (cinfo->output_scanline < end) {
		JSAMPROW rows[16]; /* as many as a row of MCUs has, mostly */
		JDIMENSION n = 0;
		for (; n < 16 && cinfo->output_scanline + n < end; n++) {
			JDIMENSION y = cinfo->output_scanline + n;
			rows[n] = y > first ? out + stride * (y - first) : out;
		}
		jpeg_read_scanlines(cinfo, rows, n);
	}
	if (!part->fast && end < cinfo->output_height) {
		jpeg_skip_scanlines(cinfo, cinfo->output_height - end - 1);
		JSAMPARRAY row = cinfo->mem->alloc_sarray((j_common_ptr)cinfo, JPOOL_IMAGE, (JDIMENSION)stride, 1);
		jpeg_read_scanlines(cinfo, row, 1);
	}
}

/* 1 means that the same is to be tried again without the fast reader. */
static int decode(vlab_jpeg_memory *memory, int fast, const unsigned char *data, size_t size, vlab_jpeg_part *part,
                  unsigned char *out, size_t out_size, char *message) {
	struct jpeg_decompress_struct cinfo;
	struct jpeg_progress_mgr progress;
	error_state state;
	install(&cinfo, &state, message);
	if (setjmp(state.back)) {
		jpeg_destroy_decompress(&cinfo);
		return state.again ? 1 : -1;
	}
	size_t channels = (size_t)open_header(&cinfo, data, size);
	memset(&progress, 0, sizeof progress);
	progress.progress_monitor = watch_scans;
	cinfo.progress = &progress;
	cinfo.scale_num = 1;
	cinfo.scale_denom = (unsigned)part->denominator;
	cinfo.dct_method = JDCT_ISLOW; /* what Pillow uses */
	jpeg_start_decompress(&cinfo);

	JDIMENSION right = (JDIMENSION)(part->x + part->width), bottom = (JDIMENSION)(part->y + part->height);
	int fits = (size_t)cinfo.output_components == channels && right <= cinfo.output_width && bottom <= cinfo.output_height;
	if (fits) {
		choose_columns(&cinfo, part);
		fits = (size_t)part->stride * channels * (size_t)part->height <= out_size;
	}
	if (!fits) {
		snprintf(message, VLAB_JPEG_MESSAGE, "decoded size %ux%u is not the expected one",
             cinfo.output_width, cinfo.output_height);
		jpeg_destroy_decompress(&cinfo);
		return -1;
	}
	part->fast = fast && speed_up(&cinfo, memory, part);
	read_rows(&cinfo, part, out, (size_t)part->stride * channels);
	/* What follows the last row is of no interest, so finish is not asked for. */
	jpeg_destroy_decompress(&cinfo);
	return 0;
}

int vlab_jpeg_decode(vlab_jpeg_memory *memory, const unsigned char *data, size_t size, vlab_jpeg_part *part,
                     unsigned char *out, size_t out_size, char *message) {
	int rc = decode(memory, !part->plain, data, size, part, out, out_size, message);
	if (rc == 1)
		rc = decode(memory, 0, data, size, part, out, out_size, message);
	return rc;
}
