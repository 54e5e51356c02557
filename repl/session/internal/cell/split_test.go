package cell_test

import (
	"strings"
	"testing"

	"vlab/repl/session/internal/cell"
)

func TestSplitKindsAndText(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"mixed", "import \"fmt\"\nx := 1\nfunc f() {}\nf()", "1:import \"fmt\"|0:x := 1|5:func f() {}|0:f()"},
		{"one line", "x := 1; y := 2; x + y", "0:x := 1|0:y := 2|0:x + y"},
		{"for header", "for i := 0; i < 5; i++ { g(i) }; y", "0:for i := 0; i < 5; i++ { g(i) }|0:y"},
		{"literal in header", "for s := []int{1}; len(s) > 0; s = s[1:] {\n}\ny", "0:for s := []int{1}; len(s) > 0; s = s[1:] {\n}|0:y"},
		{"label", "outer:\nfor i := 0; ; i++ { break outer }\nn", "0:outer:\nfor i := 0; ; i++ { break outer }|0:n"},
		{"literal is a statement", "func(a int) { g(a) }(3)\nfunc (p P) M() {}", "0:func(a int) { g(a) }(3)|5:func (p P) M() {}"},
		{"literal with results", "func() (int, error) { return 1, nil }()", "0:func() (int, error) { return 1, nil }()"},
		{"blocks", "type T struct {\n a int\n}\nvar (\n a = 1\n)\nconst c = 1", "2:type T struct {\n a int\n}|4:var (\n a = 1\n)|3:const c = 1"},
		{"comment", "// only\n", ""},
		{"raw string", "s := `a\nb`\nlen(s)", "0:s := `a\nb`|0:len(s)"},
		{"if else", "if a := 1; a > 0 {\n} else if b := 2; b > 1 {\n}\nx", "0:if a := 1; a > 0 {\n} else if b := 2; b > 1 {\n}|0:x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range cell.Split(tt.src) {
				got = append(got, string('0'+rune(p.Kind))+":"+tt.src[p.Start:p.End])
			}
			if s := strings.Join(got, "|"); s != tt.want {
				t.Errorf("Split(%q)\n got %q\nwant %q", tt.src, s, tt.want)
			}
		})
	}
}

func TestIsComplete(t *testing.T) {
	tests := []struct{ src, status, indent string }{
		{"", "complete", ""},
		{"x := 1", "complete", ""},
		{"x := (1 +", "incomplete", "\t"},
		{"x := 1 +", "incomplete", ""},
		{"for i := range 3 {", "incomplete", "\t"},
		{"func f() {\n\tif x {", "incomplete", "\t\t"},
		{"s := `a", "incomplete", ""},
		{"if x", "incomplete", ""},
		{"x := )", "invalid", ""},
		{"x y z", "invalid", ""},
	}
	for _, tt := range tests {
		if s, in := cell.IsComplete(tt.src); s != tt.status || in != tt.indent {
			t.Errorf("IsComplete(%q) = %q, %q, want %q, %q", tt.src, s, in, tt.status, tt.indent)
		}
	}
}

func TestExcerptPutsTheCaretUnderTheColumn(t *testing.T) {
	got := strings.Join(cell.Excerpt("a\n\tb + c", 2, 4), "\n")
	if want := "2 | \tb + c\n  | \t  ^"; got != want {
		t.Errorf("Excerpt\n got %q\nwant %q", got, want)
	}
}

func TestEditsKeepTheRest(t *testing.T) {
	var e cell.Edits
	e.Replace(0, 1, "alpha")
	e.Insert(4, "(")
	e.Insert(5, ")")
	if got := e.Apply("a + b", 0, 5); got != "alpha + (b)" {
		t.Errorf("Apply = %q, want %q", got, "alpha + (b)")
	}
}

func TestClosingEditsNestAndGoWithWhatTheyClose(t *testing.T) {
	var e cell.Edits
	e.Insert(0, "f(") // around all
	e.Close(0, 5, ")")
	e.Insert(4, "g(") // around b
	e.Close(4, 5, ")")
	if got := e.Apply("a + b", 0, 5); got != "f(a + g(b))" {
		t.Errorf("Apply = %q, want f(a + g(b))", got)
	}
	e.Replace(4, 5, "beta")
	if got := e.Apply("a + b", 0, 5); got != "f(a + g(beta))" {
		t.Errorf("with b replaced: %q, want f(a + g(beta))", got)
	}
	e.Replace(0, 5, "all")
	if got := e.Apply("a + b", 0, 5); got != "f(all)" {
		t.Errorf("with all replaced: %q, want f(all)", got)
	}
}
