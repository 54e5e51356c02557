package data

// normaliser divides by 255, takes a mean off and divides by a deviation, in the
// float32 steps of torchvision's ToTensor and Normalize.
type normaliser struct {
	mean, deviation [3]float32
	table           [3][256]float32 // what each of the 256 values becomes
}

// clipNormaliser has CLIP's mean and deviation.
func clipNormaliser() *normaliser {
	n := &normaliser{
		mean:      [3]float32{0.48145466, 0.4578275, 0.40821073},
		deviation: [3]float32{0.26862954, 0.26130258, 0.27577711},
	}
	for c := range n.table {
		for v := range n.table[c] {
			n.table[c][v] = (float32(v)/255 - n.mean[c]) / n.deviation[c]
		}
	}
	return n
}

// apply writes m into dst as [3, H, W], its values through tone where that is
// not nil.
func (n *normaliser) apply(dst []float32, m *RGB, tone *tables) {
	table := &n.table
	if tone != nil {
		table = &[3][256]float32{}
		for c := range table {
			for v := range 256 {
				table[c][v] = n.table[c][tone[c][v]]
			}
		}
	}
	done := 0
	switch {
	case fast && tone == nil:
		done = n.fastApply(dst, m.Pix)
	case fast:
		fastLookUpFloats(dst, m.Pix, table)
		return
	}
	plane := m.W * m.H
	red, green, blue := dst[:plane], dst[plane:][:plane], dst[2*plane:][:plane]
	pix := m.Pix[:3*plane]
	for i := done; i < plane; i++ {
		p := pix[3*i:][:3]
		red[i], green[i], blue[i] = table[0][p[0]], table[1][p[1]], table[2][p[2]]
	}
}

// Denormalise turns model input [3, h, w] back into a picture, for showing it.
// Values outside of the range of a picture are clipped. It panics if chw has
// another length than 3*h*w.
func Denormalise(chw []float32, w, h int) *RGB {
	if len(chw) != 3*h*w {
		panic("data: denormalise: wrong length")
	}
	n := clipNormaliser()
	out := NewRGB(w, h)
	for c := range 3 {
		low, step := n.table[c][0], (n.table[c][255]-n.table[c][0])/255
		for i, v := range chw[c*w*h:][:w*h] {
			out.Pix[3*i+c] = byte(min(max((v-low)/step+0.5, 0), 255))
		}
	}
	return out
}
