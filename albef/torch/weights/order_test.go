package weights

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want one with %q", err, text)
	}
}

func TestDictOrder(t *testing.T) {
	var d Dict
	a, b, c := FromInt64s(nil, []int64{1}), FromInt64s(nil, []int64{2}), FromInt64s(nil, []int64{3})
	d.Set("z", a)
	d.Set("a", b)
	d.Set("z", c)
	if got, ok := d.Get("z"); got != c || !ok || d.Len() != 2 || !slices.Equal(d.Keys(), []string{"z", "a"}) {
		t.Errorf("z is %v, keys are %v", got, d.Keys())
	}
	if !d.Delete("z") || d.Delete("z") || d.Len() != 1 {
		t.Errorf("after Delete the keys are %v", d.Keys())
	}
	if got, ok := d.Get("z"); got != nil || ok {
		t.Errorf("a deleted tensor is found: %v", got)
	}
}

func TestOrderedMapKeys(t *testing.T) {
	m := NewMap()
	keys := []Value{"b", int64(1), 2.5, true, nil, Tuple{"x", int64(1)}, Tuple{"x", "1"}}
	for i, k := range keys {
		if err := m.Set(k, i); err != nil {
			t.Fatal(err)
		}
	}
	for i, k := range keys {
		if v, ok := m.Get(k); v != i || !ok {
			t.Errorf("key %v has %v, want %d", k, v, i)
		}
	}
	if v, _ := m.Get(1); v != 1 {
		t.Errorf("an int finds %v, want what int64 has", v)
	}
	wantError(t, m.Set(&List{}, nil), "list cannot be the key")
	wantError(t, m.Set(Tuple{Tuple{}}, nil), "cannot be the key")
	wantError(t, m.Set(Tuple{strings.Repeat("x", 2000)}, nil), "cannot be the key")
	if m.Map("b") != nil || m.Map("none") != nil {
		t.Error("Map finds a dict where there is none")
	}
}

// Storages start at multiples of 64, and the same value gives the same bytes.
func TestPTHLayout(t *testing.T) {
	d := NewDict()
	for i, n := range []int{1, 63, 64, 65, 1000} {
		d.Set(string(rune('a'+i)), &Tensor{DType: U8, Shape: []int{n}, Data: bytes.Repeat([]byte{byte(i + 1)}, n)})
	}
	path := filepath.Join(t.TempDir(), "a.pth")
	var files [2][]byte
	for i := range files {
		if err := WritePTH(path, d); err != nil {
			t.Fatal(err)
		}
		files[i], _ = os.ReadFile(path)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the bytes differ from one writing to the next")
	}
	for name, x := range d.All() {
		if at := bytes.Index(files[0], x.Data); len(x.Data) > 60 && (at < 0 || at%storageAlignment != 0) {
			t.Errorf("storage of %s lies at %d", name, at)
		}
	}
}

// Tensors that overlap in part, and equal but separate ones, stay as they are.
func TestPartialOverlap(t *testing.T) {
	base := []byte("0123456789abcdef")
	u8 := func(b []byte) *Tensor { return &Tensor{DType: U8, Shape: []int{len(b)}, Data: b} }
	d := NewDict()
	d.Set("middle", u8(base[4:12]))
	d.Set("start", u8(base[:6]))
	d.Set("end", u8(base[10:]))
	d.Set("alone", u8([]byte("0123456789abcdef")))
	path := filepath.Join(t.TempDir(), "a.pth")
	if err := WritePTH(path, d); err != nil {
		t.Fatal(err)
	}
	again, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range d.All() {
		if got, _ := again.Get(name); !bytes.Equal(got.Data, x.Data) {
			t.Errorf("%s is %q, want %q", name, got.Data, x.Data)
		}
	}
	middle, _ := again.Get("middle")
	middle.Data[0] = 'X' // byte 4 of the base
	start, _ := again.Get("start")
	alone, _ := again.Get("alone")
	if string(start.Data) != "0123X5" || alone.Data[4] != '4' {
		t.Errorf("after a change start is %q and alone %q", start.Data, alone.Data)
	}
}

func TestLongInts(t *testing.T) {
	for _, text := range []string{"0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "-340282366920938463463374607431768211456"} {
		want, _ := new(big.Int).SetString(text, 10)
		path := filepath.Join(t.TempDir(), "a.pth")
		if err := WritePTH(path, want); err != nil {
			t.Fatal(err)
		}
		v, err := ReadPTH(path)
		if err != nil {
			t.Fatal(err)
		}
		got, isBig := v.(*big.Int)
		if !isBig {
			got = big.NewInt(v.(int64))
		}
		if got.Cmp(want) != 0 || isBig == want.IsInt64() {
			t.Errorf("%s comes back as %T %v", text, v, v)
		}
	}
	wantError(t, WritePTH(t.TempDir()+"/a.pth", new(big.Int).Lsh(big.NewInt(1), 4000)), "too long")
}
