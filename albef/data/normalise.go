package data

// normaliser holds, for each channel, the float that each of the 256 values
// becomes.
type normaliser [3][256]float32

// clipNormaliser divides by 255, takes CLIP's mean off and divides by CLIP's
// deviation, in the float32 steps of torchvision's ToTensor and Normalize.
func clipNormaliser() normaliser {
	mean := [3]float32{0.48145466, 0.4578275, 0.40821073}
	deviation := [3]float32{0.26862954, 0.26130258, 0.27577711}
	var n normaliser
	for c := range n {
		for v := range n[c] {
			n[c][v] = (float32(v)/255 - mean[c]) / deviation[c]
		}
	}
	return n
}

// apply writes m into dst as [3, H, W].
func (n *normaliser) apply(dst []float32, m *RGB) {
	plane := m.W * m.H
	red, green, blue := dst[:plane], dst[plane:][:plane], dst[2*plane:][:plane]
	pix := m.Pix[:3*plane]
	for i := range red {
		p := pix[3*i:][:3]
		red[i], green[i], blue[i] = n[0][p[0]], n[1][p[1]], n[2][p[2]]
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
		low, step := n[c][0], (n[c][255]-n[c][0])/255
		for i, v := range chw[c*w*h:][:w*h] {
			out.Pix[3*i+c] = byte(min(max((v-low)/step+0.5, 0), 255))
		}
	}
	return out
}
