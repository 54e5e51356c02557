package data

// The operations that change colours and leave pixels where they are.

// tables hold what each of the 256 values becomes in each channel. Operations
// that are no more than that are not applied one by one: their tables merge,
// and go into that of normalisation where they come last.
type tables [3][256]byte

// tone sets t to what op does to a picture whose values go through before (nil:
// as they are); false for operations that need more than a value.
func (op Op) tone(t *tables, m *RGB, before *tables, arg float64) bool {
	switch op {
	case AutoContrast:
		t.autoContrast(extremes(m, before))
	case Equalize:
		var h counts
		h.count(m, before)
		t.equalize(&h)
	case Solarize:
		t.solarize(int(arg))
	case Contrast:
		var h counts
		h.count(m, before)
		t.contrast(&h, m.W*m.H, arg)
	case Brightness:
		t.all(func(v int) byte { return truncate(float64(float32(v) * float32(arg))) })
	case Posterize:
		mask := byte(255 << (8 - min(max(int(arg), 0), 8)))
		t.all(func(v int) byte { return byte(v) & mask })
	default:
		return false
	}
	return true
}

// all gives every channel the same table.
func (t *tables) all(value func(v int) byte) {
	for v := range 256 {
		t[0][v] = value(v)
	}
	t[1], t[2] = t[0], t[0]
}

// follow makes t the table of before and then t.
func (t *tables) follow(before *tables) {
	for c := range t {
		now := t[c]
		for v := range 256 {
			t[c][v] = now[before[c][v]]
		}
	}
}

// lookUp writes src into dst, which may be src, each channel through its table.
func lookUp(dst, src *RGB, t *tables) {
	dst.reset(src.W, src.H)
	out := dst.Pix[:len(src.Pix)]
	if fast {
		fastLookUp(out, src.Pix, t)
		return
	}
	for i := 0; i+2 < len(out); i += 3 {
		p := src.Pix[i:][:3]
		out[i], out[i+1], out[i+2] = t[0][p[0]], t[1][p[1]], t[2][p[2]]
	}
}

// counts are how often each value occurs in each channel.
type counts [3][256]int64

// count sets h, which is 0, to the counts of m whose values go through before.
func (h *counts) count(m *RGB, before *tables) {
	if fast {
		fastHistograms(h, m.Pix)
	} else {
		h.add(m.Pix)
	}
	if before == nil {
		return
	}
	var after counts
	for c := range h {
		for v, n := range h[c] {
			after[c][before[c][v]] += n
		}
	}
	*h = after
}

func (h *counts) add(pix []byte) {
	for i := 0; i+2 < len(pix); i += 3 {
		p := pix[i:][:3]
		h[0][p[0]]++
		h[1][p[1]]++
		h[2][p[2]]++
	}
}

// extremes are the lowest and highest value of each channel.
func extremes(m *RGB, before *tables) (low, high [3]byte) {
	if fast && before == nil {
		return fastExtremes(m.Pix)
	}
	var all counts
	all.count(m, before)
	for c := range all {
		h := &all[c]
		l, t := 0, 255
		for l < 255 && h[l] == 0 {
			l++
		}
		for t > 0 && h[t] == 0 {
			t--
		}
		low[c], high[c] = byte(l), byte(t)
	}
	return low, high
}

// autoContrast stretches each channel to the full range. The official code
// negates the lowest value as a uint8, which wraps: a channel whose minimum is
// not 0 turns almost white.
func (t *tables) autoContrast(low, high [3]byte) {
	for c := range t {
		scale, offset := 1.0, 0.0
		if high[c] > low[c] {
			scale = 255 / float64(high[c]-low[c])
			offset = float64(-low[c]) * scale
		}
		for v := range 256 {
			t[c][v] = truncate(float64(float64(v)*scale) + offset)
		}
	}
}

// equalize flattens the histogram of each channel, as PIL.ImageOps.equalize.
func (t *tables) equalize(all *counts) {
	for c := range t {
		h := &all[c]
		step := equalizeStep(h)
		sum := step / 2
		for v := range 256 {
			t[c][v] = byte(v)
			if step > 0 {
				t[c][v] = byte(min(sum/step, 255))
			}
			sum += h[v]
		}
	}
}

// equalizeStep is the number of pixels a grey level should have: all but those
// of the brightest level in use, over 255.
func equalizeStep(h *[256]int64) int64 {
	total, brightest := int64(0), int64(0)
	for _, n := range h {
		total += n
		if n > 0 {
			brightest = n
		}
	}
	return (total - brightest) / 255
}

func (t *tables) solarize(threshold int) {
	t.all(func(v int) byte {
		if v < threshold {
			return byte(v)
		}
		return byte(255 - v)
	})
}

// contrast scales the distance to the mean grey, which weighs the channels as
// if they came in the order blue, green, red.
func (t *tables) contrast(all *counts, pixels int, factor float64) {
	weights := [3]float64{0.114, 0.587, 0.299}
	mean := 0.0
	for c := range all {
		sum := int64(0)
		for v, n := range all[c] {
			sum += int64(v) * n
		}
		mean += float64(float64(sum) / float64(pixels) * weights[c])
	}
	t.all(func(v int) byte { return truncate(float64((float64(v)-mean)*factor) + mean) })
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
		first := 3
		if fast && stride >= 32 {
			first = fastSharpen(out, src.Pix[(y-1)*stride:], stride, factor)
		}
		for x := first; x < stride-3; x++ {
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
