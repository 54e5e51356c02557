package session_test

import (
	"strings"
	"testing"
)

// TestLanguage runs cells whose last one gives a value or prints a text.
func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, cells, want string }{
		{"generic function of one's own", "func Map[T, U any](xs []T, f func(T) U) []U { var r []U; for _, x := range xs { r = append(r, f(x)) }; return r }\n---\nMap([]int{1, 2}, func(i int) string { return fmt.Sprint(i * 2) })", "[2 4]"},
		{"generic calls generic", "import \"cmp\"\nfunc Max[T cmp.Ordered](a, b T) T { if a > b { return a }; return b }\nfunc Best[T cmp.Ordered](xs ...T) T { m := xs[0]; for _, x := range xs { m = Max(m, x) }; return m }\nfmt.Println(Best(3, 9, 2), Best(\"a\", \"c\"), Best(1.5))", "9 c 1.5"},
		{"generic type and methods", "type Pair[K comparable, V any] struct { Key K; Val V }\nfunc (p Pair[K, V]) String() string { return fmt.Sprintf(\"%v=%v\", p.Key, p.Val) }\nfunc MakePair[K comparable, V any](k K, v V) Pair[K, V] { return Pair[K, V]{k, v} }\nfmt.Println(MakePair(\"a\", 1))", "a=1"},
		{"generic tree", "import \"cmp\"\ntype Tree[T cmp.Ordered] struct { l, r *Tree[T]; v T; ok bool }\nfunc (t *Tree[T]) Insert(v T) *Tree[T] { if t == nil { return &Tree[T]{v: v, ok: true} }; if v < t.v { t.l = t.l.Insert(v) } else { t.r = t.r.Insert(v) }; return t }\nfunc (t *Tree[T]) Walk(f func(T)) { if t == nil { return }; t.l.Walk(f); f(t.v); t.r.Walk(f) }\nvar root *Tree[int]\nfor _, v := range []int{5, 2, 8} { root = root.Insert(v) }\nroot.Walk(func(v int) { fmt.Print(v, \" \") })", "2 5 8 "},
		{"constraint of one's own", "type Number interface { ~int | ~float64 }\nfunc Sum[T Number](xs []T) (s T) { for _, x := range xs { s += x }; return }\ntype Celsius float64\nfmt.Println(Sum([]int{1, 2, 3}), Sum([]Celsius{1.5, 2}))", "6 3.5"},
		{"generic across cells", "type Set[T comparable] map[T]struct{}\nfunc (s Set[T]) Add(v T) { s[v] = struct{}{} }\nfunc (s Set[T]) Has(v T) bool { _, ok := s[v]; return ok }\n---\ns := Set[string]{}\ns.Add(\"x\")\n---\nfmt.Println(s.Has(\"x\"), s.Has(\"y\"), len(s))", "true false 1"},
		{"generic alias", "type Vec[T any] = []T\nvar v Vec[int] = Vec[int]{1, 2}\nv", "[1 2]"},
		{"generic method value", "type Box[T any] struct{ v T }\nfunc (b Box[T]) Get() T { return b.v }\nf := Box[int]{7}.Get\nf()", "7"},
		{"explicit instantiation as a value", "func Id[T any](x T) T { return x }\nf := Id[string]\nf(\"s\")", "s"},
		{"redefined generic", "func G[T any](x T) string { return \"old\" }\nfunc use() string { return G(1) }\n---\nfunc G[T any](x T) string { return \"new\" }\n---\nuse()", "new"},
		{"slices of structures", "import \"slices\"\ntype P struct { N string; A int }\nps := []P{{\"b\", 2}, {\"a\", 1}, {\"c\", 3}}\nslices.SortFunc(ps, func(x, y P) int { return y.A - x.A })\ni := slices.IndexFunc(ps, func(p P) bool { return p.N == \"a\" })\nfmt.Println(ps, i)", "[{c 3} {b 2} {a 1}] 2"},
		{"slices", "import \"slices\"\nx := []int{3, 1, 2, 3}\ny := slices.Clone(x)\nslices.Sort(y)\ny = slices.Compact(y)\nslices.Reverse(y)\npos, found := slices.BinarySearchFunc([]int{1, 3, 5}, 3, func(a, b int) int { return a - b })\nfmt.Println(x, y, slices.Insert([]int{1, 4}, 1, 2, 3), slices.Delete([]int{1, 2, 3, 4}, 1, 3), pos, found, slices.Repeat([]int{1}, 3), slices.Concat([]int{1}, []int{2}))", "[3 1 2 3] [3 2 1] [1 2 3 4] [1 4] 1 true [1 1 1] [1 2]"},
		{"maps", "import (\"maps\"; \"slices\")\nm := map[string]int{\"a\": 1, \"b\": 2}\nc := maps.Clone(m)\nc[\"z\"] = 26\nmaps.DeleteFunc(m, func(k string, v int) bool { return v == 1 })\nfmt.Println(m, slices.Sorted(maps.Keys(c)), slices.Sorted(maps.Values(c)), maps.Equal(m, c))", "map[b:2] [a b z] [1 2 26] false"},
		{"chunks", "import \"slices\"\nfor c := range slices.Chunk([]int{1, 2, 3, 4, 5}, 2) { fmt.Print(c) }", "[1 2][3 4][5]"},
		{"iter.Pull", "import (\"iter\"; \"slices\")\nnext, stop := iter.Pull(slices.Values([]string{\"a\", \"b\"}))\nv1, ok1 := next()\nv2, ok2 := next()\n_, ok3 := next()\nstop()\nfmt.Println(v1, ok1, v2, ok2, ok3)", "a true b true false"},
		{"iterator of one's own", "import \"iter\"\nfunc Pairs[K comparable, V any](m map[K]V) iter.Seq2[K, V] { return func(yield func(K, V) bool) { for k, v := range m { if !yield(k, v) { return } } } }\nfor k, v := range Pairs(map[string]int{\"a\": 1}) { fmt.Println(k, v) }", "a 1\n"},
		{"return out of a range over a function", "import \"iter\"\nfunc upto(n int) iter.Seq[int] { return func(y func(int) bool) { for i := range n { if !y(i) { return } } } }\nfunc find(n int) (int, bool) { for v := range upto(100) { if v*v > n { return v, true } }; return 0, false }\nfmt.Println(find(50))", "8 true\n"},
		{"labels out of ranges over functions", "import \"iter\"\nfunc upto(n int) iter.Seq[int] { return func(y func(int) bool) { for i := range n { if !y(i) { return } } } }\nfunc f() string {\n\ts := \"\"\nouter:\n\tfor i := range upto(4) {\n\t\tfor j := range upto(4) {\n\t\t\tif j == 2 { continue outer }\n\t\t\tif i == 3 { break outer }\n\t\t\ts += fmt.Sprint(i, j, \" \")\n\t\t}\n\t}\n\treturn s\n}\nf()", "0 0 0 1 1 0 1 1 2 0 2 1 "},
		{"range over a function within a loop", "import \"slices\"\nfunc f() int {\n\tn := 0\nloop:\n\tfor i := 0; i < 5; i++ {\n\t\tfor v := range slices.Values([]int{1, 2, 3}) {\n\t\t\tif v == 2 { continue loop }\n\t\t\tif i == 3 { break loop }\n\t\t\tn += 10*i + v\n\t\t}\n\t}\n\treturn n\n}\nf()", "33"},
		{"named results out of a range", "import \"slices\"\nfunc f() (n int, err error) { for v := range slices.Values([]int{1, 2}) { n += v; if v == 2 { err = fmt.Errorf(\"two\"); return } }; return }\nn, err := f()\nfmt.Println(n, err)", "3 two\n"},
		{"defer within a range over a function", "import \"slices\"\nfunc f() { for v := range slices.Values([]int{1, 2}) { defer fmt.Print(v, \" \") }; fmt.Print(\"body \") }\nf()", "body 2 1 "},
		{"assignments in a range over a function", "import \"slices\"\nvar k, v int\nfor k, v = range slices.All([]int{7, 8}) {}\nfmt.Println(k, v)", "1 8\n"},
		{"OnceValue", "import \"sync\"\nn := 0\nf := sync.OnceValue(func() int { n++; return n })\nfmt.Println(f(), f())", "1 1\n"},
		{"atomic.Pointer", "import \"sync/atomic\"\nvar p atomic.Pointer[string]\ns := \"x\"\np.Store(&s)\nfmt.Println(*p.Load(), p.CompareAndSwap(&s, nil), p.Load() == nil)", "x true true\n"},
		{"cmp.Or", "import \"cmp\"\ncmp.Or(\"\", \"b\", \"c\")", "b"},
		{"reflect.TypeFor", "import \"reflect\"\nfmt.Println(reflect.TypeFor[map[string]int]())", "map[string]int\n"},
		{"rand.N", "import \"math/rand/v2\"\nx := rand.N(10)\nx >= 0 && x < 10", "true"},
		{"strings.Lines", "import \"strings\"\nn := 0\nfor l := range strings.Lines(\"a\\nb\\n\") { n += len(l) }\nn", "4"},
		{"value and error as an argument", "func f(n int) (int, error) { return n + 1, nil }\nmax(f(1), f(2)) + f(f(3))", "8"},
		{"value and error in a chain", "type T struct{ n int }\nfunc New(n int) (*T, error) { return &T{n}, nil }\nfunc (t *T) Add(n int) (*T, error) { return &T{t.n + n}, nil }\nNew(1).Add(2).Add(3).n", "6"},
		{"value and error where Go takes both", "import \"strconv\"\nfunc two(n int, err error) string { return fmt.Sprint(n, err) }\ntwo(strconv.Atoi(\"7\"))", "7 <nil>"},
		{"structures without a name", "type A struct{ X int }\nfunc f(a A) int { return a.X }\nanon := struct{ X int }{5}\nvar d A = anon\nm, s := map[string]A{\"k\": anon}, []A{anon}\nfunc g() A { return anon }\nanon = A{6}\nfmt.Println(d, f(struct{ X int }{9}), m, s, g(), anon == A{6}, anon)", "{5} 9 map[k:{5}] [{5}] {6} true {6}\n"},
		{"elements of a set", "type Set map[string]struct{}\ntype Void struct{}\nst, vs := Set{\"a\": {}}, map[string]Void{\"x\": {}}\nst[\"b\"], vs[\"y\"] = struct{}{}, struct{}{}\nfmt.Println(len(st), len(vs))", "2 2\n"},
		{"defers in loops", "func f() int { n := 0; for range 2 { defer func() { n++ }() }; return 1 }\nfunc g() { for i := range 2 { defer func(k int) { fmt.Print(k, \" \") }(i) } }\nfunc h() { for i := range 2 { defer func() { fmt.Print(\"h\", i, \" \") }() } }\nfmt.Print(f(), \" \")\ng()\nh()", "1 1 0 h1 h0 "},
		{"recovering in a loop's defer", "func handle(n int) { if r := recover(); r != nil { fmt.Print(\"rec \", r, \" \") } }\nfunc a() (n int) { for i := 0; i < 2; i++ { defer handle(i) }; panic(\"x\") }\nfmt.Print(a())", "rec x 0"},
		{"a method of a list's node in a later cell", "type Node struct{ V int; Next *Node }\nfunc New(v int) *Node { return &Node{v, nil} }\nn := &Node{1, &Node{2, nil}}\n---\nfunc (n *Node) Sum() int { if n == nil { return 0 }; return n.V + n.Next.Sum() }\n---\nfmt.Println(New(4).Sum(), n.V)", "4 1\n"},
		{"a method of an embedded type in a later cell", "type B struct{ N int }\ntype D struct{ B; S string }\nd := D{B{3}, \"x\"}\nds := []D{d}\n---\nfunc (b B) Get() int { return b.N }\n---\nfmt.Println(d.Get(), ds[0].Get(), d.S)", "3 3 x\n"},
		{"a method beside what refers to a variable", "type T struct{ N int }\nt := T{1}\nf := func() int { t.N++; return t.N }\n---\nfunc (t T) Get() int { return t.N }\n---\nf()\nt.N += 10\nfmt.Println(f(), t.N, T{4}.Get())", "13 13 4\n"},
		{"a method declared anew", "type T struct{ N int }\nfunc (t T) Get() int { return t.N }\nx := T{5}\n---\nfunc (t T) Get() int { return t.N * 2 }\n---\nfunc (t T) Get() int { return t.N * 3 }\n---\nx.Get()", "15"},
		{"two receives", "ch := make(chan string, 4)\nch <- \"aa\"\nch <- \"b\"\na, b := <-ch, <-ch\nfmt.Println(len(a), len(b))", "2 1\n"},
		{"method value through a pointer", "type P struct{ N int }\nfunc (p P) Get() int { return p.N }\nc := &P{1}\nf := c.Get\nc.N = 5\nf()", "1"},
		{"Is of one's own", "import \"errors\"\nvar base = errors.New(\"base\")\ntype E struct{ s string }\nfunc (e E) Error() string { return e.s }\nfunc (e E) Is(t error) bool { return t == base }\nfmt.Println(errors.Is(E{\"x\"}, base), errors.Is(fmt.Errorf(\"w: %w\", E{\"x\"}), base), errors.Is(E{\"x\"}, errors.New(\"y\")))", "true true false\n"},
		{"several values with a constant in a loop", "s := \"\"\nfor i := 0; i < 3; i++ { a, b := 0, i; a += b + 1; s += fmt.Sprint(a, \" \") }\ns", "1 2 3 "},
		{"several values with a literal", "best, most := [2]int{}, 0\nfor i, v := range []int{3, 9, 4} { if v > most { best, most = [2]int{i, v}, v } }\nfmt.Println(best, most)", "[1 9] 9\n"},
		{"swap of elements", "x := []int{1, 2}\nx[0], x[1] = x[1], x[0]\nx", "[2 1]"},
		{"index before assignment", "i, x := 0, []int{5, 6}\nfunc() { i, x[i] = 1, 9 }()\nfmt.Println(i, x)", "1 [9 6]\n"},

		{"names in %T and %+v", "type Pt struct { X, Y int }\ntype L []Pt\nfmt.Printf(\"%T %+v %T %v %#v\", Pt{1, 2}, []Pt{{3, 4}}, L{}, map[string]Pt{\"a\": {5, 6}}, &Pt{7, 8})", "main.Pt [{X:3 Y:4}] main.L map[a:{5 6}] &main.Pt{X:7, Y:8}"},
		{"a name with any in it", "type Company struct{ N any }\nfmt.Printf(\"%T %T\", Company{}, []Company{})", "main.Company []main.Company"},
		{"Is of nothing", "import \"errors\"\nfmt.Println(errors.Is(errors.New(\"x\"), nil), errors.Is(nil, nil), errors.Is(nil, errors.New(\"x\")))", "false true false"},
		{"Stringer in a slice", "type C int\nfunc (c C) String() string { return fmt.Sprintf(\"c%d\", int(c)) }\nfmt.Println([]C{1, 2}, map[C]C{3: 4}, struct{ A C }{5})", "[c1 c2] map[c3:c4] {c5}\n"},
		{"Stringer as the value", "type C struct{ n int }\nfunc (c C) String() string { return \"C!\" }\n[]C{{1}, {2}}", "[C! C!]"},
		{"Stringer by pointer in a structure", "type N struct{ v int }\nfunc (n *N) String() string { return fmt.Sprint(\"n\", n.v) }\ntype W struct{ P *N }\nfmt.Println(&N{1}, []*N{{2}})", "n1 [n2]\n"},
		{"interface of one's own in a slice", "type Shape interface { Area() int }\ntype Sq struct{ a int }\nfunc (s Sq) Area() int { return s.a * s.a }\nfunc (s Sq) String() string { return fmt.Sprint(\"sq\", s.a) }\nfmt.Println([]Shape{Sq{1}, Sq{2}})", "[sq1 sq2]\n"},
		{"error of one's own", "type E struct{ n int }\nfunc (e E) Error() string { return fmt.Sprint(\"e\", e.n) }\nfmt.Println(E{1}, &E{2}, fmt.Errorf(\"w: %w\", E{3}))", "e1 e2 w: e3\n"},
		{"errors.As and Is", "import \"errors\"\ntype E struct{ n int }\nfunc (e *E) Error() string { return \"e\" }\nvar base = errors.New(\"base\")\nfunc f() error { return fmt.Errorf(\"a: %w\", fmt.Errorf(\"b: %w, %w\", base, &E{4})) }\nvar e *E\nfmt.Println(errors.As(f(), &e), e.n, errors.Is(f(), base))", "true 4 true\n"},
		{"Unwrap of one's own", "import \"errors\"\nvar base = errors.New(\"x\")\ntype W struct { op string; err error }\nfunc (w *W) Error() string { return w.op }\nfunc (w *W) Unwrap() error { return w.err }\nfunc do() error { return fmt.Errorf(\"o: %w\", &W{\"op\", base}) }\nvar w *W\nfmt.Println(errors.Is(do(), base), errors.As(do(), &w), w.op, errors.Unwrap(errors.Unwrap(do())) == base)", "true true op true"},
		{"constants of one's own", "type D int\nconst ( A D = iota; B )\nfunc (d D) String() string { return [...]string{\"a\", \"b\"}[d] }\nfmt.Printf(\"%v %d %T\", B, B, B)", "b 1 main.D"},
		{"recover at the top", "defer func() { fmt.Println(\"recovered\", recover()) }()\npanic(\"x\")", "recovered x"},
		{"what recover gives", "func() { defer func() { fmt.Println(recover()) }(); var a []int; _ = a[3] }()", "runtime error: index out of range"},
		{"a whole program", "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"main\") }\n---\nmain()", "main"},
		{"AsType", "import \"errors\"\ntype E struct{ n int }\nfunc (e *E) Error() string { return \"e\" }\nfunc f() error { return fmt.Errorf(\"a: %w\", &E{4}) }\ne, ok := errors.AsType[*E](f())\nfmt.Println(e.n, ok)", "4 true\n"},
		{"type switch on errors", "import \"errors\"\ntype E struct{ n int }\nfunc (e *E) Error() string { return \"e\" }\nfunc f(err error) string { switch e := err.(type) { case nil: return \"nil\"; case *E: return fmt.Sprint(\"E\", e.n); default: return \"other\" } }\nfmt.Println(f(nil), f(&E{3}), f(errors.New(\"x\")), f(errors.Unwrap(fmt.Errorf(\"%w\", &E{5}))))", "nil E3 other E5\n"},
		{"type switch on shapes", "type Shape interface { Area() int }\ntype Sq struct{ a int }\nfunc (s Sq) Area() int { return s.a }\ntype Re struct{ a, b int }\nfunc (r *Re) Area() int { return r.a * r.b }\nfunc d(s Shape) string { switch x := s.(type) { case Sq: return fmt.Sprint(\"sq\", x.a); case *Re: return fmt.Sprint(\"re\", x.b) }; return \"?\" }\nfmt.Println(d(Sq{1}), d(&Re{2, 3}))", "sq1 re3\n"},
		{"type switch with several types and break", "func f(v any) (s string) { switch x := v.(type) { case int, string: s = fmt.Sprint(\"a\", x); case []int: if len(x) == 0 { break }; s = \"full\"; case func() int: s = fmt.Sprint(x()) }; return }\nfmt.Println(f(1), f(\"s\"), f([]int{}), f([]int{1}), f(func() int { return 9 }))", "a1 as  full 9\n"},
		{"json of a structure", "import \"encoding/json\"\ntype In struct { V int `json:\"v\"` }\ntype T struct { Name string `json:\"name\"`; hidden int; L []In; P *In `json:\"p,omitempty\"` }\nb, err := json.Marshal(T{Name: \"n\", hidden: 3, L: []In{{1}}})\nfmt.Println(string(b), err)", "{\"name\":\"n\",\"L\":[{\"v\":1}]} <nil>\n"},
		{"MarshalJSON", "import \"encoding/json\"\ntype T struct{ n int }\nfunc (t T) MarshalJSON() ([]byte, error) { return []byte(fmt.Sprintf(\"\\\"T%d\\\"\", t.n)), nil }\nb, _ := json.Marshal(map[string][]T{\"x\": {{1}, {2}}})\nstring(b)", "{\"x\":[\"T1\",\"T2\"]}"},
		{"Unmarshal", "import \"encoding/json\"\ntype T struct { A int; B []string }\nvar t T\njson.Unmarshal([]byte(`{\"A\": 2, \"B\": [\"x\"]}`), &t)\nfmt.Printf(\"%+v\", t)", "{A:2 B:[x]}"},
		{"sort.Interface", "import \"sort\"\ntype By []string\nfunc (b By) Len() int { return len(b) }\nfunc (b By) Less(i, j int) bool { return len(b[i]) < len(b[j]) }\nfunc (b By) Swap(i, j int) { b[i], b[j] = b[j], b[i] }\nx := By{\"ccc\", \"a\", \"bb\"}\nsort.Sort(x)\nsort.Sort(sort.Reverse(x))\nx", "[ccc bb a]"},
		{"io.Reader", "import (\"io\"; \"strings\")\ntype R struct{ s string }\nfunc (r *R) Read(p []byte) (int, error) { if r.s == \"\" { return 0, io.EOF }; n := copy(p, r.s); r.s = r.s[n:]; return n, nil }\nfunc mk(s string) *R { return &R{s} }\nb, err := io.ReadAll(io.MultiReader(mk(\"a\"), strings.NewReader(\"b\"), &R{\"c\"}))\nfmt.Println(string(b), err)", "abc <nil>\n"},
		{"http handler in a field", "import (\"net/http\"; \"net/http/httptest\")\ntype H struct{ code int }\nfunc (h H) ServeHTTP(w http.ResponseWriter, r *http.Request) { w.WriteHeader(h.code) }\ns := http.Server{Handler: H{204}}\nrec := httptest.NewRecorder()\ns.Handler.ServeHTTP(rec, httptest.NewRequest(\"GET\", \"/\", nil))\nrec.Code", "204"},
		{"method expression", "type T struct{ n int }\nfunc (t T) Twice() int { return 2 * t.n }\nf := T.Twice\nf(T{4})", "8"},
		{"new of a value", "p := new(42)\n*p", "42"},
		{"embedded interface", "import \"io\"\ntype C struct { io.Writer; n int }\nfunc (c *C) Write(p []byte) (int, error) { c.n += len(p); return c.Writer.Write(p) }\nc := &C{Writer: io.Discard}\nfmt.Fprintf(c, \"abc\")\nc.n", "3"},
		{"goto", "func f() int { i := 0\nagain:\n\ti++\n\tif i < 5 { goto again }\n\treturn i }\nf()", "5"},
		{"closures over loop variables", "var fs []func() int\nfor i := 0; i < 3; i++ { fs = append(fs, func() int { i += 10; return i }) }\nfmt.Println(fs[0](), fs[1](), fs[2](), fs[0]())", "10 11 12 20\n"},
		{"struct of a result in a literal", "type pair struct { n string; p float64 }\nf := struct { Hits []struct{ P float64 } }{Hits: []struct{ P float64 }{{0.5}}}\npair{\"a\", f.Hits[0].P}", "{a 0.5}"},
		{"field of a package's result in a literal", "m := lab.New(\"a\", 2)\ntype pair struct { n string; d int }\nms := []*lab.Model{m}\nfmt.Println(pair{\"x\", ms[0].Dim}, []int{ms[0].Dim, m.Dim}, []string{m.Name})", "{x 2} [2 2] [a]"},
		{"dropped error in a loop", "import \"strconv\"\nn := 0\nfor _, s := range []string{\"1\", \"2\"} { v := strconv.Atoi(s); n += v }\nn", "3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			got := ""
			for cell := range strings.SplitSeq(tt.cells, "\n---\n") {
				value, rec := eval(t, s, cell)
				got = rec.out() + value
			}
			if strings.TrimSpace(got) != strings.TrimSpace(tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
