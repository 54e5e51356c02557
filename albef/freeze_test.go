package albef_test

import (
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
)

// TestFreeze wants frozen parameters left out of what is trained, the others kept,
// and a pattern that matches nothing named.
func TestFreeze(t *testing.T) {
	c := albef.Tiny()
	c.VocabSize, c.QueueSize, c.CellLabels = 40, 4, nil
	m, err := albef.New(c, torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	count := func() (image, rest int) {
		plain, decayed := m.Trained()
		for _, p := range append(plain, decayed...) {
			if strings.HasPrefix(p.Name, "visual_encoder.") {
				image++
			} else {
				rest++
			}
		}
		return image, rest
	}
	_, before := count()
	if err := m.Freeze("visual_encoder.*"); err != nil {
		t.Fatal(err)
	}
	if image, rest := count(); image != 0 || rest != before {
		t.Errorf("got %d of the image encoder and %d others trained, want 0 and %d", image, rest, before)
	}
	if err := m.Freeze("vision.*"); err == nil || !strings.Contains(err.Error(), `"vision.*"`) {
		t.Errorf("a pattern that matches nothing: got %v", err)
	}
	if err := m.Freeze("["); err == nil {
		t.Error("a broken pattern is taken")
	}
}
