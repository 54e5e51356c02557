package torch_test

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vlab/albef/torch"
)

func TestSealedWorkReadsAndSendsNothing(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		run        func(s *torch.Scope, x *torch.Tensor)
	}{
		{"item", "an element read", func(_ *torch.Scope, x *torch.Tensor) { x.Sum().Item() }},
		{"floats", "elements read", func(_ *torch.Scope, x *torch.Tensor) { x.Floats() }},
		{"ints", "elements read", func(_ *torch.Scope, x *torch.Tensor) { x.Ints() }},
		{"bytes", "elements read", func(_ *torch.Scope, x *torch.Tensor) { x.Bytes() }},
		{"upload of floats", "elements from the host", func(s *torch.Scope, _ *torch.Tensor) { s.Floats([]float32{1}, 1) }},
		{"upload of ints", "elements from the host", func(s *torch.Scope, _ *torch.Tensor) { s.Ints([]int64{1}, 1) }},
		{"to a device", "between devices", func(_ *torch.Scope, x *torch.Tensor) { x.ToDevice(torch.CPU) }},
		{"multinomial", "weights read", func(_ *torch.Scope, x *torch.Tensor) { x.Multinomial(1) }},
		{"what a step does", "", func(s *torch.Scope, x *torch.Tensor) {
			x.IndexCopy(1, s.Arange(torch.CPU, 0, 2, 1), s.Eye(torch.CPU, 2))
			x.Add(torch.Full(s, 1, torch.Float32, torch.CPU, 2, 2)).Softmax(1).Draw(1)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := torch.Do(func(s *torch.Scope) {
				x := torch.Full(s, 1, torch.Float32, torch.CPU, 2, 2)
				torch.Sealed(func() { tt.run(s, x) })
			})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if torch.IsSealed() {
				t.Error("still sealed afterwards")
			}
		})
	}
}

func TestSealIsOfOneThread(t *testing.T) {
	torch.Sealed(func() {
		done := make(chan error)
		go func() {
			done <- torch.Do(func(s *torch.Scope) { s.Floats([]float32{1}, 1).Item() })
		}()
		if err := <-done; err != nil {
			t.Errorf("another goroutine: %v", err)
		}
	})
}

// TestDrawEqualsMultinomial, which draws the same and looks at the weights before.
func TestDrawEqualsMultinomial(t *testing.T) {
	for _, n := range []int{1, 2} {
		err := torch.Do(func(s *torch.Scope) {
			weights := s.Zeros(torch.CPU, 64, 7).FillUniform(0, 1)
			torch.Seed(3)
			want := weights.Multinomial(n).Ints()
			torch.Seed(3)
			if got := weights.Draw(n).Ints(); !slices.Equal(got, want) {
				t.Errorf("%d of a row: got %v, want %v", n, got, want)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDrawFollowsTheWeights by the sum of (seen-expected)²/expected, which for three
// columns exceeds 18.4 once in ten thousand tries.
func TestDrawFollowsTheWeights(t *testing.T) {
	const rows = 20000
	share := []float64{0.5, 0, 0.3, 0.2}
	err := torch.Do(func(s *torch.Scope) {
		torch.Seed(1)
		weights := s.Use(s.Floats([]float32{5, 0, 3, 2}, 1, 4)).Expand(rows, 4).Contiguous()
		seen := make([]float64, 4)
		for _, column := range weights.Draw(1).Ints() {
			seen[column]++
		}
		chi := 0.0
		for i, p := range share {
			if p == 0 && seen[i] > 0 {
				t.Errorf("column %d of weight 0 was drawn %v times", i, seen[i])
			} else if p > 0 {
				off := seen[i] - p*rows
				chi += off * off / (p * rows)
			}
		}
		if chi > 18.4 {
			t.Errorf("seen %v of %d with shares %v: chi-square %.1f, want 18.4 at most", seen, rows, share, chi)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSharesOnTheDeviceEqualNumbers in what the words' loss and its gradient are, for
// a CPU and composed.
func TestSharesOnTheDeviceEqualNumbers(t *testing.T) {
	loss := func(s *torch.Scope, logits, teacher, words *torch.Tensor, share torch.Share) (out []float32) {
		x := s.Use(logits).Clone().RequireGrad(true)
		l := x.DistilledCrossEntropy(teacher, words, share, -100)
		l = share.Of(l).Add(share.Rest(l.Scale(2)))
		return append(l.Gradients(x)[0].Floats(), float32(l.Item()))
	}
	err := torch.Do(func(s *torch.Scope) {
		logits, teacher := s.Zeros(torch.CPU, 3, 5).FillNormal(0, 1), s.Zeros(torch.CPU, 3, 5).FillNormal(0, 1)
		words := s.Ints([]int64{4, -100, 0}, 3)
		check := func() {
			want := loss(s, logits, teacher, words, torch.Share{Value: 0.3})
			got := loss(s, logits, teacher, words, torch.Share{Value: 0.9, Device: s.Shares(torch.CPU, 0.3)})
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		check()
		torch.Composed(check)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRateOnTheDeviceEqualsANumber in one call and as the backward goes.
func TestRateOnTheDeviceEqualsANumber(t *testing.T) {
	move := func(s *torch.Scope, a torch.AdamW, walk bool) []float32 {
		p := torch.Full(nil, 1, torch.Float32, torch.CPU, 3).RequireGrad(true)
		defer p.Close()
		loss := s.Use(p).Mul(s.Floats([]float32{1, -2, 3}, 3)).Sum()
		var state [3][]*torch.Tensor
		for i, shape := range [][]int{{3}, {3}, {}} {
			state[i] = []*torch.Tensor{torch.Full(s, 0, torch.Float32, torch.CPU, shape...)}
		}
		if walk {
			a.Backward(loss, []*torch.Tensor{p}, state[0], state[1], state[2], []float64{a.Decay})
		} else {
			loss.Backward()
			a.Update([]*torch.Tensor{p}, torch.Grads(s, []*torch.Tensor{p}), state[0], state[1], state[2])
		}
		return p.Floats()
	}
	err := torch.Do(func(s *torch.Scope) {
		for _, walk := range []bool{false, true} {
			a := torch.AdamW{LR: 0.01, Beta1: 0.9, Beta2: 0.999, Decay: 0.02, Eps: 1e-8}
			want := move(s, a, walk)
			a.LR, a.Rate = 5, torch.NewRate(s, 0.01, torch.CPU)
			if got := move(s, a, walk); !slices.Equal(got, want) || got[0] == 1 {
				t.Errorf("as the backward goes %v: got %v, want %v", walk, got, want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLibtorchHasWhatGraphsTake looks the names up that capture.cpp reaches CUDA
// graphs by: without a GPU it is all that can be known of them.
func TestLibtorchHasWhatGraphsTake(t *testing.T) {
	source, err := os.ReadFile("capture.cpp")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"(_ZN2at4cuda\w+)"`).FindAllSubmatch(source, -1)
	if len(names) != 6 {
		t.Fatalf("capture.cpp names %d functions, want 6", len(names))
	}
	library, err := elf.Open(filepath.Join(torch.LibDir(), "libtorch_cuda.so"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("this libtorch has no CUDA half: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	symbols, err := library.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == string(name[1]) && s.Section != elf.SHN_UNDEF }) {
			t.Errorf("libtorch_cuda.so has no %s", name[1])
		}
	}
}

func TestGraphsSayWhatTheyLack(t *testing.T) {
	if cuda := torch.LoadCUDA(); cuda.Library != "" {
		t.Skip("libtorch's CUDA half has loaded here: ", fmt.Sprint(cuda))
	}
	_, err := torch.NewGraphs(0)
	if err == nil || !strings.Contains(err.Error(), "graph_pool_handle") {
		t.Errorf("got %v, want an error that names what there isn't", err)
	}
}

// TestGraphOnCUDA replays a product with other numbers than it was recorded with.
func TestGraphOnCUDA(t *testing.T) {
	if cuda := torch.LoadCUDA(); cuda.Devices == 0 {
		t.Skip("needs a CUDA device: ", cuda.Err)
	}
	err := torch.Do(func(s *torch.Scope) {
		torch.Apart(0, func() {
			x, out := torch.Full(s, 1, torch.Float32, 0, 64, 64), torch.Full(s, 0, torch.Float32, 0, 64, 64)
			x.MatMul(x) // loads what products take
			graphs, err := torch.NewGraphs(0)
			if err != nil {
				t.Fatal(err)
			}
			g, err := graphs.Record(func() error {
				return torch.Do(func(s *torch.Scope) { out.Copy(s.Use(x).MatMul(x).Add(s.Use(x).Dropout(0.5))) })
			})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			var last []float32
			for _, v := range []float64{2, 3, 3} {
				x.Copy(torch.Full(s, v, torch.Float32, 0))
				if err := g.Replay(); err != nil {
					t.Fatal(err)
				}
				got := out.Floats()
				if least, most := slices.Min(got), slices.Max(got); least != float32(64*v*v) || most != float32(64*v*v+2*v) {
					t.Errorf("of %v: from %v to %v, want %v and %v", v, least, most, 64*v*v, 64*v*v+2*v)
				}
				if slices.Equal(got, last) {
					t.Error("dropout drew the same twice")
				}
				last = got
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
