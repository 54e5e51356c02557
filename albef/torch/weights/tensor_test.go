package weights

import (
	"math"
	"slices"
	"testing"
)

// Every half widens to the value of its definition and comes back unchanged.
func TestHalfRoundTrip(t *testing.T) {
	for h := range 1 << 16 {
		f := f16ToF32(uint16(h))
		exp, frac := h>>10&0x1f, float64(h&0x3ff)
		want := math.Ldexp(1+frac/1024, exp-15)
		switch exp {
		case 0:
			want = math.Ldexp(frac, -24)
		case 31:
			want = math.Inf(1)
		}
		if h&0x8000 != 0 {
			want = -want
		}
		if exp == 31 && frac != 0 {
			if f == f {
				t.Fatalf("half %#04x = %v, want NaN", h, f)
			}
			continue
		}
		if float64(f) != want {
			t.Fatalf("half %#04x = %v, want %v", h, f, want)
		}
		if back := f32ToF16(f); back != uint16(h) {
			t.Fatalf("half %#04x comes back as %#04x", h, back)
		}
	}
}

// Between two neighbours the nearer one is taken, and at the middle the even one.
func TestHalfRounding(t *testing.T) {
	formats := []struct {
		name   string
		narrow func(float32) uint16
		widen  func(uint16) float32
		last   uint16 // the largest finite value
	}{
		{"F16", f32ToF16, f16ToF32, 0x7bff},
		{"BF16", f32ToBF16, bf16ToF32, 0x7f7f},
	}
	for _, f := range formats {
		for h := uint16(0); h < f.last; h++ {
			low, high := float64(f.widen(h)), float64(f.widen(h+1))
			middle := float32((low + high) / 2) // exact: one bit more
			even := h + h&1
			below, above := math.Nextafter32(middle, 0), math.Nextafter32(middle, math.MaxFloat32)
			for _, c := range []struct {
				x    float32
				want uint16
			}{{middle, even}, {below, h}, {above, h + 1}} {
				if float64(c.x) < low || float64(c.x) > high || f.name == "BF16" && c.x != middle && float64(c.x) == low {
					continue
				}
				if got := f.narrow(c.x); got != c.want {
					t.Fatalf("%s(%v) = %#04x, want %#04x", f.name, c.x, got, c.want)
				}
				if got := f.narrow(-c.x); got != c.want|0x8000 {
					t.Fatalf("%s(%v) = %#04x, want %#04x", f.name, -c.x, got, c.want|0x8000)
				}
			}
		}
		infinity := f.last + 1
		for _, x := range []float32{math.MaxFloat32, float32(math.Inf(1))} {
			if got := f.narrow(x); got != infinity {
				t.Errorf("%s(%v) = %#04x, want infinity", f.name, x, got)
			}
		}
		if nan := f.widen(f.narrow(float32(math.NaN()))); nan == nan {
			t.Errorf("%s(NaN) = %v", f.name, nan)
		}
	}
}

func TestConversions(t *testing.T) {
	src := FromFloat32s([]int{2, 2}, []float32{0, 1, 2.5, 100})
	for d := F64; d <= Bool; d++ {
		got := src.To(d)
		want := []float32{0, 1, 2.5, 100}
		if !d.isFloat() {
			want[2] = 2
		}
		if d == Bool {
			want = []float32{0, 1, 1, 1}
		}
		if values := got.Float32s(); got.DType != d || !slices.Equal(values, want) || !slices.Equal(got.Shape, src.Shape) {
			t.Errorf("%v: %v %v, want %v", d, got, values, want)
		}
		if err := got.check(); err != nil {
			t.Errorf("%v: %v", d, err)
		}
		for i, v := range got.Float64s() {
			if v != float64(want[i]) || got.Int64s()[i] != int64(want[i]) || got.Bools()[i] != (want[i] != 0) {
				t.Errorf("%v element %d: %v %v %v", d, i, v, got.Int64s()[i], got.Bools()[i])
			}
		}
	}
	negative := FromInt64s([]int{1}, []int64{-3})
	for _, d := range []DType{I64, I32, I16, I8, F64, F32, F16, BF16} {
		if got := negative.To(d).Int64s(); got[0] != -3 {
			t.Errorf("-3 as %v is %d", d, got[0])
		}
	}
	if got := src.Numel(); got != 4 {
		t.Errorf("Numel = %d, want 4", got)
	}
	if c := src.Clone(); &c.Data[0] == &src.Data[0] || !slices.Equal(c.Data, src.Data) {
		t.Error("Clone shares memory or differs")
	}
}

func TestDTypeNumbers(t *testing.T) {
	want := map[DType]int{U8: 0, I8: 1, I16: 2, I32: 3, I64: 4, F16: 5, F32: 6, F64: 7, Bool: 11, BF16: 15}
	for d := F64; d <= Bool; d++ {
		back, ok := DTypeOfTorch(d.TorchScalarType())
		if d.TorchScalarType() != want[d] || back != d || !ok {
			t.Errorf("%v is number %d, want %d; back it is %v", d, d.TorchScalarType(), want[d], back)
		}
		if parsed, ok := ParseDType(d.String()); parsed != d || !ok {
			t.Errorf("%v parses as %v", d, parsed)
		}
	}
	if _, ok := DTypeOfTorch(8); ok { // complex half
		t.Error("complex half has a type here")
	}
	if DType(0).Size() != 0 || DType(0).IsValid() || DType(0).TorchScalarType() != -1 {
		t.Error("the zero DType passes for valid")
	}
}

func TestWriteRefusesTensor(t *testing.T) {
	shared := make([]byte, 16)
	tests := []struct {
		name    string
		tensors []*Tensor
		want    string
	}{
		{"too little data", []*Tensor{{DType: F32, Shape: []int{3}, Data: shared[:8]}}, "needs 12 bytes, Data has 8"},
		{"no type", []*Tensor{{Shape: []int{1}, Data: shared[:1]}}, "invalid type"},
		{"nil", []*Tensor{nil}, "nil"},
		{"two types in one place", []*Tensor{
			{DType: F32, Shape: []int{4}, Data: shared}, {DType: I64, Shape: []int{2}, Data: shared},
		}, "overlap in memory"},
		{"between elements", []*Tensor{
			{DType: F32, Shape: []int{2}, Data: shared[:8]}, {DType: F32, Shape: []int{2}, Data: shared[2:10]},
		}, "overlap in memory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDict()
			for i, x := range tt.tensors {
				d.Set(string(rune('a'+i)), x)
			}
			dir := t.TempDir()
			wantError(t, WritePTH(dir+"/a.pth", d), tt.want)
			if len(tt.tensors) == 1 {
				wantError(t, WriteSafetensors(dir+"/a.safetensors", d, nil), tt.want)
			}
			wantFiles(t, dir)
		})
	}
}
