package scenes_test

import (
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vlab/albef/scenes"
)

// answer finds the answer to a question from its words, with nothing but the objects' attributes and boxes.
func answer(t *testing.T, s scenes.Scene, text string) string {
	t.Helper()
	text = strings.TrimSuffix(text, "?")
	if rest, ok := strings.CutPrefix(text, "is there "); ok {
		return yesOrNo(t, s, rest)
	}
	if rest, ok := strings.CutPrefix(text, "is "); ok {
		return yesOrNo(t, s, rest)
	}
	if text == "how many objects are there" {
		return strconv.Itoa(len(s.Objects))
	}
	if colour, ok := strings.CutPrefix(text, "how many objects are "); ok {
		n := 0
		for _, o := range s.Objects {
			if o.Colour.String() == colour {
				n++
			}
		}
		return strconv.Itoa(n)
	}
	parts := regexp.MustCompile(`^what (colour|shape|size) is (the .*)$`).FindStringSubmatch(text)
	if parts == nil {
		t.Fatalf("cannot read the question %q", text)
	}
	var fit []scenes.Object
	for i, o := range s.Objects {
		if read(t, parts[2]).named(s, []int{i}) {
			fit = append(fit, o)
		}
	}
	if len(fit) != 1 {
		t.Fatalf("%q: %d objects fit, want 1, of %s", text, len(fit), s.Key())
	}
	return map[string]string{
		"colour": fit[0].Colour.String(), "shape": fit[0].Shape.String(), "size": fit[0].Size.String(),
	}[parts[1]]
}

func yesOrNo(t *testing.T, s scenes.Scene, text string) string {
	t.Helper()
	switch holds, possible := read(t, text).verdict(s); {
	case holds:
		return "yes"
	case !possible:
		return "no"
	}
	t.Fatalf("the question %q is unclear of %+v", text, s.Objects)
	return ""
}

func TestQuestionsHaveTheirAnswers(t *testing.T) {
	topics, yes, no := map[scenes.Topic]int{}, 0.0, 0.0
	each(t, 1000, func(s scenes.Scene, rng *rand.Rand) {
		for _, q := range scenes.Questions(s, rng) {
			topics[q.Topic]++
			if want := answer(t, s, q.Text); q.Answer != want {
				t.Fatalf("%q of %s: got %q, want %q", q.Text, s.Key(), q.Answer, want)
			}
			if !slices.Contains(scenes.Answers(), q.Answer) {
				t.Fatalf("answer %q is not among Answers", q.Answer)
			}
			wantAllowed(t, s.Split, q.Text)
			switch q.Answer {
			case "yes":
				yes++
			case "no":
				no++
			}
		}
	})
	for topic := scenes.AskColour; topic <= scenes.AskPresence; topic++ {
		if topics[topic] < 3000 {
			t.Errorf("got %d questions about %s, want at least 3000", topics[topic], topic)
		}
	}
	if share := yes / (yes + no); math.Abs(share-.5) > .03 {
		t.Errorf("share of yes: got %.3f, want 0.5", share)
	}
}

func TestHypothesesHaveTheirLabels(t *testing.T) {
	material := regexp.MustCompile(`^(an? .*) is (made of \w+|heavy|soft|old|new|warm|cold)$`)
	kinds := map[string]int{}
	each(t, 1000, func(s scenes.Scene, rng *rand.Rand) {
		for k, h := range scenes.Hypotheses(s, rng) {
			if want := []scenes.Label{scenes.Entailment, scenes.Neutral, scenes.Contradiction}[k]; h.Label != want {
				t.Fatalf("sentence %d: got label %s, want %s", k, h.Label, want)
			}
			wantAllowed(t, s.Split, h.Text)
			got, kind := scenes.Contradiction, "plain"
			if what, ok := strings.CutPrefix(h.Text, "there is no "); ok {
				kind = "denial"
				if yesOrNo(t, s, "the "+what) == "no" {
					got = scenes.Entailment
				}
			} else if parts := material.FindStringSubmatch(h.Text); parts != nil {
				kind = "material"
				if yesOrNo(t, s, parts[1]) == "yes" {
					got = scenes.Neutral
				}
			} else if yesOrNo(t, s, h.Text) == "yes" {
				got = scenes.Entailment
			}
			kinds[string(got)+" "+kind]++
			if got != h.Label {
				t.Fatalf("%q of %s: labelled %s, is %s", h.Text, s.Key(), h.Label, got)
			}
		}
	})
	if len(kinds) != 6 {
		t.Errorf("got the kinds %v, want six", kinds)
	}
}

func TestNLVRStatementsHaveTheirLabels(t *testing.T) {
	const n = 4000
	trues := 0.0
	formats := map[string]map[bool]int{}
	for i := range n {
		rng := rand.New(rand.NewPCG(3, uint64(i)))
		a, b := scenes.Generate(5, i, scenes.Options{}), scenes.Generate(5, i+n, scenes.Options{})
		if i%100 == 0 {
			b = a
		}
		st := scenes.NLVR(a, b, rng)
		wantAllowed(t, a.Split, st.Text)
		format, want := judgePair(t, a, b, st.Text)
		if st.Label != want {
			t.Fatalf("%q of %s | %s: got %v, want %v", st.Text, a.Key(), b.Key(), st.Label, want)
		}
		if formats[format] == nil {
			formats[format] = map[bool]int{}
		}
		formats[format][want]++
		if want {
			trues++
		}
	}
	if share := trues / n; math.Abs(share-.5) > .03 {
		t.Errorf("share of true statements: got %.3f, want 0.5", share)
	}
	for format, counts := range formats {
		if counts[true] < 50 || counts[false] < 50 {
			t.Errorf("statements %q: got %v, want both labels often", format, counts)
		}
	}
	if len(formats) != 6 {
		t.Errorf("got %d kinds of statements, want 6: %v", len(formats), formats)
	}
}

// judgePair decides a statement about two scenes by its words.
func judgePair(t *testing.T, a, b scenes.Scene, text string) (format string, truth bool) {
	t.Helper()
	switch text {
	case "the first picture has more objects than the second picture":
		return "more", len(a.Objects) > len(b.Objects)
	case "the second picture has more objects than the first picture":
		return "more", len(b.Objects) > len(a.Objects)
	}
	parts := regexp.MustCompile(`^(both pictures have|both have|only one picture has|the first picture has|the second picture has) (an? .*)$`).FindStringSubmatch(text)
	if parts == nil {
		t.Fatalf("cannot read the statement %q", text)
	}
	inA, inB := yesOrNo(t, a, parts[2]) == "yes", yesOrNo(t, b, parts[2]) == "yes"
	return parts[1], map[string]bool{
		"both pictures have": inA && inB, "both have": inA && inB, "only one picture has": inA != inB,
		"the first picture has": inA, "the second picture has": inB,
	}[parts[1]]
}
