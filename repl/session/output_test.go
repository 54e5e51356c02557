package session_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vlab/repl/session"
)

func TestOutputKeepsItsOrder(t *testing.T) {
	s := start(t)
	for range 20 {
		rec := newRecord()
		r, err := s.Eval(t.Context(), `
fmt.Print("a")
display.Display(display.HTML("<b>"))
fmt.Print("b")
display.DisplayID("p", 1)
display.Update("p", 2)
fmt.Print("c")
display.Clear()
fmt.Print("d")
7`, rec)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"stdout: a", "display : <b>", "stdout: b", "display p: 1", "update p: 2", "stdout: c", "clear true", "stdout: d",
		}
		if !slices.Equal(rec.events, want) || text(r) != "7" {
			t.Fatalf("events %q\nwant %q, value %q", rec.events, want, text(r))
		}
	}
}

func TestAllTextComesBeforeTheResult(t *testing.T) {
	s := start(t)
	_, rec := eval(t, s, `for i := 0; i < 3000; i++ { fmt.Println("line", i, "of text") }; os.Stderr.WriteString("last")`)
	if n := strings.Count(rec.out(), "\n"); n != 3000 {
		t.Errorf("%d lines when Eval returned, want 3000", n)
	}
	if rec.errText() != "last" {
		t.Errorf("stderr %q, want last", rec.errText())
	}
}

func TestNativeTextIsCaught(t *testing.T) {
	s := start(t)
	_, rec := eval(t, s, `lab.WriteFD(1, "native out"); lab.WriteFD(2, "native err")`)
	if rec.out() != "native out" || rec.errText() != "native err" {
		t.Errorf("stdout %q, stderr %q", rec.out(), rec.errText())
	}
}

func TestCharactersStayWhole(t *testing.T) {
	s := start(t)
	_, rec := eval(t, s, `for _, b := range []byte("hé€😀") { os.Stdout.Write([]byte{b}); time.Sleep(5 * time.Millisecond) }
os.Stdout.Write([]byte{0xe2, 0x82})`)
	for _, e := range rec.events[:len(rec.events)-1] {
		if strings.ContainsRune(e, '\uFFFD') {
			t.Errorf("event %q has a broken character", e)
		}
	}
	if rec.out() != "hé€😀\xe2\x82" {
		t.Errorf("output %q", rec.out())
	}
}

func TestOutputIsBounded(t *testing.T) {
	s := start(t)
	_, rec := eval(t, s, `line := strings.Repeat("x", 65535) + "\n"; for i := 0; i < 1000; i++ { fmt.Print(line) }; fmt.Print("the end")`)
	if n := len(rec.out()); n != 8<<20+64<<10 {
		t.Errorf("%d bytes of 64 MiB delivered, want 8 MiB and 64 KiB", n)
	}
	if !strings.HasSuffix(rec.out(), "x\nthe end") {
		t.Error("the end of the output is not shown")
	}
	if want := fmt.Sprintf("%d bytes are left out", 1000*65536+len("the end")-8<<20-64<<10); !strings.Contains(rec.errText(), want) {
		t.Errorf("notice %q, want %q", rec.errText(), want)
	}
	if !strings.Contains(rec.errText(), "the limit is 8 MiB") || strings.Count(rec.errText(), "limit") != 1 {
		t.Errorf("notice %q, want it once", rec.errText())
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 200<<20 {
		t.Errorf("heap of %d MiB after a runaway print", m.HeapAlloc>>20)
	}
	if _, rec := eval(t, s, `fmt.Print("again")`); rec.out() != "again" {
		t.Errorf("the next cell printed %q", rec.out())
	}
}

func TestBackgroundTextReachesItsCell(t *testing.T) {
	s := start(t)
	_, rec := eval(t, s, `go func() { time.Sleep(100 * time.Millisecond); fmt.Print("later"); display.Display("shown") }()`)
	want := []string{"stdout: later", "display : shown"}
	for _, w := range want {
		select {
		case got := <-rec.seen:
			if got != w {
				t.Errorf("event %q, want %q", got, w)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("no %q", w)
		}
	}
}

func TestInputAsksThePerson(t *testing.T) {
	s := start(t)
	rec := newRecord()
	rec.answer = "ada 3"
	r, err := s.Eval(bounded(t), "var name string\nvar n int\nfmt.Scan(&name, &n)\nname + fmt.Sprint(n+1)", rec)
	if err != nil || text(r) != "ada4" {
		t.Errorf("value %q, %v, want ada4", text(r), err)
	}
}

func TestValuesDrawThemselves(t *testing.T) {
	s := start(t)
	eval(t, s, `import "image"
type Card struct{ n int }
func (c Card) HTML() string { return fmt.Sprintf("<i>%d</i>", c.n) }
func (c Card) String() string { return fmt.Sprintf("card %d", c.n) }
type Full struct{}
func (Full) Render() display.Data { return display.Markdown("*full*") }`)
	tests := []struct {
		cell, mime, want string
	}{
		{"Card{3}", "text/html", "<i>3</i>"},
		{"Card{3}", "text/plain", "card 3"},
		{"&Card{4}", "text/html", "<i>4</i>"},
		{"Full{}", "text/markdown", "*full*"},
		{"display.Latex(\"x\")", "text/latex", "$x$"},
		{"display.JSON(map[string]any{\"a\": 1})", "application/json", `{"a":1}`},
		{"time.Second", "text/plain", "1s"},
		{"lab.New(\"demo\", 1)", "text/plain", "Model(demo)"},
		{"1, 2", "", ""},
		{"strings.Cut(\"a=b\", \"=\")", "text/plain", "a b true"},
		{"x := 1 << 40\nx", "text/plain", "1099511627776"},
		{"fmt.Errorf(\"bad\")", "text/plain", "bad"},
		{"fmt.Println(1)", "", ""},
		{"y := 2", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.cell, func(t *testing.T) {
			r, err := s.Eval(t.Context(), tt.cell, newRecord())
			if tt.mime == "" {
				if r.Data != nil {
					t.Errorf("value %v, want none", r.Data)
				}
				return
			}
			if err != nil || r.Data[tt.mime] != tt.want {
				t.Errorf("%s %q, %v, want %q", tt.mime, r.Data[tt.mime], err, tt.want)
			}
		})
	}
	r, err := s.Eval(t.Context(), "image.NewGray(image.Rect(0, 0, 4, 3))", newRecord())
	if b, ok := r.Data["image/png"].([]byte); err != nil || !ok || len(b) < 50 {
		t.Errorf("picture %T, %v, want PNG bytes", r.Data["image/png"], err)
	}
	if got := fmt.Sprint(r.Metadata["image/png"]); got != "map[height:3 width:4]" {
		t.Errorf("metadata %s", got)
	}
}

func TestWrapReachesTheContext(t *testing.T) {
	s := start(t)
	if got, _ := eval(t, s, `ctx.Value("wrapped")`); got != "yes" {
		t.Errorf("value %q, want yes", got)
	}
}

func TestCompleteAndInspect(t *testing.T) {
	s := start(t)
	eval(t, s, "type Pt struct{ X, Y int }\nfunc (p Pt) Norm() float64 { return 0 }\npoint := Pt{1, 2}\nm := lab.Open(\"demo\")")
	tests := []struct {
		code   string
		start  int
		has    []string
		hasNot []string
	}{
		{"poi", 0, []string{"point"}, []string{"Pt"}},
		{"fmt.Sprint(poi", 11, []string{"point"}, nil},
		{"point.", 6, []string{"X", "Y", "Norm"}, nil},
		{"m.Re", 2, []string{"Retrieve"}, []string{"Name"}},
		{"m.", 2, []string{"Retrieve", "Name", "Embed"}, []string{"scale"}},
		{"strings.Rep", 8, []string{"Repeat", "Replace"}, []string{"Split"}},
		{"lab.Open(\"x\").Na", 14, []string{"Name"}, nil},
		{"q := time.Now()\nq.Ye", 18, []string{"Year", "YearDay"}, nil},
		{"for i := 0; ; {\n\tpoint.N", 23, []string{"Norm"}, nil},
		{"é := 1\né", 8, []string{"é"}, nil},
		{"nope.", 5, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			c, err := s.Complete(t.Context(), tt.code, len(tt.code))
			if err != nil || c.Start != tt.start || c.End != len(tt.code) {
				t.Fatalf("completion %+v, %v, want start %d", c, err, tt.start)
			}
			for _, name := range tt.has {
				if !slices.Contains(texts(c), name) {
					t.Errorf("matches %q lack %s", texts(c), name)
				}
			}
			for _, name := range tt.hasNot {
				if slices.Contains(texts(c), name) {
					t.Errorf("matches %q have %s", texts(c), name)
				}
			}
		})
	}
	for _, tt := range []struct{ code, want string }{
		{"point", "var point Pt"},
		{"strings.Repeat(", "func strings.Repeat(s string, count int) string\n\nRepeat returns a new string"},
		{"m.Retrieve", "Retrieve(context.Context, string, int) ([]string, error)"},
		{"strings.Repeat(point", "var point Pt"},
		{"strings.Repeat(\"a\", ", "func strings.Repeat(s string, count int) string"},
		{"lab", "package lab (host)"},
		{"Pt", "Norm() float64"},
	} {
		data, found, err := s.Inspect(t.Context(), tt.code, len(tt.code))
		if got := fmt.Sprint(data["text/plain"]); err != nil || !found || !strings.Contains(got, tt.want) {
			t.Errorf("Inspect(%q) = %q, %t, %v, want %q in it", tt.code, got, found, err, tt.want)
		}
	}
	if _, found, err := s.Inspect(t.Context(), "nothing", 3); found || err != nil {
		t.Errorf("Inspect of an unknown name: %t, %v", found, err)
	}
}

func texts(c session.Completion) []string {
	list := make([]string, len(c.Matches))
	for i, m := range c.Matches {
		list[i] = m.Text
	}
	return list
}

// TestMatchesTellWhatTheyAre asks for what stands beside a name.
func TestMatchesTellWhatTheyAre(t *testing.T) {
	s := start(t)
	eval(t, s, "type Pt struct{ X int }\nfunc (p Pt) Add(q Pt) Pt { return p }\nconst most = 3\npoint := Pt{1}")
	for _, tt := range []struct {
		code string
		want session.Match
	}{
		{"poi", session.Match{Text: "point", Kind: "variable", Type: "Pt"}},
		{"mos", session.Match{Text: "most", Kind: "constant", Type: "untyped int"}},
		{"Pt", session.Match{Text: "Pt", Kind: "type", Type: "struct"}},
		{"point.X", session.Match{Text: "X", Kind: "field", Type: "int"}},
		{"point.A", session.Match{Text: "Add", Kind: "method", Type: "func(q Pt) Pt"}},
		{"strings.Repea", session.Match{Text: "Repeat", Kind: "function", Type: "func(s string, count int) string", Doc: "Repeat returns a new string consisting of count copies of the string s."}},
		{"%rep", session.Match{Text: "%replay", Kind: "command", Doc: "runs the cells again that ran without an error, after a session was lost"}},
		{"stri", session.Match{Text: "string", Kind: "type"}},
		{"fallt", session.Match{Text: "fallthrough", Kind: "keyword"}},
		{"%tim", session.Match{Text: "%time", Kind: "command", Doc: "runs it and tells how long it took; %%time times the cell"}},
	} {
		c, err := s.Complete(t.Context(), tt.code, len(tt.code))
		var got session.Match
		if len(c.Matches) > 0 {
			got = c.Matches[0]
		}
		if err != nil || got != tt.want {
			t.Errorf("Complete(%q) = %+v, %v, want %+v", tt.code, got, err, tt.want)
		}
	}
}

// TestSignature asks for the function around a place, and for the parameter there.
func TestSignature(t *testing.T) {
	s := start(t)
	eval(t, s, "func area(w, h float64, more ...int) float64 { return w * h }\ntype Pt struct{ X, Y int }\nf := func(n int) {}")
	for _, tt := range []struct{ code, want, param string }{
		{"area(", "area(w float64, h float64, more ...int) float64", "w float64"},
		{"area(1, ", "area(w float64, h float64, more ...int) float64", "h float64"},
		{"area(1, max(2, 3), 4, 5", "area(w float64, h float64, more ...int) float64", "more ...int"},
		{"x := strings.Repeat(\"a(,\", ", "Repeat(s string, count int) string", "count int"},
		{"fmt.Println(Pt{1, ", "Println(a ...any) (int, error)", "a ...any"},
		{"f(", "f(n int)", "n int"},
		{"if area(1, 2) > f(", "f(n int)", "n int"},
		{"area(1, 2)", "", ""},
		{"fmt.Println(func() { x := 1; ", "", ""},
		{"area(1)\nfoo(", "", ""},
		{"Pt(", "", ""},
		{"if (", "", ""},
	} {
		sig, found, err := s.Signature(t.Context(), tt.code, len(tt.code))
		if err != nil || found != (tt.want != "") || sig.Text != tt.want || found && sig.Text[sig.Start:sig.End] != tt.param {
			t.Errorf("Signature(%q) = %+v, %t, %v, want %q with %q", tt.code, sig, found, err, tt.want, tt.param)
		}
	}
}

func TestCompletionAnswersWhileACellRuns(t *testing.T) {
	s := start(t)
	eval(t, s, "value := 1")
	done := make(chan error, 1)
	began := newRecord()
	go func() {
		_, err := s.Eval(t.Context(), "fmt.Print(\"on\"); for { }", began)
		done <- err
	}()
	<-began.seen
	c, err := s.Complete(bounded(t), "val", 3)
	if err != nil || !slices.Contains(texts(c), "value") {
		t.Errorf("completion %+v, %v, want value", c, err)
	}
	s.Interrupt()
	var ce *session.CellError
	if err := <-done; !errors.As(err, &ce) || ce.Restarted {
		t.Errorf("error %v, want interrupted", err)
	}
}
