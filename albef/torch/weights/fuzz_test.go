package weights_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"vlab/albef/torch/weights"
)

// maxCost is the most memory that reading a fuzzed file may take: the fixed
// allowance and some times its length.
func maxCost(size int) uint64 { return 128<<20 + 200*uint64(size) }

// readCheaply reads data as a file and fails where that costs too much.
func readCheaply(t *testing.T, path string, data []byte, read func(string) error) error {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := read(path)
	runtime.ReadMemStats(&after)
	if cost := after.TotalAlloc - before.TotalAlloc; cost > maxCost(len(data)) {
		t.Errorf("%d bytes cost %d MB of memory", len(data), cost>>20)
	}
	return err
}

// addMutations adds data, cut at several places and with bytes changed.
func addMutations(f *testing.F, data []byte) {
	f.Add(data)
	for _, share := range []int{1, 10, 50, 90, 99} {
		f.Add(data[:len(data)*share/100])
	}
	for i := 1; i < 8; i++ {
		changed := bytes.Clone(data)
		changed[len(data)*i/8] ^= 0x81
		f.Add(changed)
	}
}

// FuzzReadPTH: no panic, no memory without reason, and what is read can be
// written and read again.
func FuzzReadPTH(f *testing.F) {
	addMutations(f, pth(f, tensorPickle("K\x00", "K\x02K\x02\x86", "K\x01K\x02\x86")))
	dir := f.TempDir()
	d := weights.NewDict()
	d.Set("a", weights.FromFloat32s([]int{2}, []float32{1, 2}))
	if err := weights.WritePTH(filepath.Join(dir, "seed"), d); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "seed"))
	if err != nil {
		f.Fatal(err)
	}
	addMutations(f, data)
	path := filepath.Join(dir, "a.pth")
	f.Fuzz(func(t *testing.T, data []byte) {
		var v weights.Value
		err := readCheaply(t, path, data, func(path string) (err error) {
			v, err = weights.ReadPTH(path)
			return err
		})
		checkMapped(t, path, v, err)
		if err == nil {
			checkAgain(t, path, v)
		}
	})
}

// FuzzPickle feeds the machine directly, inside a zip with whole checksums and in
// the old form, which the fuzzer would not get past otherwise.
func FuzzPickle(f *testing.F) {
	for _, pickle := range []string{
		tensorPickle("K\x00", "K\x02K\x02\x86", "K\x01K\x02\x86"), "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94K\x01u.",
		proto + odict + ")R(X\x01\x00\x00\x00a" + long(5) + "u}b.", proto + "]q\x00(h\x00h\x00e.", proto + "(K\x01K\x02l\x85\x86.",
		proto + "cargparse\nNamespace\n)\x81}X\x01\x00\x00\x00aNsb.", proto + "c__builtin__\nset\n]K\x01a\x85R.",
		proto + "c_codecs\nencode\nX\x01\x00\x00\x00aX\x06\x00\x00\x00latin1\x86R.",
		proto + "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00f8\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbC\x0812345678\x86R.",
	} {
		addMutations(f, []byte(pickle))
	}
	path := filepath.Join(f.TempDir(), "a.pth")
	const old = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d\x00\x00\x00little_endian\x88s."
	const tail = "\x80\x02]X\x01\x00\x00\x000a.\x04\x00\x00\x00\x00\x00\x00\x000123456789abcdef"
	f.Fuzz(func(t *testing.T, pickle []byte) {
		for _, data := range [][]byte{pth(t, string(pickle)), []byte(old + string(pickle) + tail)} {
			var v weights.Value
			err := readCheaply(t, path, data, func(path string) (err error) {
				v, err = weights.ReadPTH(path)
				return err
			})
			checkMapped(t, path, v, err)
			if err == nil {
				checkAgain(t, path, v)
			}
		}
	})
}

// checkAgain writes v and reads it again. Writing may refuse what Python could
// not read (text that is not UTF-8, ints beyond 255 bytes, a plain dict with
// attributes), but not lose anything.
func checkAgain(t *testing.T, path string, v weights.Value) {
	t.Helper()
	if err := weights.WritePTH(path, v); err != nil {
		return
	}
	again, err := weights.ReadPTH(path)
	if err != nil {
		t.Fatalf("what was written is not read: %v", err)
	}
	if got, want := describe(again), describe(v); got != want {
		t.Errorf("differs after a round trip: %s", firstDifference(got, want))
	}
}

func FuzzReadSafetensors(f *testing.F) {
	addMutations(f, safetensors(`{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}`, "1234567890"))
	addMutations(f, safetensors(`{"a":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]}}`, ""))
	path := filepath.Join(f.TempDir(), "a.safetensors")
	f.Fuzz(func(t *testing.T, data []byte) {
		var d *weights.Dict
		var meta map[string]string
		err := readCheaply(t, path, data, func(path string) (err error) {
			d, meta, err = weights.ReadSafetensors(path)
			return err
		})
		checkMappedSafetensors(t, path, d, err)
		if err != nil {
			return
		}
		if err := weights.WriteSafetensors(path, d, meta); err != nil {
			t.Fatalf("what was read is not written: %v", err)
		}
		again, _, err := weights.ReadSafetensors(path)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if got, want := describe(sortedMap(t, again)), describe(sortedMap(t, d)); got != want {
			t.Errorf("differs after a round trip: %s", firstDifference(got, want))
		}
	})
}
