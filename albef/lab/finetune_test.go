package lab_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vlab/albef/lab"
	"vlab/albef/task"
)

// TestFinetuneWithoutAFileTakesTheDemoAndDrawnScenes for every task, a few
// steps each.
func TestFinetuneWithoutAFileTakesTheDemoAndDrawnScenes(t *testing.T) {
	for _, tt := range []struct {
		task, result string
		ask          func(ctx context.Context, m *lab.Model) (any, error)
	}{
		{"retrieval", "test_r_mean", func(ctx context.Context, m *lab.Model) (any, error) {
			return m.Retrieve(ctx, lab.Scenes(1, 4), "a circle", 2)
		}},
		{"grounding", "val_d", func(ctx context.Context, m *lab.Model) (any, error) {
			return m.Ground(ctx, lab.Scenes(1, 1).Scene(0).Render(64), "a circle")
		}},
		{"vqa", "test_acc", func(ctx context.Context, m *lab.Model) (any, error) {
			return m.Answer(ctx, lab.Scenes(1, 1).Scene(0).Render(64), "is there a circle?")
		}},
		{"ve", "val_acc", func(ctx context.Context, m *lab.Model) (any, error) {
			return m.Entails(ctx, lab.Scenes(1, 1).Scene(0).Render(64), "a circle")
		}},
		{"nlvr", "val_acc", func(ctx context.Context, m *lab.Model) (any, error) {
			img := lab.Scenes(1, 1).Scene(0).Render(64)
			return m.Compare(ctx, img, img, "both have a circle")
		}},
		{"pretrain-nlvr", "", nil},
	} {
		t.Run(tt.task, func(t *testing.T) {
			if testing.Short() {
				t.Skip("some seconds of training")
			}
			sink := &recorder{}
			r, err := lab.Finetune(lab.WithSink(t.Context(), sink), tt.task, lab.Config{
				Dir: t.TempDir(), Steps: 2, Device: "cpu", Set: map[string]string{"image_res": "32", "batch_size_test": "64"},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, ok := r.Results()[tt.result]; !ok && tt.result != "" {
				t.Errorf("results %v lack %s", r.Results(), tt.result)
			}
			shows := r.String()
			if !strings.Contains(shows, tt.task+": done, ") || !strings.Contains(shows, tt.result) || r.PNG() == nil || r.Losses().Steps != 2 {
				t.Errorf("it shows as\n%s", shows)
			}
			if tt.ask == nil {
				if r.Model() != nil {
					t.Error("text assignment answers queries")
				}
				return
			}
			if sink.pictures < 2 {
				t.Errorf("%d pictures shown, want the losses and what was learned", sink.pictures)
			}
			if _, err := tt.ask(t.Context(), r.Model()); err != nil {
				t.Errorf("query: %v", err)
			}
			again, err := lab.Finetune(t.Context(), tt.task, lab.Config{
				Dir: t.TempDir(), Evaluate: true, From: r.Model(), Device: "cpu", Set: map[string]string{"image_res": "32", "batch_size_test": "64"},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			// It went through half the momentum model and a file, not through rounding.
			if got, want := again.Results()[tt.result], r.Results()[tt.result]; got != want {
				t.Errorf("%s of the model measured again: %v, want %v", tt.result, got, want)
			}
		})
	}
}

func TestFinetuneIsInterruptedAndGoesOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sink := &recorder{}
	dir := t.TempDir()
	time.AfterFunc(4*time.Second, cancel)
	cfg := lab.Config{Dir: dir, Device: "cpu", Set: map[string]string{"image_res": "32", "schedular.epochs": "1000", "max_steps": "0"}}
	r, err := lab.Finetune(lab.WithSink(ctx, sink), "ve", cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Wait(); err != nil {
		t.Fatal(err)
	}
	steps := r.Losses().Steps
	if steps == 0 || !strings.Contains(r.String(), "ve: interrupted at ") {
		t.Fatalf("after %d steps: %s", steps, r)
	}
	m, err := lab.Open(dir, lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	a, err := m.Entails(t.Context(), img, "a circle")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := r.Model().Entails(t.Context(), img, "a circle"); err != nil || a.Classes[0] != b.Classes[0] {
		t.Errorf("the run's model says %+v (%v), the folder's %+v", b, err, a)
	}
	cfg.Resume, cfg.Steps = true, steps+3
	cfg.Set = map[string]string{"image_res": "32"}
	next, err := lab.Finetune(t.Context(), "ve", cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if got := next.Losses().Steps; got != 3 {
		t.Errorf("the resumed run took %d steps, want the 3 that were left", got)
	}
}

func TestFinetuneErrors(t *testing.T) {
	for _, tt := range []struct {
		task string
		cfg  lab.Config
		want string
	}{
		{"", lab.Config{}, "finetune: no task"},
		{"captioning", lab.Config{}, `captioning: no task "captioning"`},
		{"vqa", lab.Config{File: filepath.Join(t.TempDir(), "none.yaml")}, "vqa: config: open "},
		{"ve", lab.Config{Checkpoint: "none.pth"}, "ve: load checkpoint: read none.pth: open: no such file"},
	} {
		_, err := lab.Finetune(t.Context(), tt.task, tt.cfg)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.task, err, tt.want)
		}
	}
	_, err := lab.Finetune(t.Context(), "captioning", lab.Config{})
	for _, name := range task.Names() {
		if !strings.Contains(hint(err), name) {
			t.Errorf("the hint %q lacks %s", hint(err), name)
		}
	}
	if _, err := lab.Pretrain(t.Context(), lab.Config{Evaluate: true}); err == nil || hint(err) == "" {
		t.Errorf("pretraining with Evaluate: got %v, want an error with a hint", err)
	}
}
