#ifndef VLAB_JPEG_TURBO_H
#define VLAB_JPEG_TURBO_H

#include <stddef.h>

#define VLAB_JPEG_MESSAGE 256 /* at least JMSG_LENGTH_MAX */

typedef struct {
	int width, height; /* as stored, before any scaling */
	int channels;      /* of the decoded rows: 3 is RGB, 4 is CMYK as stored */
} vlab_jpeg_info;

/* What to decode: at 1/denominator of the size, the pixels from x, y on, width
   by height of them. */
typedef struct {
	int denominator;
	int x, y, width, height;
	int plain; /* libjpeg alone is to do it */
	/* The results: the column where the rows begin, their length, and whether the
	   fast reader served. */
	int left, stride, fast;
} vlab_jpeg_part;

/* Rows that are decoded are up to this much longer than the part's, in pixels. */
#define VLAB_JPEG_EXTRA 80

/* Memory kept between pictures: tables and the bits of a file. */
typedef struct vlab_jpeg_memory vlab_jpeg_memory;
vlab_jpeg_memory *vlab_jpeg_new(void);
void vlab_jpeg_free(vlab_jpeg_memory *memory);
size_t vlab_jpeg_held(const vlab_jpeg_memory *memory); /* bytes */

/* Both return 0, or -1 with the reason in message. The pixels that decode writes
   are those that decoding the whole picture gives. */
int vlab_jpeg_header(const unsigned char *data, size_t size, vlab_jpeg_info *info, char *message);
int vlab_jpeg_decode(vlab_jpeg_memory *memory, const unsigned char *data, size_t size, vlab_jpeg_part *part,
                     unsigned char *out, size_t out_size, char *message);

#endif
