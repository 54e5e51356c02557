package data

// The operations that change colours and leave pixels where they are.

// lookUp writes src into dst, each channel through its table.
func lookUp(dst, src *RGB, tables *[3][256]byte) {
	dst.reset(src.W, src.H)
	out := dst.Pix[:len(src.Pix)]
	for i := 0; i+2 < len(out); i += 3 {
		p := src.Pix[i:][:3]
		out[i], out[i+1], out[i+2] = tables[0][p[0]], tables[1][p[1]], tables[2][p[2]]
	}
}

// oneTable applies the same table to all channels.
func oneTable(dst, src *RGB, value func(v int) byte) {
	var tables [3][256]byte
	for v := range 256 {
		tables[0][v] = value(v)
	}
	tables[1], tables[2] = tables[0], tables[0]
	lookUp(dst, src, &tables)
}

func histograms(m *RGB) *[3][256]int {
	var h [3][256]int
	for i := 0; i+2 < len(m.Pix); i += 3 {
		p := m.Pix[i:][:3]
		h[0][p[0]]++
		h[1][p[1]]++
		h[2][p[2]]++
	}
	return &h
}

// autoContrast stretches each channel to the full range. The official code
// negates the lowest value as a uint8, which wraps: a channel whose minimum is
// not 0 turns almost white.
func autoContrast(dst, src *RGB) {
	var tables [3][256]byte
	for c, h := range histograms(src) {
		low, high := 0, 255
		for low < 255 && h[low] == 0 {
			low++
		}
		for high > 0 && h[high] == 0 {
			high--
		}
		scale, offset := 1.0, 0.0
		if high > low {
			scale = 255 / float64(high-low)
			offset = float64(uint8(-low)) * scale
		}
		for v := range 256 {
			tables[c][v] = truncate(float64(float64(v)*scale) + offset)
		}
	}
	lookUp(dst, src, &tables)
}

// equalize flattens the histogram of each channel, as PIL.ImageOps.equalize.
func equalize(dst, src *RGB) {
	var tables [3][256]byte
	for c, h := range histograms(src) {
		step := equalizeStep(&h)
		sum := step / 2
		for v := range 256 {
			tables[c][v] = byte(v)
			if step > 0 {
				tables[c][v] = byte(min(sum/step, 255))
			}
			sum += h[v]
		}
	}
	lookUp(dst, src, &tables)
}

// equalizeStep is the number of pixels a grey level should have: all but those
// of the brightest level in use, over 255.
func equalizeStep(h *[256]int) int {
	total, brightest := 0, 0
	for _, n := range h {
		total += n
		if n > 0 {
			brightest = n
		}
	}
	return (total - brightest) / 255
}

func solarize(dst, src *RGB, threshold int) {
	oneTable(dst, src, func(v int) byte {
		if v < threshold {
			return byte(v)
		}
		return byte(255 - v)
	})
}

func posterize(dst, src *RGB, bits int) {
	mask := byte(255 << (8 - min(max(bits, 0), 8)))
	oneTable(dst, src, func(v int) byte { return byte(v) & mask })
}

func brightness(dst, src *RGB, factor float32) {
	oneTable(dst, src, func(v int) byte { return truncate(float64(float32(v) * factor)) })
}

// contrast scales the distance to the mean grey, which weighs the channels as
// if they came in the order blue, green, red.
func contrast(dst, src *RGB, factor float64) {
	weights := [3]float64{0.114, 0.587, 0.299}
	mean := 0.0
	for c, h := range histograms(src) {
		sum := 0
		for v, n := range h {
			sum += v * n
		}
		mean += float64(float64(sum) / float64(src.W*src.H) * weights[c])
	}
	oneTable(dst, src, func(v int) byte { return truncate(float64((float64(v)-mean)*factor) + mean) })
}

// saturate moves each pixel away from its own grey, with the weights of the
// channels in the order blue, green, red.
func saturate(dst, src *RGB, factor float32) {
	grey := [3]float32{0.114, 0.587, 0.299}
	apart := [3][3]float32{
		{0.886, -0.114, -0.114},
		{-0.587, 0.413, -0.587},
		{-0.299, -0.299, 0.701},
	}
	var m [3][3]float32
	for i := range m {
		for j := range m[i] {
			m[i][j] = float32(apart[i][j]*factor) + grey[i]
		}
	}
	dst.reset(src.W, src.H)
	for i := 0; i+2 < len(src.Pix); i += 3 {
		r, g, b := float32(src.Pix[i]), float32(src.Pix[i+1]), float32(src.Pix[i+2])
		for c := range 3 {
			dst.Pix[i+c] = truncate(float64(fused(b, m[2][c], fused(g, m[1][c], r*m[0][c]))))
		}
	}
}

// fused is a*b+c with one rounding, as in the matrix product that the official
// code calls. A float64 holds the product of a byte and a float32 exactly.
func fused(a, b, c float32) float32 { return float32(float64(a)*float64(b) + float64(c)) }

// sharpen moves each pixel away from a 3x3 blur. The outermost pixels stay, and
// the result is not clipped: it wraps, as in the official code.
func sharpen(dst, src *RGB, factor float32) {
	dst.copyFrom(src)
	if factor == 1 {
		return
	}
	stride := 3 * src.W
	for y := 1; y < src.H-1; y++ {
		above, row, below := src.Pix[(y-1)*stride:][:stride], src.Pix[y*stride:][:stride], src.Pix[(y+1)*stride:][:stride]
		out := dst.Pix[y*stride:][:stride]
		for x := 3; x < stride-3; x++ {
			a, m, b := above[x-3:][:7], row[x-3:][:7], below[x-3:][:7]
			sum := uint32(a[0]) + uint32(a[3]) + uint32(a[6]) + uint32(m[0]) + 5*uint32(m[3]) +
				uint32(m[6]) + uint32(b[0]) + uint32(b[3]) + uint32(b[6])
			blur := float32(int32((2*sum + 13) / 26)) // the nearest integer to sum/13
			out[x] = uint8(int32(blur + float32(factor*(float32(row[x])-blur))))
		}
	}
}

// truncate clips to a byte and drops the fraction.
func truncate(v float64) byte { return byte(min(max(v, 0), 255)) }
