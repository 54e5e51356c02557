package torch_test

import (
	"errors"
	"os"
	"testing"

	"vlab/albef/torch"
)

func TestMain(m *testing.M) {
	before := torch.Live()
	code := m.Run()
	if now := torch.Live(); code == 0 && now != before {
		println("torch.Live() =", now, "after all tests, want", before)
		code = 1
	}
	os.Exit(code)
}

func TestAddBroadcasts(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) {
		got := s.Floats([]float32{1, 2, 3, 4}, 2, 2).Add(s.Floats([]float32{10, 20}, 2)).Floats()
		want := []float32{11, 22, 13, 24}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailedOperationIsAnError(t *testing.T) {
	live := torch.Live()
	err := torch.Do(func(s *torch.Scope) {
		s.Floats(make([]float32, 6), 2, 3).MatMul(s.Floats(make([]float32, 6), 2, 3))
	})
	var e *torch.Error
	if !errors.As(err, &e) || e.Op != "matmul" {
		t.Fatalf("got %v, want an error of matmul", err)
	}
	if torch.Live() != live {
		t.Fatalf("live tensors: got %d, want %d", torch.Live(), live)
	}
}

func TestFreedTensorIsAnErrorNotACrash(t *testing.T) {
	var out *torch.Tensor
	if err := torch.Do(func(s *torch.Scope) { out = s.Zeros(torch.CPU, 2) }); err != nil {
		t.Fatal(err)
	}
	if err := torch.Do(func(s *torch.Scope) { s.Zeros(torch.CPU, 2).Add(out) }); err == nil {
		t.Fatal("adding a freed tensor: got no error")
	}
}

func TestKeepMovesOneScopeOut(t *testing.T) {
	var kept *torch.Tensor
	err := torch.Do(func(s *torch.Scope) {
		s.Do(func(inner *torch.Scope) {
			inner.Zeros(torch.CPU, 100)
			kept = inner.Keep(inner.Zeros(torch.CPU, 3).Shift(2))
		})
		if got := kept.Sum().Item(); got != 6 {
			t.Fatalf("sum of the kept: got %v, want 6", got)
		}
		s.Keep(kept)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := kept.Shape()[0]; got != 3 {
		t.Fatalf("got %d elements, want 3", got)
	}
	kept.Close()
}

func TestGradientsStopAtInputs(t *testing.T) {
	w := torch.Full(nil, 3, torch.Float32, torch.CPU, 2).RequireGrad(true)
	defer w.Close()
	err := torch.Do(func(s *torch.Scope) {
		x := s.Floats([]float32{1, 2}, 2).Mul(w)
		y := x.Mul(x).Sum()
		g := y.Gradients(x)[0].Floats()
		if g[0] != 6 || g[1] != 12 {
			t.Fatalf("gradient: got %v, want [6 12]", g)
		}
		if torch.Grads(s, []*torch.Tensor{w})[0] != nil {
			t.Fatal("the leaf got a gradient, want none")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoGradIsRestoredAfterAPanic(t *testing.T) {
	w := torch.Full(nil, 3, torch.Float32, torch.CPU, 2).RequireGrad(true)
	defer w.Close()
	err := torch.Do(func(s *torch.Scope) {
		func() {
			defer func() { _ = recover() }()
			torch.NoGrad(func() { panic("user") })
		}()
		s.Use(w).Sum().Backward()
		if g := torch.Grads(s, []*torch.Tensor{w})[0]; g == nil || g.Floats()[0] != 1 {
			t.Fatalf("gradient after NoGrad: got %v, want ones", g)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHollowTensorsNeedNoMemory makes some that no machine could hold.
func TestHollowTensorsNeedNoMemory(t *testing.T) {
	const n = 1 << 22
	err := torch.Do(func(s *torch.Scope) {
		x := torch.Full(s, 1, torch.Float32, torch.Hollow, n, n).FillNormal(0, 1)
		x.Copy(x.Add(x))
		if got := x.String(); got != "tensor[4194304 4194304] float32 hollow" {
			t.Errorf("got %s", got)
		}
		if got := s.Floats([]float32{1, 2}, 2).ToDevice(torch.Hollow).Meta().Device; got != torch.Hollow {
			t.Errorf("moved to %v, want hollow", got)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRandomStateRepeats(t *testing.T) {
	torch.Seed(7)
	state := torch.RandomState(torch.CPU)
	x := torch.Full(nil, 0, torch.Float32, torch.CPU, 5)
	defer x.Close()
	first := x.FillUniform(0, 1).Floats()
	torch.SetRandomState(torch.CPU, state)
	second := x.FillUniform(0, 1).Floats()
	for i := range first {
		if first[i] != second[i] {
			t.Fatalf("got %v, then %v", first, second)
		}
	}
}
