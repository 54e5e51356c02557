package text_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"vlab/albef/text"

	"github.com/google/go-cmp/cmp"
)

type paddedIDs struct {
	IDs  [][]int64 `json:"input_ids"`
	Mask [][]int64 `json:"attention_mask"`
}

type tokenizerFixture struct {
	Strings []struct {
		S      string   `json:"s"`
		Tokens []string `json:"tokens"`
		IDs    []int    `json:"input_ids"`
	} `json:"strings"`
	Batch struct {
		Texts     []string  `json:"texts"`
		Pretrain  paddedIDs `json:"pretrain_longest_trunc25"`
		Retrieval []int     `json:"retrieval_train_longest_max30_no_truncation_shape"`
		Eval      paddedIDs `json:"eval_max_length30"`
	} `json:"batch"`
}

func TestParityTokenizer(t *testing.T) {
	var f tokenizerFixture
	readFixture(t, "tokenizer.json", &f)
	if len(f.Strings) == 0 {
		t.Fatal("tokenizer.json holds no strings")
	}
	tok := text.Default()
	for _, c := range f.Strings {
		if got := tok.Tokenize(c.S); !slices.Equal(got, c.Tokens) {
			t.Errorf("Tokenize(%q)\n got %q\nwant %q", c.S, got, c.Tokens)
		}
		if got := tok.Encode(c.S, 0); !slices.Equal(got, c.IDs) {
			t.Errorf("Encode(%q)\n got %v\nwant %v", c.S, got, c.IDs)
		}
		if got := tok.Encode(c.S, 5); !slices.Equal(got, c.IDs[:min(5, len(c.IDs))]) {
			t.Errorf("Encode(%q, 5) = %v, want the first of %v", c.S, got, c.IDs)
		}
	}
}

func TestParityTokenizerBatch(t *testing.T) {
	var f tokenizerFixture
	readFixture(t, "tokenizer.json", &f)
	tok := text.Default()
	pretrain := tok.Batch(f.Batch.Texts, text.BatchOptions{MaxLen: 25, Truncate: true})
	checkBatch(t, "pretrain", pretrain, f.Batch.Pretrain)
	eval := tok.Batch(f.Batch.Texts, text.BatchOptions{MaxLen: 30, Truncate: true, PadToMax: true})
	checkBatch(t, "evaluation", eval, f.Batch.Eval)
	train := tok.Batch(f.Batch.Texts, text.BatchOptions{MaxLen: 30})
	if got := []int{train.B, train.T}; !slices.Equal(got, f.Batch.Retrieval) {
		t.Errorf("retrieval training: shape %v, want %v", got, f.Batch.Retrieval)
	}
}

func checkBatch(t *testing.T, name string, got text.Batch, want paddedIDs) {
	t.Helper()
	if got.B != len(want.IDs) || got.T != len(want.IDs[0]) {
		t.Fatalf("%s: shape [%d, %d], want [%d, %d]", name, got.B, got.T, len(want.IDs), len(want.IDs[0]))
	}
	if diff := cmp.Diff(slices.Concat(want.IDs...), got.IDs); diff != "" {
		t.Errorf("%s: ids (-want +got)\n%s", name, diff)
	}
	if diff := cmp.Diff(slices.Concat(want.Mask...), got.Mask); diff != "" {
		t.Errorf("%s: mask (-want +got)\n%s", name, diff)
	}
}

func TestParityTextPreprocess(t *testing.T) {
	var f struct {
		Strings []struct {
			S   string `json:"s"`
			C30 string `json:"pre_caption_30"`
			C50 string `json:"pre_caption_50"`
			Q30 string `json:"pre_question_30"`
			Q50 string `json:"pre_question_50"`
		} `json:"strings"`
	}
	readFixture(t, "text_preprocess.json", &f)
	if len(f.Strings) == 0 {
		t.Fatal("text_preprocess.json holds no strings")
	}
	for _, c := range f.Strings {
		check := func(name, got, want string) {
			if got != want {
				t.Errorf("%s of %q\n got %q\nwant %q", name, c.S, got, want)
			}
		}
		check("PreCaption 30", text.PreCaption(c.S, 30), c.C30)
		check("PreCaption 50", text.PreCaption(c.S, 50), c.C50)
		check("PreQuestion 30", text.PreQuestion(c.S, 30), c.Q30)
		check("PreQuestion 50", text.PreQuestion(c.S, 50), c.Q50)
	}
}

// TestParityTokenizerRandom compares with the official code on random strings
// of awkward parts; see testdata/official.py.
func TestParityTokenizerRandom(t *testing.T) {
	data, err := os.ReadFile("testdata/strings.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	tok := text.Default()
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); n++ {
		var c struct {
			S      string
			IDs    []int
			C5, Q5 string
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if got := tok.Encode(c.S, 0); !slices.Equal(got, c.IDs) {
			t.Errorf("Encode(%+q)\n got %q\nwant %q", c.S, tok.Pieces(got), tok.Pieces(c.IDs))
		}
		if got := text.PreCaption(c.S, 5); got != c.C5 {
			t.Errorf("PreCaption(%+q, 5)\n got %+q\nwant %+q", c.S, got, c.C5)
		}
		if got := text.PreQuestion(c.S, 5); got != c.Q5 {
			t.Errorf("PreQuestion(%+q, 5)\n got %+q\nwant %+q", c.S, got, c.Q5)
		}
	}
	if n < 400 {
		t.Errorf("%d strings compared, want 400 at least", n)
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, vocabulary, want string }{
		{"nothing", "", "token [PAD] is missing"},
		{"no mask", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "token [MASK] is missing among 4 tokens"},
		{"not UTF-8", "[PAD]\n\xff\xfe\n", "line 2 is not valid UTF-8"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			_, err := text.Load(strings.NewReader(c.vocabulary))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load: error %v, want one with %q", err, c.want)
			}
		})
	}
}
