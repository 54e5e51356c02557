package albef

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMaskerSparesCLSAndPadding(t *testing.T) {
	m := Masker{Prob: 1, Mask: 103, CLS: 101, Pad: 0, VocabSize: 200}
	got := m.Draw([]int64{101, 7, 8, 0}, nil, rand.New(rand.NewPCG(1, 2)))
	if !slices.Equal(got.Positions, []int64{1, 2}) || !slices.Equal(got.Words, []int64{7, 8}) {
		t.Errorf("positions %v words %v, want [1 2] [7 8]", got.Positions, got.Words)
	}
	if got.IDs[0] != 101 || got.IDs[3] != 0 {
		t.Errorf("ids %v: CLS or padding was changed", got.IDs)
	}
}

func TestMaskerShares(t *testing.T) {
	m := Masker{Prob: 0.3, Mask: 103, CLS: 101, Pad: 0, VocabSize: 1000}
	ids := make([]int64, 100_000)
	for i := range ids {
		ids[i] = 500
	}
	got := m.Draw(ids, nil, rand.New(rand.NewPCG(3, 4)))
	masked, kept := 0, 0
	for _, at := range got.Positions {
		switch got.IDs[at] {
		case 103:
			masked++
		case 500:
			kept++
		}
	}
	n := float64(len(got.Positions))
	for _, share := range []struct {
		what      string
		got, want float64
	}{
		{"asked for", n / float64(len(ids)), 0.3},
		{"replaced by [MASK]", float64(masked) / n, 0.8},
		{"left as they are", float64(kept) / n, 0.1},
	} {
		if share.got < share.want-0.01 || share.got > share.want+0.01 {
			t.Errorf("share %s: got %.3f, want %.3f", share.what, share.got, share.want)
		}
	}
}

// MaskWith shows to tests what a masking becomes of given draws.
func MaskWith(m Masker, ids []int64, masked, mask80, random50 []bool, words []int64) Masking {
	return m.apply(ids, masked, mask80, random50, words)
}
