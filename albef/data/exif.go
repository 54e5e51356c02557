package data

import "encoding/binary"

// jpegOrientation returns the EXIF orientation (1 to 8) of a JPEG file, and 1
// where it has none or a damaged one.
func jpegOrientation(data []byte) int {
	const app1, startOfScan = 0xe1, 0xda
	for p := 2; p+4 <= len(data) && data[p] == 0xff; {
		marker := data[p+1]
		if marker == 0xff { // fill byte
			p++
			continue
		}
		length := int(binary.BigEndian.Uint16(data[p+2:]))
		end := p + 2 + length
		if marker == startOfScan || length < 2 || end > len(data) {
			break
		}
		body := data[p+4 : end]
		if marker == app1 && len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
			return tiffOrientation(body[6:])
		}
		p = end
	}
	return 1
}

// tiffOrientation looks tag 0x0112 up in the first directory of an EXIF block.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(b[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	entries := int(order.Uint16(b[at:]))
	for e := range entries {
		p := at + 2 + int64(e)*12
		if p+12 > int64(len(b)) {
			break
		}
		if order.Uint16(b[p:]) != 0x0112 {
			continue
		}
		if v := int(order.Uint16(b[p+8:])); v >= 1 && v <= 8 {
			return v
		}
		break
	}
	return 1
}

// orient turns and mirrors src so that it stands upright, and returns the
// result in dst, or src itself where nothing is to be done.
func orient(dst, src *RGB, orientation int) *RGB {
	if orientation <= 1 || orientation > 8 {
		return src
	}
	w, h := src.W, src.H
	if orientation >= 5 {
		w, h = h, w
	}
	dst.reset(w, h)
	for y := range h {
		for x := range w {
			sx, sy := orientedSource(x, y, src.W, src.H, orientation)
			copy(dst.Pix[3*(y*w+x):][:3], src.Pix[3*(sy*src.W+sx):][:3])
		}
	}
	return dst
}

// orientedSource is the stored pixel that stands at x, y of the upright picture.
func orientedSource(x, y, w, h, orientation int) (sx, sy int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	default:
		return x, y
	}
}
