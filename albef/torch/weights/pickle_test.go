package weights_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vlab/albef/torch/weights"
)

// pickles are what Python's pickle.dumps writes of pickled, by protocol; 0 is
// also given as Python 2 wrote it, with str for text.
var pickles = map[string]string{
	"protocol 0": "(lp0\n(dp1\nVref_id\np2\nI3\nsVsplit\np3\nVtestA\np4\nsVsent\np5\nVit's \"a\" caf\xe9\np6\nsVraw\np7\n" +
		"Vx\\u005cy\\u000a\\u2603\\U0001f600\np8\nsVf\np9\nF0.5\nsVok\np10\nI01\nsVbig\np11\nL4294967296L\nsVneg\np12\nI-5\n" +
		"sVt\np13\n(I1\nI2\ntp14\nsVn\np15\nNsa(dp16\ng2\nI300000\nsa.",
	"protocol 0 of Python 2": "(lp1\n(dp2\nS'ref_id'\np3\nI3\nsS'split'\nS'testA'\nsS'sent'\nS'it\\'s \"a\" caf\\xc3\\xa9'\nsS'raw'\n" +
		"Vx\\u005cy\\u000a\\u2603\\U0001f600\nsS'f'\nF0.5\nsS'ok'\nI01\nsS'big'\nL4294967296L\nsS'neg'\nI-5\nsS't'\n(I1\nI2\ntsS'n'\nNsa" +
		"(dg3\nI300000\nsa.",
	"protocol 1": "]q\x00(}q\x01(X\x06\x00\x00\x00ref_idq\x02K\x03X\x05\x00\x00\x00splitX\x05\x00\x00\x00testAX\x04\x00\x00\x00sent" +
		"X\x0e\x00\x00\x00it's \"a\" caf\xc3\xa9X\x03\x00\x00\x00rawX\x0b\x00\x00\x00x\\y\n\xe2\x98\x83\xf0\x9f\x98\x80" +
		"X\x01\x00\x00\x00fG?\xe0\x00\x00\x00\x00\x00\x00X\x02\x00\x00\x00okI01\nX\x03\x00\x00\x00bigL4294967296L\n" +
		"X\x03\x00\x00\x00negJ\xfb\xff\xff\xffX\x01\x00\x00\x00t(K\x01K\x02tX\x01\x00\x00\x00nNu}q\x10(h\x02J\xe0\x93\x04\x00ue.",
	"protocol 4": "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00]\x94(}\x94(\x8c\x06ref_id\x94K\x03\x8c\x05split\x8c\x05testA\x8c\x04sent" +
		"\x8c\x0eit's \"a\" caf\xc3\xa9\x8c\x03raw\x8c\x0bx\\y\n\xe2\x98\x83\xf0\x9f\x98\x80\x8c\x01fG?\xe0\x00\x00\x00\x00\x00\x00" +
		"\x8c\x02ok\x88\x8c\x03big\x8a\x05\x00\x00\x00\x00\x01\x8c\x03negJ\xfb\xff\xff\xff\x8c\x01tK\x01K\x02\x86\x8c\x01nNu" +
		"}\x94(h\x02J\xe0\x93\x04\x00ue.",
}

func TestReadPickle(t *testing.T) {
	first := map[weights.Value]weights.Value{
		"ref_id": int64(3), "split": "testA", "sent": "it's \"a\" café", "raw": "x\\y\n☃😀", "f": 0.5, "ok": true,
		"big": int64(1 << 32), "neg": int64(-5), "t": weights.Tuple{int64(1), int64(2)}, "n": nil,
	}
	for name, content := range pickles {
		got, err := weights.ReadPickle(pickleFile(t, content))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list, ok := got.(*weights.List)
		if !ok || len(list.Items) != 2 {
			t.Errorf("%s: got %v, want a list of two", name, got)
			continue
		}
		for i, want := range []map[weights.Value]weights.Value{first, {"ref_id": int64(300000)}} {
			have := map[weights.Value]weights.Value{}
			for k, v := range list.Items[i].(*weights.OrderedMap).All() {
				have[k] = v
			}
			if !reflect.DeepEqual(have, want) {
				t.Errorf("%s: item %d is %v, want %v", name, i, have, want)
			}
		}
	}
}

func TestReadPickleRefuses(t *testing.T) {
	for content, want := range map[string]string{
		"":                                      "is empty",
		"cos\nsystem\n(S'ls'\ntR.":              "os.system",
		"S'a\n.":                                "is not in quotes",
		"S'\\x4'\n.":                            "broken escape",
		"I1x\n.":                                "is no whole number",
		"L" + strings.Repeat("9", 2000):         "ends in the middle of a line",
		"I" + strings.Repeat("9", 2000) + "\n.": "is no whole number",
		"g7\n.":                                 "value 7 is used before it is made",
		"p-1\n.":                                "is no place in the memo",
		"(l":                                    "ends early",
		"<html>":                                "instruction",
	} {
		_, err := weights.ReadPickle(pickleFile(t, content))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want an error that says %q", content, err, want)
		}
	}
}

func pickleFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.p")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
