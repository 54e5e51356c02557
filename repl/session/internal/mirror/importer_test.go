package mirror_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"strings"
	"testing"

	"vlab/repl/session/internal/mirror"
	"vlab/repl/session/symbols"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
)

// helpers stand for the functions that templates call.
var helpers = interp.Exports{"vlab/repl/session/runtime/runtime": {
	"As":   reflect.ValueOf(func(error, any) bool { return false }),
	"Pull": reflect.ValueOf(func(func(func(any) bool)) (func() (any, bool), func()) { return nil, nil }),
	"Sort": reflect.ValueOf(func(any) {}),
}}

func check(t *testing.T, m *mirror.Importer, src string) error {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "x.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: m}
	_, err = conf.Check("main", fset, []*ast.File{f}, nil)
	return err
}

func TestCodeIsCheckedAgainstTheTables(t *testing.T) {
	m := mirror.New(stdlib.Symbols, symbols.Newer(), helpers)
	tests := []struct{ name, src, want string }{
		{"values", `import ("fmt"; "time"); var d time.Duration = 3 * time.Second; var s = fmt.Sprint(d.String(), time.Now().Add(d))`, ""},
		{"interfaces", `import ("errors"; "fmt"; "io"; "strings"); var r io.Reader = strings.NewReader("a"); var e error = fmt.Errorf("%w", io.EOF); var ok = errors.Is(e, io.EOF)`, ""},
		{"recursive types", `import ("go/ast"; "net/http"); var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(nil) }); var e ast.Expr = &ast.Ident{}`, ""},
		{"aliases", `import ("os"; "io/fs"); var m os.FileMode = fs.ModeDir`, ""},
		{"constants", `import "math"; const c = math.MaxInt64 - 1; var f float32 = math.Pi`, ""},
		{"contexts", `import "context"; func f(ctx context.Context) error { c, cancel := context.WithCancel(ctx); defer cancel(); return c.Err() }`, ""},
		{"generic functions", `import ("cmp"; "maps"; "slices"); var k = slices.Sorted(maps.Keys(map[string]int{})); var s string = cmp.Or("", k[0])`, ""},
		{"generic types", `import ("iter"; "strings"; "sync/atomic"); var p atomic.Pointer[int]; var n *int = p.Load(); var l iter.Seq[string] = strings.SplitSeq("a,b", ",")`, ""},
		{"constraints", `import "slices"; var x = slices.Max([]bool{true})`, "bool does not satisfy cmp.Ordered"},
		{"undefined", `import "fmt"; var x = fmt.Nothing()`, "undefined: fmt.Nothing"},
		{"wrong argument", `import "strings"; var x = strings.Repeat("a", "b")`, "cannot use"},
		{"unknown package", `import "no/such/pkg"`, "no/such/pkg is not part of this session"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := check(t, m, "package main;"+tt.src)
			if tt.want == "" && err != nil {
				t.Fatal(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestEveryPackageImports(t *testing.T) {
	m := mirror.New(stdlib.Symbols, helpers)
	if n := len(m.Paths()); n < 140 {
		t.Errorf("%d packages, want at least 140", n)
	}
	for _, p := range m.Paths() {
		if _, err := m.Import(p); err != nil {
			t.Errorf("import %s: %v", p, err)
		}
	}
}
