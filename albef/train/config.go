package train

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Config is a training run as its YAML file describes it: the keys of the
// official configs/*.yaml under their own names, and vlab's beside them. Make
// one with [ReadConfig] or [DefaultConfig]; paths stay as they are written.
type Config struct {
	TrainFile   []string `yaml:"train_file"` // annotation files; the YAML may give a single one as text
	ValFile     []string `yaml:"val_file"`
	TestFile    []string `yaml:"test_file"`
	AnswerList  string   `yaml:"answer_list"` // VQA's candidate answers
	ImageRoot   string   `yaml:"image_root"`
	VQARoot     string   `yaml:"vqa_root"`
	VGRoot      string   `yaml:"vg_root"`
	RefcocoData string   `yaml:"refcoco_data"`
	DetFile     string   `yaml:"det_file"`
	CocoFile    string   `yaml:"coco_file"`

	BertConfig  string    `yaml:"bert_config"`
	Model       yaml.Node `yaml:"model"` // a preset's name or a map, not looked into here; zero if absent
	ImageRes    int       `yaml:"image_res"`
	VisionWidth int       `yaml:"vision_width"`
	EmbedDim    int       `yaml:"embed_dim"`

	BatchSize      int `yaml:"batch_size"` // where training and evaluation share one
	BatchSizeTrain int `yaml:"batch_size_train"`
	BatchSizeTest  int `yaml:"batch_size_test"`

	Temperature   float64 `yaml:"temp"`
	MaskProb      float64 `yaml:"mlm_probability"`
	QueueSize     int     `yaml:"queue_size"`
	MomentumDecay float64 `yaml:"momentum"`
	DistillWeight float64 `yaml:"alpha"`
	Distill       bool    `yaml:"distill"`
	WarmUp        bool    `yaml:"warm_up"` // let DistillWeight grow in epoch 0
	EvalEMA       bool    `yaml:"eval_ema"`
	KTest         int     `yaml:"k_test"`       // candidates that are ranked again
	EOS           string  `yaml:"eos"`          // ends an answer of VQA
	Inference     string  `yaml:"inference"`    // of VQA: rank, the best of answer_list, or generate
	NumBeams      int     `yaml:"num_beams"`    // beginnings of an answer that generate follows at a time
	GradcamMode   string  `yaml:"gradcam_mode"` // what grounding explains: itm, the match, or itc, the similarity
	BlockNum      int     `yaml:"block_num"`    // the fusion layer, counted over all layers, or for itc the image block that it reads

	// OfficialQuirks repeats what the official code does and surely did not mean;
	// docs/quirks.md has the list.
	OfficialQuirks bool `yaml:"official_quirks"`

	Optimizer OptimizerConfig `yaml:"optimizer"`
	Schedular ScheduleConfig  `yaml:"schedular"`

	MaxSteps   int      `yaml:"max_steps"` // 0: all epochs
	Freeze     []string `yaml:"freeze"`    // patterns of the names of parameters that stay as they are
	Seed       int64    `yaml:"seed"`
	DType      string   `yaml:"dtype"`       // fp32 or bf16
	LogEvery   int      `yaml:"log_every"`   // in steps
	SaveEvery  int      `yaml:"save_every"`  // in steps; 0: after each epoch only
	EvalEvery  int      `yaml:"eval_every"`  // in steps; 0: after each epoch only
	NumWorkers int      `yaml:"num_workers"` // readers of images; 0: one for each processor, but at least 4
	Augment    string   `yaml:"augment"`     // of training images: official crops, flips and RandAugment, or none
	SkipBad    bool     `yaml:"skip_bad"`    // train although images are missing or records are wrong: they are left out and counted
	GradClip   float64  `yaml:"grad_clip"`   // largest norm of the gradient; 0: none, as official
	CUDAGraphs string   `yaml:"cuda_graphs"` // whether steps are recorded on CUDA: auto, on or off, see [Recording]
	// Accumulate is in how many parts a batch is worked off, for less memory; it
	// changes no result but dropout's draws.
	Accumulate int `yaml:"accumulate"`
	// CheckpointActivations runs layers again in the backward in the place of
	// keeping what they made.
	CheckpointActivations bool `yaml:"checkpoint_activations"`

	Scenes yaml.Node `yaml:"scenes"` // the drawn corpus, not looked into here; zero if absent
	Start  yaml.Node `yaml:"start"`  // what to begin with, not looked into here; zero if absent

	places map[string]string // where a key was set, by its dotted path
}

// OptimizerConfig is the map under optimizer.
type OptimizerConfig struct {
	Opt         string    `yaml:"opt"` // adamW in any case
	LR          float64   `yaml:"lr"`
	WeightDecay float64   `yaml:"weight_decay"`
	Eps         float64   `yaml:"opt_eps"`
	Betas       []float64 `yaml:"opt_betas"` // two
}

// ScheduleConfig is the map under schedular, with the official spelling.
type ScheduleConfig struct {
	Sched        string  `yaml:"sched"` // cosine
	LR           float64 `yaml:"lr"`    // without effect, as in the official code: optimizer.lr counts
	Epochs       int     `yaml:"epochs"`
	MinLR        float64 `yaml:"min_lr"`
	DecayRate    float64 `yaml:"decay_rate"` // without effect in the single cycle that is run
	WarmupLR     float64 `yaml:"warmup_lr"`
	WarmupEpochs int     `yaml:"warmup_epochs"` // see [Schedule.WarmupEpochs]
	Cooldown     int     `yaml:"cooldown_epochs"`
}

// DefaultConfig returns what a key that a file leaves out is taken for: the
// values of the official Pretrain.yaml and argument parsers. Sizes of batches
// and images, files and optimizer.lr have no default.
func DefaultConfig() *Config {
	return &Config{
		VisionWidth: 768, EmbedDim: 256, Temperature: 0.07, MaskProb: 0.15, QueueSize: 65536,
		MomentumDecay: 0.995, DistillWeight: 0.4, Distill: true, WarmUp: true, EOS: "[SEP]", Inference: "rank", NumBeams: 3,
		GradcamMode: "itm", BlockNum: 8,
		Optimizer: OptimizerConfig{Opt: "adamW", WeightDecay: 0.02, Eps: 1e-8, Betas: []float64{0.9, 0.999}},
		Schedular: ScheduleConfig{Sched: "cosine", Epochs: 1, DecayRate: 1},
		Seed:      42, DType: "fp32", LogEvery: 50, Augment: "official", Accumulate: 1, CUDAGraphs: string(RecordAuto),
		places: map[string]string{},
	}
}

// ReadConfig reads a YAML file over the defaults. Numbers may be spelled as in
// YAML 1.1 or 1.2, so 1e-5 is one. An unknown key, a key that comes twice or a
// value of the wrong type is an error with file, line and key; so that
// [Config.Set] can still mend values, ranges are left to [Config.Validate].
func ReadConfig(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return ParseConfig(path, data)
}

// ParseConfig is [ReadConfig] on the contents of a file; name stands for the
// file in errors.
func ParseConfig(name string, data []byte) (*Config, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, syntaxError(name, err)
	}
	c := DefaultConfig()
	if doc.Kind == 0 { // nothing but comments
		return c, nil
	}
	place := func(n *yaml.Node) string { return fmt.Sprintf("config %s:%d", name, n.Line) }
	if err := c.assignMap(reflect.ValueOf(c).Elem(), "", doc.Content[0], place); err != nil {
		return nil, err
	}
	return c, nil
}

// syntaxError puts the line of a YAML error behind the file's name.
func syntaxError(name string, err error) error {
	var line int
	_, rest, ok := strings.Cut(err.Error(), ": line ")
	if n, _ := fmt.Sscanf(rest, "%d:", &line); ok && n == 1 {
		_, what, _ := strings.Cut(rest, ": ")
		if strings.HasPrefix(what, "did not find expected") {
			line++ // yaml.v3 counts lines from 0 in the errors of its parser, but from 1 in its scanner's
		}
		return &configError{fmt.Sprintf("config %s:%d", name, line), what, ""}
	}
	return fmt.Errorf("config %s: %w", name, err)
}

// Set changes one value, as --set key=value does. The key is a dotted path
// such as optimizer.lr, also into the maps model, scenes and start; the value
// is YAML, so [a.json, b.json] is a list. An empty value clears the key.
func (c *Config) Set(key, value string) error {
	place := fmt.Sprintf("--set %s=%s", key, value)
	field, rest, err := c.lookUp(key, place)
	if err != nil {
		return err
	}
	c.mark(key, place)
	if field.Kind() == reflect.String { // any text, also what YAML would take for a list or a number
		field.SetString(value)
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
		return &configError{place, "the value is not YAML", "put text in quotes"}
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	if doc.Kind != 0 {
		node = doc.Content[0]
	}
	if rest != "" {
		return setInside(field.Addr().Interface().(*yaml.Node), key, rest, node, place)
	}
	if node.Tag == "!!null" {
		field.SetZero()
		return nil
	}
	return c.assign(field, key, node, func(*yaml.Node) string { return place })
}

// lookUp finds the field of a dotted key; rest is what of the key leads into a
// raw node.
func (c *Config) lookUp(key, place string) (field reflect.Value, rest string, err error) {
	field = reflect.ValueOf(c).Elem()
	if key == "" {
		return field, "", &configError{place, "the key is empty", "write --set key=value"}
	}
	done := ""
	for rest = key; rest != ""; {
		if _, raw := field.Interface().(yaml.Node); raw {
			return field, rest, nil
		}
		if field.Kind() != reflect.Struct {
			return field, "", &configError{place, fmt.Sprintf("%q is a value, not a map", done), ""}
		}
		name, after, _ := strings.Cut(rest, ".")
		next, ok := fieldByKey(field, name)
		if !ok {
			return field, "", unknownKey(field, done, name, place)
		}
		field, rest, done = next, after, joinKeys(done, name)
	}
	return field, "", nil
}

// setInside puts value at the dotted path into the map node, which it makes if
// it is absent.
func setInside(node *yaml.Node, key, path string, value *yaml.Node, place string) error {
	if node.IsZero() {
		*node = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	if node.Kind != yaml.MappingNode {
		parent := strings.TrimSuffix(key, "."+path)
		return &configError{place, fmt.Sprintf("%q is %s, not a map", parent, describeNode(node)), "write it as a map in the config"}
	}
	name, rest, more := strings.Cut(path, ".")
	child := &yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			child = node.Content[i+1]
		}
	}
	if child.IsZero() {
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, child)
	}
	if more {
		return setInside(child, key, rest, value, place)
	}
	*child = *value
	return nil
}

// Has reports whether the file or a Set gave the key, a dotted path such as
// optimizer.lr, rather than a default.
func (c *Config) Has(key string) bool {
	_, ok := c.places[key]
	return ok
}

// Schedule returns the learning-rate series of the run.
func (c *Config) Schedule() Schedule {
	return Schedule{
		LR: c.Optimizer.LR, MinLR: c.Schedular.MinLR, WarmupLR: c.Schedular.WarmupLR,
		WarmupEpochs: c.Schedular.WarmupEpochs, Epochs: c.Schedular.Epochs,
	}
}

// WriteFile writes the config as it is used, defaults included, so that
// reading the file gives the same run. It appears under its name only when it
// is whole.
func (c *Config) WriteFile(path string) error {
	data, err := yaml.Marshal(mapNode(reflect.ValueOf(c).Elem()))
	if err != nil {
		return fmt.Errorf("write config %s: %w", path, err)
	}
	return WriteWhole(path, data)
}

// configError is a mistake in a config, with its place.
type configError struct{ place, what, hint string }

func (e *configError) Error() string { return e.place + ": " + e.what }

// Hint says what to do, or nothing.
func (e *configError) Hint() string { return e.hint }

// unknownKey is the error for a key that the struct at path doesn't have.
func unknownKey(v reflect.Value, path, name, place string) error {
	keys := configKeys(v.Type())
	slices.Sort(keys)
	near := slices.MinFunc(keys, func(a, b string) int { return editDistance(a, name) - editDistance(b, name) })
	hint := "known keys: " + strings.Join(keys, ", ")
	if editDistance(near, name) <= max(2, len(name)/3) {
		hint = fmt.Sprintf("did you mean %q?", joinKeys(path, near))
	}
	return &configError{place, fmt.Sprintf("unknown key %q", joinKeys(path, name)), hint}
}

// joinKeys puts a dot between a map's key and a key in it.
func joinKeys(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// editDistance counts the insertions, deletions, substitutions and swaps of
// neighbours that make b of a.
func editDistance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// configKeys lists the YAML keys of a config struct in their order.
func configKeys(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func fieldByKey(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("yaml"); tag != "" && tag == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func (c *Config) mark(key, place string) { c.places[key] = place }

// assignMap fills the struct v from a YAML map; path is the map's own key.
func (c *Config) assignMap(v reflect.Value, path string, node *yaml.Node, place func(*yaml.Node) string) error {
	if node.Kind != yaml.MappingNode {
		what := "want keys with values"
		if path != "" {
			what = path + ": want a map"
		}
		return &configError{place(node), fmt.Sprintf("%s, got %s", what, describeNode(node)), ""}
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field, ok := fieldByKey(v, key.Value)
		if !ok {
			return unknownKey(v, path, key.Value, place(key))
		}
		name := joinKeys(path, key.Value)
		if line := seen[name]; line != 0 {
			return &configError{place(key), fmt.Sprintf("key %q is already on line %d", name, line), ""}
		}
		seen[name] = key.Line
		if err := c.assign(field, name, value, place); err != nil {
			return err
		}
	}
	return nil
}

// assign puts a YAML value into a field. Null leaves the default.
func (c *Config) assign(field reflect.Value, key string, node *yaml.Node, place func(*yaml.Node) string) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Tag == "!!null" {
		return nil
	}
	want := ""
	switch p := field.Addr().Interface().(type) {
	case *yaml.Node:
		if hasAlias(node) {
			return &configError{place(node), key + ": holds a YAML alias", "write the value out"}
		}
		*p = *node
	case *OptimizerConfig, *ScheduleConfig:
		if err := c.assignMap(field, key, node, place); err != nil {
			return err
		}
	case *[]string:
		want = assignList(p, node, textValue, "text or a list of texts")
	case *[]float64:
		want = assignList(p, node, numberValue, "a list of numbers")
	case *string:
		want = assignOne(p, node, textValue, "text")
	case *float64:
		want = assignOne(p, node, numberValue, "a number")
	case *int:
		want = assignOne(p, node, wholeValue[int], "a whole number")
	case *int64:
		want = assignOne(p, node, wholeValue[int64], "a whole number")
	case *bool:
		want = assignOne(p, node, boolValue, "true or false")
	default:
		panic(fmt.Sprintf("train: config key %s has type %T", key, p))
	}
	if want != "" {
		return &configError{place(node), fmt.Sprintf("%s: want %s, got %s", key, want, describeNode(node)), ""}
	}
	c.mark(key, place(node))
	return nil
}

// assignOne puts a scalar into p; otherwise it returns want.
func assignOne[T any](p *T, node *yaml.Node, read func(*yaml.Node) (T, bool), want string) string {
	v, ok := read(node)
	if !ok {
		return want
	}
	*p = v
	return ""
}

// assignList puts a list, or a scalar as a list of one, into p; otherwise it
// returns want.
func assignList[T any](p *[]T, node *yaml.Node, read func(*yaml.Node) (T, bool), want string) string {
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		items = node.Content
	}
	list := make([]T, len(items))
	for i, item := range items {
		if got := assignOne(&list[i], item, read, want); got != "" {
			return got
		}
	}
	*p = list
	return ""
}

func textValue(n *yaml.Node) (string, bool) {
	return n.Value, n.Kind == yaml.ScalarNode && n.Tag != "!!null"
}

// isPlain reports whether a scalar is written without quotes.
func isPlain(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
}

func numberValue(n *yaml.Node) (float64, bool) {
	v, err := strconv.ParseFloat(n.Value, 64)
	return v, err == nil && isPlain(n) && !math.IsInf(v, 0) && !math.IsNaN(v)
}

func wholeValue[T int | int64](n *yaml.Node) (T, bool) {
	v, err := strconv.ParseInt(n.Value, 10, 64)
	return T(v), err == nil && isPlain(n) && int64(T(v)) == v
}

// boolValue knows the spellings of YAML 1.1 too.
func boolValue(n *yaml.Node) (value, ok bool) {
	switch strings.ToLower(n.Value) {
	case "true", "yes", "on":
		return true, isPlain(n)
	case "false", "no", "off":
		return false, isPlain(n)
	}
	return false, false
}

// hasAlias reports whether a raw node refers to others, which [Config.Set] and
// [Config.WriteFile] would lose.
func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}

// describeNode says what a node is, for an error.
func describeNode(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// mapNode returns a config struct as a YAML map, without raw nodes that are
// absent and texts that are empty.
func mapNode(v reflect.Value) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		if value := fieldNode(v.Field(i)); value != nil {
			m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
		}
	}
	return m
}

// fieldNode returns a field's value as YAML, nil for nothing to write.
func fieldNode(field reflect.Value) *yaml.Node {
	switch p := field.Addr().Interface().(type) {
	case *yaml.Node:
		if p.IsZero() {
			return nil
		}
		return p
	case *OptimizerConfig, *ScheduleConfig:
		return mapNode(field)
	case *float64:
		return floatNode(*p)
	case *[]float64:
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, x := range *p {
			list.Content = append(list.Content, floatNode(x))
		}
		return list
	}
	if field.IsZero() && (field.Kind() == reflect.String || field.Kind() == reflect.Slice) {
		return nil
	}
	var n yaml.Node
	if err := n.Encode(field.Interface()); err != nil {
		panic(fmt.Sprintf("train: encode %v: %v", field.Interface(), err)) // texts and whole numbers always encode
	}
	return &n
}

// floatNode spells a number so that YAML 1.1 and 1.2 both read one: with a dot
// and a sign in the exponent.
func floatNode(x float64) *yaml.Node {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if mantissa, exponent, ok := strings.Cut(s, "e"); !strings.Contains(mantissa, ".") {
		s = mantissa + ".0"
		if ok {
			s += "e" + exponent
		}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: s}
}
