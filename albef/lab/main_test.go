package lab_test

import (
	"fmt"
	"os"
	"testing"

	"vlab/albef"
	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/torch"
)

// TestMain fails when a test leaves a tensor behind.
func TestMain(m *testing.M) {
	torch.SetThreads(1) // small work, and other packages are tested beside
	before := torch.Live()
	code := m.Run()
	if after := torch.Live(); after != before {
		fmt.Fprintf(os.Stderr, "tensors alive: %d after all tests, %d before\n", after, before)
		code = 1
	}
	os.Exit(code)
}

// tiny is an untrained model of the scenes' size and words.
func tiny(t testing.TB) *lab.Model {
	t.Helper()
	tok, vocab, err := task.SceneTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	c := albef.Tiny()
	c.VocabSize = tok.Size()
	core, err := albef.New(c, torch.CPU, 7)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(core.Close)
	return lab.FromTrained(&task.Trained{Model: core, Tokenizer: tok, Vocab: vocab})
}
