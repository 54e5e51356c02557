package scenes

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
)

// corpus is everything that Write puts on disk, but for the pixels.
type corpus struct {
	seed   uint64
	size   int
	scenes map[Split][]Scene

	files     map[string][]any // name of a json file -> its records
	detected  map[string][][4]float64
	refs      []refRecord
	instances instances
	labels    labelsRecord
	questions int
	sentences int
}

// picture is one scene with its place in the corpus.
type picture struct {
	Scene
	number int // from 1, within its split
	id     int // from 1, within the corpus
}

// file returns the picture's name relative to the corpus, without extension.
func (p picture) file() string {
	return path.Join("images", p.Split.String(), fmt.Sprintf("%06d", p.number))
}

func (p picture) png() string { return p.file() + ".png" }

// splitSizes divides n pictures: a tenth, but at least one, for each of val, test and held-out, the rest for
// train.
func splitSizes(n int) map[Split]int {
	tenth := max(1, n/10)
	return map[Split]int{Train: n - 3*tenth, Val: tenth, Test: tenth, HeldOut: tenth}
}

// newCorpus draws the scenes of all splits and says everything about them. The scenes of a split that is evaluated
// on all differ.
func newCorpus(n int, seed uint64, of Options) (*corpus, error) {
	size := of.Size
	c := &corpus{
		seed: seed, size: size, scenes: map[Split][]Scene{}, files: map[string][]any{},
		detected: map[string][][4]float64{},
	}
	for split, count := range splitSizes(n) {
		opt := Options{Size: size, Split: split, Pictograms: of.Pictograms, Textures: of.Textures}
		if split == Train {
			for i := range count {
				c.scenes[split] = append(c.scenes[split], Generate(seed, i, opt))
			}
			continue
		}
		distinct, err := GenerateDistinct(seed, count, opt)
		if err != nil {
			return nil, err
		}
		c.scenes[split] = distinct
	}
	c.labels = labelsRecord{
		Seed: seed, Size: size, Words: Words(),
		Shapes: shapeNames[1:], Colours: colourNames[1:], Sizes: sizeNames[1:],
	}
	for _, p := range heldOutPairs {
		c.labels.HeldOut = append(c.labels.HeldOut, [2]string{p.Colour.String(), p.Shape.String()})
	}
	for s := Circle; int(s) <= things(of); s++ {
		c.instances.Categories = append(c.instances.Categories, categoryRecord{int(s), s.String()})
	}
	for _, p := range c.pictures() {
		c.add(p)
	}
	return c, nil
}

// things counts the shapes that a corpus can hold.
func things(of Options) int {
	if of.Pictograms > 0 {
		return ThingCount
	}
	return ShapeCount
}

// pictures returns all pictures, split by split.
func (c *corpus) pictures() []picture {
	var list []picture
	for _, split := range Splits() {
		for i, s := range c.scenes[split] {
			list = append(list, picture{s, i + 1, len(list) + 1})
		}
	}
	return list
}

// add says everything about one picture. Texts come from a stream of their own, so that more of one kind for one
// picture changes no other picture.
func (c *corpus) add(p picture) {
	rng := rand.New(rand.NewPCG(mix64(c.seed), mix64(^uint64(p.id)))) // negated, which no scene's index is
	c.addCaptions(p, rng)
	c.addQuestions(p, rng)
	for _, h := range Hypotheses(p.Scene, rng) {
		c.put(p.Split, "ve", entailmentRecord{p.file(), h.Text, h.Label})
	}
	c.addPairs(p, rng)
	c.addObjects(p)
	c.addLabels(p)
}

// pairings is how many others a picture is compared with, where there are so many.
const pairings = 2

// addPairs says something true and something false of a picture and each of those that follow it.
func (c *corpus) addPairs(p picture, rng *rand.Rand) {
	n := len(c.scenes[p.Split])
	for i := range min(pairings, max(n-1, 1)) { // a picture that is alone is beside itself
		other := picture{number: (p.number+i)%n + 1}
		other.Scene = c.scenes[p.Split][other.number-1]
		for _, s := range NLVRs(p.Scene, other.Scene, rng) {
			label := map[bool]string{true: "True", false: "False"}[s.Label]
			c.put(p.Split, "nlvr", nlvrRecord{[2]string{p.png(), other.png()}, s.Text, label})
		}
	}
}

// put appends a record to the split's file of a task, named as officially: the validation split of VE and NLVR is
// "dev".
func (c *corpus) put(split Split, task string, record any) {
	suffix := split.String()
	if split == Val && (task == "ve" || task == "nlvr") {
		suffix = "dev"
	}
	name := task + "_" + suffix + ".json"
	c.files[name] = append(c.files[name], record)
}

// addCaptions gives a training picture two captions, each a record; another picture two that name all objects with
// all attributes.
func (c *corpus) addCaptions(p picture, rng *rand.Rand) {
	if p.Split != Train {
		full := []string{Describe(p.Scene).String(), fullCaption(p.Scene, rng).String()}
		c.put(p.Split, "retrieval", galleryRecord{p.png(), full})
		return
	}
	for range 2 {
		text := Caption(p.Scene, rng).String()
		c.files["pretrain.json"] = append(c.files["pretrain.json"], captionRecord{Image: p.png(), Caption: text})
		c.put(p.Split, "retrieval", captionRecord{p.png(), text, "scene_" + strconv.Itoa(p.id)})
	}
}

func (c *corpus) addQuestions(p picture, rng *rand.Rand) {
	for _, q := range Questions(p.Scene, rng) {
		c.questions++
		c.put(p.Split, "vqa", questionRecord{c.questions, p.png(), q.Text, []string{q.Answer}, "vqa"})
	}
}

// addObjects writes the annotations and boxes of every object, and up to three referring texts for each where
// there is more than one object to choose from. Object ids serve as annotation and as reference ids.
func (c *corpus) addObjects(p picture) {
	image := strconv.Itoa(p.id)
	c.instances.Images = append(c.instances.Images, imageRecord{p.id, p.png(), c.size, c.size})
	first := len(c.instances.Annotations) + 1
	for i, o := range p.Objects {
		c.detected[image] = append(c.detected[image], o.Box.list())
		c.instances.Annotations = append(c.instances.Annotations,
			annotationRecord{first + i, p.id, int(o.Shape), o.Box.list(), o.Box.W * o.Box.H, 0})
	}
	if len(p.Objects) < 2 {
		return
	}
	texts := make([][]string, len(p.Objects))
	for _, phrase := range Phrases(p.Scene) {
		texts[phrase.Object] = append(texts[phrase.Object], phrase.Text)
	}
	for i, o := range p.Objects {
		c.addRef(p, o, first+i, texts[i][:min(3, len(texts[i]))])
	}
}

// addRef writes one object's referring texts. Pictures with held-out pairs go to the official test file as
// "testB".
func (c *corpus) addRef(p picture, o Object, id int, texts []string) {
	split := map[Split]string{Train: "train", Val: "val", Test: "testA", HeldOut: "testB"}[p.Split]
	ref := refRecord{RefID: id, AnnID: id, CategoryID: int(o.Shape), ImageID: p.id, FileName: p.png(), Split: split}
	for _, text := range texts {
		c.sentences++
		ref.SentIDs = append(ref.SentIDs, c.sentences)
		ref.Sentences = append(ref.Sentences, sentenceRecord{c.sentences, text, text, strings.Fields(text)})
		to := p.Split
		if to == HeldOut {
			to = Test
		}
		c.put(to, "refcoco+", groundingRecord{p.png(), text, id})
	}
	c.refs = append(c.refs, ref)
}

func (c *corpus) addLabels(p picture) {
	record := sceneRecord{
		Image: p.png(), ImageID: p.id, Split: p.Split.String(),
		Background: p.Background.Kind.String(), Description: Describe(p.Scene).String(),
	}
	for _, o := range p.Objects {
		record.Objects = append(record.Objects,
			objectRecord{o.Size.String(), o.Texture.String(), o.Colour.String(), o.Shape.String(), o.Box.list()})
	}
	c.labels.Scenes = append(c.labels.Scenes, record)
}
