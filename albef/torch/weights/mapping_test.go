package weights_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vlab/albef/torch/weights"
)

// checkMapped demands of a mapped file what reading has brought: the same values,
// or the same error.
func checkMapped(t *testing.T, path string, want weights.Value, wantErr error) {
	t.Helper()
	got, m, err := weights.MapPTH(path)
	compareMapped(t, got, want, err, wantErr)
	m.Close()
}

// checkMappedSafetensors is checkMapped for the other format.
func checkMappedSafetensors(t *testing.T, path string, want *weights.Dict, wantErr error) {
	t.Helper()
	got, _, m, err := weights.MapSafetensors(path)
	if err == nil && wantErr == nil {
		compareMapped(t, sortedMap(t, got), sortedMap(t, want), nil, nil)
	} else {
		compareMapped(t, nil, nil, err, wantErr)
	}
	m.Close()
}

func compareMapped(t *testing.T, got, want weights.Value, err, wantErr error) {
	t.Helper()
	switch {
	case (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error():
		t.Errorf("mapped: got the error %v, want that of reading: %v", err, wantErr)
	case err == nil && describe(got) != describe(want):
		t.Errorf("mapped differs from read: %s", firstDifference(describe(got), describe(want)))
	}
}

// TestMappedFixtures maps what the official code has written.
func TestMappedFixtures(t *testing.T) {
	files, err := filepath.Glob(fixture(t, "*.pth"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		v, err := weights.ReadPTH(file)
		checkMapped(t, file, v, err)
	}
	tensors, err := filepath.Glob(fixture(t, "*.safetensors"))
	if err != nil || len(tensors) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range tensors {
		d, _, err := weights.ReadSafetensors(file)
		checkMappedSafetensors(t, file, d, err)
	}
}

// largeFiles writes 64 MB of weights in both formats.
func largeFiles(t *testing.T) (pth, safe string) {
	t.Helper()
	d := weights.NewDict()
	for _, name := range []string{"a", "b"} {
		d.Set(name, &weights.Tensor{DType: weights.F32, Shape: []int{8 << 20}, Data: bytes.Repeat([]byte(name), 32<<20)})
	}
	pth, safe = filepath.Join(t.TempDir(), "a.pth"), filepath.Join(t.TempDir(), "a.safetensors")
	if err := weights.WritePTH(pth, d); err != nil {
		t.Fatal(err)
	}
	if err := weights.WriteSafetensors(safe, d, nil); err != nil {
		t.Fatal(err)
	}
	return pth, safe
}

// mapped maps a file of either format.
func mapped(path string) (*weights.Dict, *weights.Mapping, error) {
	if strings.HasSuffix(path, ".safetensors") {
		d, _, m, err := weights.MapSafetensors(path)
		return d, m, err
	}
	v, m, err := weights.MapPTH(path)
	if err != nil {
		return nil, nil, err
	}
	d, err := weights.StateDict(v)
	return d, m, err
}

// Mapping a file asks for no memory for its tensors; what is written to them
// stays out of the file; a file of the same name takes nothing away; and after
// Close they are empty.
func TestMappingCostsNothing(t *testing.T) {
	pth, safe := largeFiles(t)
	for _, path := range []string{pth, safe} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d, m, err := mapped(path)
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 8<<20 {
			t.Errorf("%s: mapping 64 MB took %d MB of memory, want none for tensors", path, cost>>20)
		}
		a, _ := d.Get("a")
		a.Data[0] = 'x'
		if raw, err := os.ReadFile(path); err != nil || bytes.IndexByte(raw[1<<20:], 'x') >= 0 {
			t.Errorf("%s: writing to a tensor has reached the file (%v)", path, err)
		}
		one := weights.NewDict()
		one.Set("c", weights.FromInt64s([]int{1}, []int64{1}))
		if err := weights.WritePTH(path, one); err != nil {
			t.Fatal(err)
		}
		if b, _ := d.Get("b"); string(a.Data[:2]) != "xa" || !bytes.Equal(b.Data, bytes.Repeat([]byte("b"), 32<<20)) {
			t.Errorf("%s: the tensors are others after the file was replaced", path)
		}
		m.Close()
		if len(a.Data) != 0 {
			t.Errorf("%s: after Close a tensor has %d bytes, want none", path, len(a.Data))
		}
	}
}

// Two entries that claim the same bytes are two storages all the same: writing
// to the tensor of one must not change the other's.
func TestMappedEntriesDoNotOverlap(t *testing.T) {
	second := strings.ReplaceAll(tensorPickle("K\x00", "K\x04\x85", "K\x01\x85"), proto, "")
	first := strings.TrimSuffix(second, ".")
	pickle := proto + "]" + first + "a" + strings.ReplaceAll(first, "X\x01\x00\x00\x000", "X\x01\x00\x00\x001") + "a."
	for pad := range 8 { // one of them aligns the storage
		data := makeZip(t, zipEntry{name: "a/pad", data: strings.Repeat(" ", pad)}, zipEntry{name: "a/data.pkl", data: pickle},
			zipEntry{name: "a/data/0", data: "0123456789abcdef"}, zipEntry{name: "a/data/1", data: "0123456789abcdef"})
		at := bytes.LastIndex(data, []byte("PK\x01\x02")) // the directory's entry of data/1
		begin := bytes.Index(data, []byte("a/data/0")) - 30
		binary.LittleEndian.PutUint32(data[at+42:], uint32(begin))
		v, m, err := weights.MapPTH(write(t, "a.pth", data))
		if err != nil {
			t.Fatal(err)
		}
		l, ok := v.(*weights.List)
		if !ok || len(l.Items) != 2 {
			t.Fatalf("got %v, want two tensors", v)
		}
		one, two := l.Items[0].(*weights.Tensor), l.Items[1].(*weights.Tensor)
		one.Data[0] = 'x'
		if string(two.Data) != "0123456789abcdef" {
			t.Errorf("the second tensor is %q after a change of the first", two.Data)
		}
		m.Close()
	}
}

// A damaged storage is found without looking at the mapping.
func TestMappedChecksums(t *testing.T) {
	path, _ := largeFiles(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/3] ^= 1
	damaged := write(t, "damaged.pth", raw)
	_, _, err = weights.MapPTH(damaged)
	wantRefused(t, damaged, err, "checksum")
}
