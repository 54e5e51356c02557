package scenes_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vlab/albef/scenes"
)

func TestClaimWording(t *testing.T) {
	red := scenes.Description{Size: scenes.Small, Colour: scenes.Red, Shape: scenes.Circle}
	orange := scenes.Description{Colour: scenes.Orange, Shape: scenes.Square}
	thing := scenes.Description{}
	tests := []struct {
		claim scenes.Claim
		want  string
	}{
		{scenes.Claim{Objects: []scenes.Description{red}}, "a small red circle"},
		{scenes.Claim{Objects: []scenes.Description{thing}, Form: scenes.There}, "there is an object"},
		{scenes.Claim{Objects: []scenes.Description{orange, red, thing}}, "an orange square and a small red circle and an object"},
		{scenes.Claim{Objects: []scenes.Description{red, orange}, Relation: scenes.LeftOf}, "a small red circle left of an orange square"},
		{scenes.Claim{Objects: []scenes.Description{red, orange}, Relation: scenes.RightOf, Form: scenes.To}, "a small red circle to the right of an orange square"},
		{scenes.Claim{Objects: []scenes.Description{red, orange}, Relation: scenes.Above, Form: scenes.To}, "a small red circle above an orange square"},
		{scenes.Claim{Objects: []scenes.Description{red, orange, thing}, Relation: scenes.Below, Form: scenes.Is}, "a small red circle is below an orange square and there is an object"},
		{scenes.Claim{Objects: []scenes.Description{red, orange}, Relation: scenes.Below, Form: scenes.The}, "the small red circle below the orange square"},
		{scenes.Claim{Objects: []scenes.Description{red, orange}, Relation: scenes.LeftOf, Form: scenes.Picture}, "a picture of a small red circle left of an orange square"},
	}
	for _, tt := range tests {
		if got := tt.claim.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestCaptionsAreTrue(t *testing.T) {
	const n = 1500
	texts, relations := map[string]bool{}, 0
	each(t, n, func(s scenes.Scene, rng *rand.Rand) {
		for range 3 {
			c := scenes.Caption(s, rng)
			wantTrue(t, s, c.String())
			if !c.Holds(s) {
				t.Fatalf("Holds denies %q of %+v", c, s.Objects)
			}
			texts[c.String()] = true
			if c.Relation != scenes.NoRelation {
				relations++
			}
		}
		wantTrue(t, s, scenes.Describe(s).String())
	})
	if len(texts) < 3*n {
		t.Errorf("got %d different captions of %d, want at least %d", len(texts), 12*n, 3*n)
	}
	if relations < 4*n {
		t.Errorf("got %d captions with a relation of %d, want at least %d", relations, 12*n, 4*n)
	}
}

// Judge must agree with the reader on claims that chance puts together, true, false or unclear.
func TestJudgeAgreesWithReader(t *testing.T) {
	found := map[scenes.Truth]int{}
	each(t, 500, func(s scenes.Scene, rng *rand.Rand) {
		for range 40 {
			c := scenes.Claim{Form: scenes.Form(rng.IntN(7))}
			for range 1 + rng.IntN(3) {
				o := s.Objects[rng.IntN(len(s.Objects))]
				d := scenes.Description{Size: o.Size, Colour: o.Colour, Shape: o.Shape}
				switch rng.IntN(6) {
				case 0:
					d.Shape = scenes.Shape(rng.IntN(scenes.ShapeCount + 1))
				case 1:
					d.Colour = scenes.Colour(rng.IntN(scenes.ColourCount + 1))
				case 2:
					d = scenes.Description{}
				}
				c.Objects = append(c.Objects, d)
			}
			if len(c.Objects) > 1 {
				c.Relation = scenes.Relation(rng.IntN(scenes.RelationCount + 1))
			}
			holds, possible := read(t, c.String()).verdict(s)
			want := scenes.Unclear
			if holds {
				want = scenes.True
			} else if !possible {
				want = scenes.False
			}
			got := c.Judge(s)
			found[got]++
			if got != want || c.Holds(s) != holds {
				t.Fatalf("%q of %+v: got %v, want %v", c, s.Objects, got, want)
			}
		}
	})
	if len(found) != 3 {
		t.Errorf("got verdicts %v, want all three", found)
	}
}

func TestNegativesAreFalseAndDifferInOnePoint(t *testing.T) {
	kinds := map[scenes.Kind]int{}
	each(t, 800, func(s scenes.Scene, rng *rand.Rand) {
		c := scenes.Caption(s, rng)
		before := c.String()
		negatives := scenes.Negatives(s, c, rng, 8)
		if len(negatives) != 8 {
			t.Fatalf("%q: got %d negatives, want 8", c, len(negatives))
		}
		if c.String() != before {
			t.Fatalf("the caption %q became %q", before, c)
		}
		seen := map[string]bool{}
		for _, n := range negatives {
			kinds[n.Kind]++
			text := n.String()
			wantFalse(t, s, text)
			wantAllowed(t, s.Split, text)
			if seen[text] {
				t.Fatalf("%q comes twice", text)
			}
			seen[text] = true
			checkKind(t, before, text, n.Kind)
		}
	})
	for _, k := range scenes.Kinds() {
		if k == scenes.KindTexture { // TestContrasts has scenes with textures
			continue
		}
		if kinds[k] < 1000 {
			t.Errorf("got %d negatives of kind %s, want at least 1000", kinds[k], k)
		}
	}
}

// checkKind compares word by word: the kinds of one word change one, the others none but their order.
func checkKind(t *testing.T, caption, negative string, kind scenes.Kind) {
	t.Helper()
	words := func(text string) []string {
		text = strings.ReplaceAll(strings.ReplaceAll(text, " to the ", " "), " of", "")
		return strings.Fields(strings.ReplaceAll(" "+text, " an ", " a "))
	}
	before, after := words(caption), words(negative)
	if kind == scenes.KindBinding || kind == scenes.KindOrder {
		slices.Sort(before)
		slices.Sort(after)
		if !slices.Equal(before, after) {
			t.Fatalf("%s: %q and %q have different words", kind, caption, negative)
		}
		return
	}
	class := map[scenes.Kind][]string{
		scenes.KindColour:   scenes.AttributeWords()[12:20],
		scenes.KindShape:    slices.Concat(scenes.AttributeWords()[4:12], scenes.AttributeWords()[24:]),
		scenes.KindSize:     scenes.AttributeWords()[20:22],
		scenes.KindRelation: scenes.AttributeWords()[:4],
		scenes.KindTexture:  scenes.AttributeWords()[22:24],
	}[kind]
	changed := 0
	for i := range before {
		if before[i] == after[i] {
			continue
		}
		changed++
		if !slices.Contains(class, before[i]) || !slices.Contains(class, after[i]) {
			t.Fatalf("%s: %q became %q in %q", kind, before[i], after[i], negative)
		}
	}
	if changed != 1 || len(before) != len(after) {
		t.Fatalf("%s: %q and %q differ in %d words, want 1", kind, caption, negative, changed)
	}
}

func TestNegativesOfOneKind(t *testing.T) {
	two := 0
	each(t, 300, func(s scenes.Scene, rng *rand.Rand) {
		if len(s.Objects) < 2 {
			return
		}
		c := scenes.Describe(s)
		for _, kind := range []scenes.Kind{scenes.KindRelation, scenes.KindOrder} {
			found := scenes.NegativesOf(s, c, rng, 3, kind)
			if len(found) == 0 {
				t.Fatalf("%q: no negative of kind %s", c, kind)
			}
			for _, n := range found {
				if n.Kind != kind {
					t.Fatalf("%q: got kind %s, want %s", n, n.Kind, kind)
				}
			}
			two++
		}
	})
	if two == 0 {
		t.Error("no scene had two objects")
	}
}

func TestPhrasesReferToOneObject(t *testing.T) {
	each(t, 800, func(s scenes.Scene, rng *rand.Rand) {
		named := make([]int, len(s.Objects))
		for _, list := range [][]scenes.Phrase{scenes.Phrases(s), scenes.RelationPhrases(s)} {
			for _, p := range list {
				named[p.Object]++
				wantTrue(t, s, p.Text)
				wantAllowed(t, s.Split, p.Text)
				without := s
				without.Objects = slices.Delete(slices.Clone(s.Objects), p.Object, p.Object+1)
				wantFalse(t, without, p.Text)
				if p.Box != s.Objects[p.Object].Box || p.Text != p.Claim.String() {
					t.Fatalf("%+v does not fit object %+v", p, s.Objects[p.Object])
				}
			}
		}
		for i, n := range named {
			if n == 0 {
				t.Fatalf("no phrase for %+v", s.Objects[i])
			}
		}
		phrases := scenes.Phrases(s)
		for _, n := range scenes.Negatives(s, phrases[rng.IntN(len(phrases))].Claim, rng, 3) {
			wantFalse(t, s, n.String())
		}
	})
}

// The whole vocabulary.
const vocabulary = `1 2 3 a above airplane an and apple are banana bear bee bell below bicycle bird blue boat book both bus
	butterfly cactus cake camera car carrot cat cheese circle clock cloud cold colour cookie corn cow crab cross crown diamond
	dog dotted duck elephant first fish frog gift glass green guitar hamburger has have heart heavy horse house how is key large left
	lemon lion lock made many metal monkey more mouse mushroom new no object objects octopus of old one only orange owl paper
	pear penguin picture pictures pig pineapple pink pizza purple rabbit red right ring rocket rose second shape size small
	snail snake soft square star strawberry striped sun than the there three to tomato train tree triangle truck turtle two umbrella warm whale
	what white wood yellow yes`

func TestWordsArePinned(t *testing.T) {
	if got, want := strings.Join(scenes.Words(), " "), strings.Join(strings.Fields(vocabulary), " "); got != want {
		t.Errorf("words:\n got %s\nwant %s", got, want)
	}
}

func TestWordsCoverAllTexts(t *testing.T) {
	words := map[string]bool{}
	for _, w := range scenes.Words() {
		words[w] = false
	}
	use := func(text string) {
		for _, w := range strings.Fields(strings.TrimSuffix(text, "?")) {
			if _, ok := words[w]; !ok {
				t.Fatalf("%q has the word %q, which Words lacks", text, w)
			}
			words[w] = true
		}
	}
	var last scenes.Scene
	each(t, 1000, func(s scenes.Scene, rng *rand.Rand) {
		use(scenes.Caption(s, rng).String())
		for _, q := range scenes.Questions(s, rng) {
			use(q.Text)
			use(q.Answer)
		}
		for _, h := range scenes.Hypotheses(s, rng) {
			use(h.Text)
		}
		if last.Objects != nil {
			use(scenes.NLVR(last, s, rng).Text)
		}
		last = s
	})
	for i := range 600 {
		s := scenes.Generate(12, i, scenes.Options{Pictograms: 0.8, Textures: 1})
		use(scenes.Describe(s).String())
		c, _ := scenes.ContrastOf(s, scenes.KindCount, rand.New(rand.NewPCG(1, uint64(i))))
		use(c.True.String())
	}
	for w, used := range words {
		if !used {
			t.Errorf("no text uses the word %q", w)
		}
	}
}

func TestAttributeMask(t *testing.T) {
	text := "there is a small red circle to the left of an orange object"
	want := []bool{false, false, false, true, true, true, false, false, true, false, false, true, false}
	if got := scenes.AttributeMask(text); !slices.Equal(got, want) {
		t.Errorf("%q:\n got %v\nwant %v", text, got, want)
	}
}
