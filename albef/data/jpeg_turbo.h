#ifndef VLAB_JPEG_TURBO_H
#define VLAB_JPEG_TURBO_H

#include <stddef.h>

#define VLAB_JPEG_MESSAGE 256 /* at least JMSG_LENGTH_MAX */

typedef struct {
	int width, height; /* as stored, before any scaling */
	int channels;      /* of the decoded rows: 3 is RGB, 4 is CMYK as stored */
} vlab_jpeg_info;

/* Both return 0, or -1 with the reason in message. */
int vlab_jpeg_header(const unsigned char *data, size_t size, vlab_jpeg_info *info, char *message);
int vlab_jpeg_decode(const unsigned char *data, size_t size, int denominator,
                     unsigned char *out, size_t out_size, char *message);

#endif
