#include "jpeg_turbo.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* libjpeg ends the process on an error unless its handlers are replaced. */
typedef struct {
	struct jpeg_error_mgr base; /* first, so that a jpeg_error_mgr* is ours */
	jmp_buf back;
	char *message;
} error_state;

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

int vlab_jpeg_decode(const unsigned char *data, size_t size, int denominator,
                     unsigned char *out, size_t out_size, char *message) {
	struct jpeg_decompress_struct cinfo;
	struct jpeg_progress_mgr progress;
	error_state state;
	install(&cinfo, &state, message);
	if (setjmp(state.back)) {
		jpeg_destroy_decompress(&cinfo);
		return -1;
	}
	size_t channels = (size_t)open_header(&cinfo, data, size);
	memset(&progress, 0, sizeof progress);
	progress.progress_monitor = watch_scans;
	cinfo.progress = &progress;
	cinfo.scale_num = 1;
	cinfo.scale_denom = (unsigned)denominator;
	cinfo.dct_method = JDCT_ISLOW; /* what Pillow uses */
	jpeg_start_decompress(&cinfo);

	size_t stride = (size_t)cinfo.output_width * channels;
	if ((size_t)cinfo.output_components != channels || stride * cinfo.output_height != out_size) {
		snprintf(message, VLAB_JPEG_MESSAGE, "decoded size %ux%u is not the expected one",
		         cinfo.output_width, cinfo.output_height);
		jpeg_destroy_decompress(&cinfo);
		return -1;
	}
	while (cinfo.output_scanline < cinfo.output_height) {
		JSAMPROW row = out + stride * cinfo.output_scanline;
		jpeg_read_scanlines(&cinfo, &row, 1);
	}
	/* What follows the last row is of no interest, so finish is not asked for. */
	jpeg_destroy_decompress(&cinfo);
	return 0;
}
