package train_test

import (
	"strings"
	"testing"

	"vlab/albef/train"
)

func TestConstant(t *testing.T) {
	for _, c := range []struct {
		means map[string]float64
		want  string // the losses told of
	}{
		{map[string]float64{"loss_itm": 0.6365}, "loss_itm"},
		{map[string]float64{"loss_itm": 0.6401, "loss_claims": 0.6931}, "loss_claims loss_itm"},
		{map[string]float64{"loss_itm": 0.62}, ""},
		{map[string]float64{"loss_itm": 0.66, "loss_mlm": 0.6365}, ""},
		{nil, ""},
	} {
		var got []string
		for _, line := range train.Constant(c.means) {
			name, _, _ := strings.Cut(line, " ")
			got = append(got, name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("Constant(%v) tells of %q, want %q", c.means, got, c.want)
		}
	}
}
