package weights_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vlab/albef/torch/weights"
)

// zipEntry is one entry of a .pth made for a test.
type zipEntry struct {
	name   string
	data   string
	method uint16
}

// makeZip returns a zip of the entries.
func makeZip(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pth returns a .pth with this pickle and a storage 0 of 16 bytes.
func pth(t testing.TB, pickle string) []byte {
	return makeZip(t, zipEntry{name: "a/data.pkl", data: pickle}, zipEntry{name: "a/data/0", data: "0123456789abcdef"})
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantRefused demands an error with the file's name, the text and a hint.
func wantRefused(t *testing.T, path string, err error, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", text)
	}
	if !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %q\nwant the file and %q", err, text)
	}
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || hint.Hint() == "" {
		t.Errorf("error %q has no hint", err)
	}
}

// Pieces of pickles.
const (
	proto     = "\x80\x02"
	odict     = "ccollections\nOrderedDict\n"
	rebuild   = "ctorch._utils\n_rebuild_tensor_v2\n"
	floats    = "((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
	tensorEnd = "\x89" + odict + ")RtR."
)

// tensorPickle is a tensor of storage 0 with this offset, size and stride.
func tensorPickle(offset, size, stride string) string {
	return proto + rebuild + floats + offset + size + stride + tensorEnd
}

// long is a Python int of 8 bytes.
func long(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func TestRefusesPickle(t *testing.T) {
	laughs := "(K\x01K\x01t" + strings.Repeat("q\x00h\x00\x86", 60) + "."
	tests := []struct {
		name, pickle, want string
	}{
		{"system", proto + "cposix\nsystem\nX\x02\x00\x00\x00id\x85R.", "refused: the file wants to call posix.system"},
		{"eval by stack", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", "refused: the file wants to call builtins.eval"},
		{"unprintable name", proto + "cos\x1b[2J\nsystem\n.", `refused: the file wants to call "os\x1b[2J.system"`},
		{"torch.load", proto + "ctorch\nload\n.", "refused: the file wants to call torch.load"},
		{"attribute of a class", "\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93.", "collections.OrderedDict.__init"},
		{"instance by old opcode", "(ios\nsystem\n.", "instruction 0x69"},
		{"extension registry", proto + "\x82\x01.", "instruction 0x82"},
		{"keyword call", "\x80\x04" + odict + ")}\x92.", "instruction 0x92"},
		{"call of a value", proto + "K\x01)R.", "a int is called"},
		{"state of a tensor", strings.TrimSuffix(tensorPickle("K\x00", "K\x04\x85", "K\x01\x85"), ".") + "}b.", "sets the state of a tensor"},
		{"class as value", proto + odict + ".", "a class collections.OrderedDict is not data"},
		{"bare storage", proto + floats[1:] + ".", "a bare storage is not data"},
		{"foreign persistent id", proto + "X\x01\x00\x00\x00aQ.", "refers to a str outside of itself"},
		{"list in itself", proto + "]q\x00h\x00a.", "a list contains itself"},
		{"dict in itself", proto + "}q\x00K\x01h\x00s.", "a dict contains itself"},
		{"deep lists", proto + strings.Repeat("]", 5000) + strings.Repeat("a", 4999) + ".", "nest deeper"},
		{"doubling tuples", proto + laughs, "refused: the values refer to each other so often"},
		{"memory per byte", proto + strings.Repeat("}", 2<<20) + ".", "far more memory than its length explains"},
		{"key of list", proto + "}]Ns.", "cannot be the key"},
		{"unset memo", proto + "h\x05.", "value 5 is used before it is made"},
		{"no mark", proto + "t.", "no mark"},
		{"pop past mark", proto + "K\x01(0" + "a.", "the stack"},
		{"left over", proto + "NN.", "left over"},
		{"empty stack", proto + ".", "stack is empty"},
		{"no end", proto + "N", "ends early"},
		{"long string", proto + "X\xff\xff\xff\x7fabc.", "ends early"},
		{"endless string", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.", "a length of"},
		{"protocol 9", "\x80\x09N.", "protocol 9"},
		{"object array", proto + "cnumpy\ndtype\nX\x02\x00\x00\x00O8\x85R.", "only plain numbers"},
		{"reconstruct", proto + "cnumpy.core.multiarray\n_reconstruct\n.", "numpy.core.multiarray._reconstruct"},

		{"past the storage", tensorPickle("K\x00", "K\x05\x85", "K\x01\x85"), "reaches element 4 of a storage of 4"},
		{"offset past the storage", tensorPickle("K\x05", "K\x00\x85", "K\x01\x85"), "starts at element 5"},
		{"negative offset", tensorPickle(long(-1), "K\x01\x85", "K\x01\x85"), "starts at element -1"},
		{"negative size", tensorPickle("K\x00", long(-4)+"\x85", "K\x01\x85"), "size -4"},
		{"negative stride", tensorPickle("K\x03", "K\x04\x85", long(-1)+"\x85"), "stride -1"},
		{"stride past the storage", tensorPickle("K\x00", "K\x02\x85", "K\x04\x85"), "reaches element 4"},
		{"overflowing shape", tensorPickle("K\x00", long(1<<32)+long(1<<32)+"\x86", "K\x00K\x00\x86"), "too large"},
		{"overflowing stride", tensorPickle("K\x00", "K\x03K\x03\x86", long(1<<62)+long(1<<62)+"\x86"), "strides"},
		{"expanded to a terabyte", tensorPickle("K\x00", long(1<<38)+"\x85", "K\x00\x85"), "repeat their elements"},
		{"sizes without strides", tensorPickle("K\x00", "K\x04\x85", ")"), "1 sizes and 0 strides"},
		{"storage of other length", proto + rebuild + strings.Replace(floats, "K\x04tQ", "K\x05tQ", 1) + "K\x00K\x04\x85K\x01\x85" + tensorEnd, "has 16 bytes, want 20"},
		{"storage too large", proto + strings.Replace(floats[1:], "K\x04tQ", long(1<<62)+"tQ", 1) + ".", "a storage of"},
		{"missing storage", proto + strings.Replace(floats[1:], "\x000X", "\x009X", 1) + ".", "no entry data/9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "a.pth", pth(t, tt.pickle))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v, err := weights.ReadPTH(path)
			runtime.ReadMemStats(&after)
			if v != nil {
				t.Errorf("a value came with the error: %v", v)
			}
			wantRefused(t, path, err, tt.want)
			if cost := after.TotalAlloc - before.TotalAlloc; cost > 512<<20 {
				t.Errorf("refusing took %d MB", cost>>20)
			}
		})
	}
}

// The same tensor within its bounds is read, also transposed and expanded, so the
// refusals above are for their reasons.
func TestReadsViews(t *testing.T) {
	tests := []struct {
		name, offset, size, stride string
		want                       string
	}{
		{"whole", "K\x00", "K\x04\x85", "K\x01\x85", "0123456789abcdef"},
		{"part", "K\x01", "K\x02\x85", "K\x01\x85", "456789ab"},
		{"transposed", "K\x00", "K\x02K\x02\x86", "K\x01K\x02\x86", "012389ab4567cdef"},
		{"every other", "K\x00", "K\x02\x85", "K\x02\x85", "012389ab"},
		{"expanded", "K\x03", "K\x03\x85", "K\x00\x85", "cdefcdefcdef"},
		{"size one", "K\x02", "K\x01K\x01\x86", "K\x63K\x63\x86", "89ab"},
		{"scalar", "K\x02", ")", ")", "89ab"},
		{"empty", "K\x04", "K\x00\x85", "K\x01\x85", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := weights.ReadPTH(write(t, "a.pth", pth(t, tensorPickle(tt.offset, tt.size, tt.stride))))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(v.(*weights.Tensor).Data); got != tt.want {
				t.Errorf("elements %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRefusesZip(t *testing.T) {
	good := pth(t, tensorPickle("K\x00", "K\x04\x85", "K\x01\x85"))
	flipped := bytes.Replace(good, []byte("89ab"), []byte("89aB"), 1)
	bomb := makeZip(t, zipEntry{"a/data.pkl", "N.", 0}, zipEntry{"a/data/0", strings.Repeat("\x00", 64<<20), zip.Deflate})
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "is empty"},
		{"text", []byte("hello, this is not a checkpoint"), `starts with "hello, t"`},
		{"web page", []byte("<!DOCTYPE html><html>"), "web page"},
		{"git-lfs pointer", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00"), "git-lfs"},
		{"plain pickle", []byte("\x80\x03}."), "plain pickle"},
		{"safetensors", safetensors(`{}`, ""), "is a safetensors file"},
		{"truncated", good[:len(good)-30], "no whole directory"},
		{"half", good[:len(good)/2], "no whole directory"},
		{"flipped bit", flipped, "checksum"},
		{"no pickle", makeZip(t, zipEntry{"a/data/0", "x", 0}), "no entry data.pkl"},
		{"two pickles", makeZip(t, zipEntry{"a/data.pkl", "N.", 0}, zipEntry{"a/data.pkl", "N.", 0}), "two entries"},
		{"big-endian", makeZip(t, zipEntry{"a/data.pkl", "N.", 0}, zipEntry{"a/byteorder", "big", 0}), `byte order is "big"`},
		{"TorchScript", makeZip(t, zipEntry{"a/data.pkl", "N.", 0}, zipEntry{"a/constants.pkl", "N.", 0}), "TorchScript"},
		{"bomb", bomb, "claims 67108864 bytes"},
		{"entries on top of each other", overlapping(t), "more bytes than the file can have"},
		{"legacy, cut", []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03."), "ends early"},
		{"legacy, other version", []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe8\x03."), "version 1000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "a.pth", tt.data)
			_, err := weights.ReadPTH(path)
			wantRefused(t, path, err, tt.want)
			if tt.name == "safetensors" {
				return
			}
			_, err = weights.Read(path)
			wantRefused(t, path, err, tt.want)
		})
	}
}

// overlapping returns a zip in which many entries claim the same bytes.
func overlapping(t *testing.T) []byte {
	t.Helper()
	one := makeZip(t, zipEntry{"a/data.pkl", strings.Repeat("N", 4000), 0})
	at := bytes.LastIndex(one, []byte("PK\x01\x02"))
	end := bytes.LastIndex(one, []byte("PK\x05\x06"))
	directory := one[at:end]
	out := bytes.Clone(one[:at])
	const copies = 50
	for i := range copies {
		entry := bytes.Clone(directory)
		if i > 0 {
			copy(entry[bytes.Index(entry, []byte("a/data.pkl")):], fmt.Sprintf("a/data/%03d", i))
		}
		out = append(out, entry...)
	}
	tail := bytes.Clone(one[end:])
	binary.LittleEndian.PutUint16(tail[8:], copies)
	binary.LittleEndian.PutUint16(tail[10:], copies)
	binary.LittleEndian.PutUint32(tail[12:], uint32(copies*len(directory)))
	return append(out, tail...)
}

// A .pth that was packed by an ordinary zip program is read, and so is one
// without checksums.
func TestReadsOtherZips(t *testing.T) {
	pickle := tensorPickle("K\x00", "K\x04\x85", "K\x01\x85")
	packed := makeZip(t, zipEntry{"a/data.pkl", pickle, zip.Deflate}, zipEntry{"a/data/0", "0123456789abcdef", zip.Deflate})
	unsummed := pth(t, pickle)
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte("0123456789abcdef")))
	unsummed = bytes.ReplaceAll(unsummed, sum, []byte{0, 0, 0, 0})
	for name, data := range map[string][]byte{"packed": packed, "no checksum": unsummed} {
		v, err := weights.ReadPTH(write(t, "a.pth", data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(v.(*weights.Tensor).Data); got != "0123456789abcdef" {
			t.Errorf("%s: elements %q", name, got)
		}
	}
}

// safetensors returns a file with this header and data.
func safetensors(header, data string) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func TestRefusesSafetensors(t *testing.T) {
	tensor := func(dtype, shape, offsets string) string {
		return fmt.Sprintf(`{"dtype":%q,"shape":%s,"data_offsets":%s}`, dtype, shape, offsets)
	}
	f2 := tensor("F32", "[2]", "[0,8]")
	huge := safetensors("{}", "")
	binary.LittleEndian.PutUint64(huge, 1<<40)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"header beyond the limit", huge, "the header claims 1099511627776 bytes"},
		{"header beyond the file", safetensors(`{"a":`+f2+`}`, "")[:40], "ends early: the header claims"},
		{"cut after the length", []byte("\x10\x00\x00\x00\x00\x00\x00\x00"), "ends early"},
		{"broken JSON", safetensors(`{"a":`, ""), "header"},
		{"not an object", safetensors(`{"a":[1]}`, ""), "header: a"},
		{"after the end", safetensors(`{} {}`, ""), "after its end"},
		{"data too short", safetensors(`{"a":`+f2+`}`, "1234"), "ends early: the tensors need 8 bytes"},
		{"data too long", safetensors(`{"a":`+f2+`}`, "123456789"), "1 bytes after the last tensor"},
		{"overlap", safetensors(`{"a":`+f2+`,"b":`+tensor("F32", "[2]", "[4,12]")+`}`, "123456789abc"), "tensor b starts at byte 4"},
		{"same place", safetensors(`{"a":`+f2+`,"b":`+f2+`}`, "12345678"), "tensor b starts at byte 0"},
		{"gap", safetensors(`{"a":`+f2+`,"b":`+tensor("F32", "[1]", "[12,16]")+`}`, "0123456789abcdef"), "tensor b starts at byte 12"},
		{"shape mismatch", safetensors(`{"a":`+tensor("F32", "[3]", "[0,8]")+`}`, "12345678"), "needs 12 bytes, data_offsets are [0 8]"},
		{"negative size", safetensors(`{"a":`+tensor("F32", "[-2,-1]", "[0,8]")+`}`, "12345678"), "negative"},
		{"overflowing shape", safetensors(`{"a":`+tensor("F32", "[4294967296,4294967296]", "[0,0]")+`}`, ""), "too large"},
		{"size beyond int64", safetensors(`{"a":`+tensor("F32", "[18446744073709551615]", "[0,0]")+`}`, ""), "header: a"},
		{"backwards", safetensors(`{"a":`+tensor("F32", "[2]", "[8,0]")+`}`, "12345678"), "data_offsets are [8 0]"},
		{"no shape", safetensors(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, "1234"), "no shape"},
		{"unknown type", safetensors(`{"a":`+tensor("F8_E4M3", "[2]", "[0,2]")+`}`, "12"), `type "F8_E4M3"`},
		{"two of a name", safetensors(`{"a":`+f2+`,"a":`+f2+`}`, "12345678"), "two tensors"},
		{"metadata of numbers", safetensors(`{"__metadata__":{"a":1}}`, ""), "__metadata__"},
		{"a .pth", pth(t, "N."), "is a file of torch.save"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "a.safetensors", tt.data)
			d, _, err := weights.ReadSafetensors(path)
			if d != nil {
				t.Errorf("tensors came with the error")
			}
			wantRefused(t, path, err, tt.want)
		})
	}
}

func TestStateDictErrors(t *testing.T) {
	m := weights.NewMap()
	set(t, m, "epoch", 3)
	set(t, m, "args", weights.NewMap())
	tests := []struct {
		name string
		v    weights.Value
		want string
	}{
		{"no tensors", m, "epoch is a int"},
		{"a list", &weights.List{}, "the file holds a list"},
		{"nothing", nil, "the file holds a None"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.pth")
			if err := weights.WritePTH(path, tt.v); err != nil {
				t.Fatal(err)
			}
			_, err := weights.Read(path)
			wantRefused(t, path, err, tt.want)
		})
	}
	_, err := weights.Read(filepath.Join(t.TempDir(), "none.pth"))
	wantRefused(t, "none.pth", err, "no such file")
	dir := t.TempDir()
	_, err = weights.Read(dir)
	wantRefused(t, dir, err, "not a regular file")
}
