package gallery_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"vlab/albef/gallery"
)

// plain is the search that the package's documentation defines: the loop over
// all rows and a stable sort.
func plain(rows [][]float32, query []float32, k int) []gallery.Hit {
	hits := make([]gallery.Hit, len(rows))
	for r, row := range rows {
		var score float32
		for i := range query {
			score += float32(gallery.FromHalf(gallery.ToHalf(row[i])) * query[i])
		}
		hits[r] = gallery.Hit{Row: r, Score: score}
	}
	slices.SortStableFunc(hits, func(a, b gallery.Hit) int { return cmp.Compare(b.Score, a.Score) })
	return hits[:min(k, len(hits))]
}

// fileOf writes features, and opens the file.
func fileOf(t testing.TB, rows [][]float32) *gallery.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.vgal")
	w, err := gallery.Create(path, len(rows), len(rows[0]), gallery.Hash{1})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if err := w.Add(gallery.Picture{Name: strconv.Itoa(i), Size: int64(i), Time: -int64(i)}, row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish([]byte("a note")); err != nil {
		t.Fatal(err)
	}
	f, err := gallery.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// features are ways to make a gallery hard to search.
var features = []struct {
	name string
	row  func(draw *rand.Rand, i, dim int, base []float32) []float32
}{
	{"random", func(draw *rand.Rand, _, dim int, _ []float32) []float32 { return direction(draw, dim) }},
	{"equal", func(_ *rand.Rand, _, _ int, base []float32) []float32 { return base }},
	{"near ties", func(draw *rand.Rand, _, _ int, base []float32) []float32 {
		row := slices.Clone(base)
		for range 1 + draw.IntN(3) { // a step of half precision up or down
			i := draw.IntN(len(row))
			row[i] = gallery.FromHalf(gallery.ToHalf(row[i]) ^ uint16(1+draw.IntN(2)))
		}
		return row
	}},
	{"one large number", func(draw *rand.Rand, i, dim int, _ []float32) []float32 {
		row := direction(draw, dim) // its code leaves the others next to nothing
		row[i%dim] *= 1000
		return row
	}},
	{"of all lengths", func(draw *rand.Rand, _, dim int, _ []float32) []float32 {
		row, size := direction(draw, dim), math.Exp2(float64(draw.IntN(30)-20))
		for i := range row {
			row[i] *= float32(size)
		}
		return row
	}},
	{"zero or tiny", func(draw *rand.Rand, i, dim int, _ []float32) []float32 {
		row := make([]float32, dim)
		row[draw.IntN(dim)] = float32(i%5) * 0x1p-24
		return row
	}},
	{"one another's permutations", func(draw *rand.Rand, _, dim int, _ []float32) []float32 {
		row := make([]float32, dim) // codes leave no rest, and a flat query makes all scores one but for rounding
		for i, j := range draw.Perm(dim) {
			row[i] = float32((j*37+127)%128) / 1024 // 127 is among them
		}
		return row
	}},
	{"rounded off", func(draw *rand.Rand, _, dim int, base []float32) []float32 {
		row := make([]float32, dim) // the sum is next to 0, its parts are not
		for i := 0; i+1 < dim; i += 2 {
			x := float32(draw.NormFloat64()) * 100
			row[i], row[i+1] = x*base[i+1], -x*base[i]
		}
		return row
	}},
}

// TestSearchEqualsPlain compares hits and scores, bit by bit, for galleries
// that are hard, each way to read codes and threads from 1 to 4.
func TestSearchEqualsPlain(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, kind := range features {
		t.Run(kind.name, func(t *testing.T) {
			seeds := uint64(12)
			if testing.Short() {
				seeds = 3
			}
			for seed := range seeds {
				runtime.GOMAXPROCS(1 + int(seed%4))
				draw := rand.New(rand.NewPCG(seed, 9))
				n, dim := 1+draw.IntN(4000), []int{1, 7, 64, 100, 256}[draw.IntN(5)]
				base := direction(draw, dim)
				rows := make([][]float32, n)
				for i := range rows {
					rows[i] = kind.row(draw, i, dim, base)
				}
				f := fileOf(t, rows)
				queries := [][]float32{
					base, direction(draw, dim), rows[draw.IntN(n)], make([]float32, dim), flat(dim, 1e-6), flat(dim, 1e-4), whole(dim),
				}
				compareWays(t, f, rows, queries, 1+draw.IntN(20))
			}
		})
	}
}

// flat is a query of numbers that differ by a share of themselves.
func flat(dim int, share float64) []float32 {
	q := make([]float32, dim)
	for i := range q {
		q[i] = float32(1. / 3 * (1 + share*math.Sin(float64(i))))
	}
	return q
}

// whole is a query that codes leave no rest of, so that scores differ from
// theirs by the loop's rounding alone.
func whole(dim int) []float32 {
	q := make([]float32, dim)
	for i := range q {
		q[i] = float32(32767-i%3) / 32768
	}
	return q
}

func compareWays(t *testing.T, f *gallery.File, rows, queries [][]float32, k int) {
	t.Helper()
	want := make([][]gallery.Hit, len(queries))
	for i, q := range queries {
		want[i] = plain(rows, q, k)
	}
	for _, way := range gallery.Ways() {
		f.Use(way)
		got, err := f.Search(t.Context(), queries, k)
		if err != nil {
			t.Fatal(err)
		}
		for i := range queries {
			if !slices.Equal(got[i], want[i]) {
				t.Fatalf("way %d, %d rows of %d, query %d, k %d:\ngot  %v\nwant %v", way, len(rows), len(rows[0]), i, k, got[i], want[i])
			}
		}
	}
}

// FuzzSearch makes features and a query of bytes: numbers of half precision.
func FuzzSearch(f *testing.F) {
	f.Add([]byte("\x00\x3c\x00\x00\x01\x3c\x00\x00\xff\x3b\x00\x80\x00\x3c\x00\x3c"), uint8(2), uint8(1))
	f.Add([]byte("\xff\x7b\xff\xfb\x01\x00\x01\x80\xff\x7b\xff\x7b\x00\x3c"), uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, raw []byte, dim, k uint8) {
		d := int(dim)%40 + 1
		var numbers []float32
		for i := 0; i+1 < len(raw); i += 2 {
			x := gallery.FromHalf(uint16(raw[i]) | uint16(raw[i+1])<<8)
			if x-x != 0 { // infinite or no number
				x = 1
			}
			numbers = append(numbers, x)
		}
		rows := slices.Collect(slices.Chunk(numbers[:len(numbers)/d*d], d))
		if len(rows) < 2 {
			return
		}
		compareWays(t, fileOf(t, rows[1:]), rows[1:], rows[:1], int(k)%10+1)
	})
}

// TestSearchesAtOnce: several goroutines search one file, and read its pictures.
func TestSearchesAtOnce(t *testing.T) {
	draw := rand.New(rand.NewPCG(6, 6))
	rows := make([][]float32, 3000)
	for i := range rows {
		rows[i] = direction(draw, 32)
	}
	f := fileOf(t, rows)
	want := plain(rows, rows[7], 5)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				got, err := f.Search(t.Context(), [][]float32{rows[7], rows[8]}, 5)
				if err != nil || !slices.Equal(got[0], want) {
					t.Errorf("got %v (%v), want %v", got, err, want)
				}
				if p, err := f.Picture(2999); err != nil || p.Name != "2999" {
					t.Errorf("got %v (%v), want picture 2999", p, err)
				}
			}
		})
	}
	all.Wait()
}

// TestFewRowsAreScored: the bounds leave little to do.
func TestFewRowsAreScored(t *testing.T) {
	draw := rand.New(rand.NewPCG(5, 5))
	rows := make([][]float32, 20_000)
	for i := range rows {
		rows[i] = direction(draw, 256)
	}
	if got := fileOf(t, rows).Sifted(direction(draw, 256), 10); got < 10 || got > 100 {
		t.Errorf("of 20000 random rows %d are scored for the best 10, want 10 to 100", got)
	}
}

// TestWaysAgree compares the sums of products with those of a loop, at the
// largest codes too.
func TestWaysAgree(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 1))
	for _, stride := range []int{64, 128, 256, 1024} {
		const rows, count = 37, 7
		codes, queries := make([]int8, rows*stride), make([]int16, count*stride)
		for i := range codes {
			codes[i] = int8(draw.IntN(255) - 127)
			if i < 2*stride {
				codes[i] = int8(127 - 254*(i/stride))
			}
		}
		most := min(math.MaxInt16, math.MaxInt32/127/stride)
		for i := range queries {
			queries[i] = int16(draw.IntN(2*most+1) - most)
			if i < stride {
				queries[i] = int16(most)
			}
		}
		want := make([]int32, rows*count)
		for q := range count {
			for r := range rows {
				for i := range stride {
					want[q*rows+r] += int32(codes[r*stride+i]) * int32(queries[q*stride+i])
				}
			}
		}
		for _, way := range gallery.Ways() {
			got := make([]int32, rows*count)
			gallery.Dots(way, codes, stride, queries, got)
			if !slices.Equal(got, want) {
				t.Errorf("way %d, rows of %d: got %v, want %v", way, stride, got, want)
			}
		}
	}
}

func TestSearchRefusesNonsense(t *testing.T) {
	f := fileOf(t, [][]float32{{1, 0}, {0, 1}})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"k 0":            second(f.Search(t.Context(), [][]float32{{1, 0}}, 0)),
		"another length": second(f.Search(t.Context(), [][]float32{{1, 0, 0}}, 1)),
		"no number":      second(f.Search(t.Context(), [][]float32{{float32(math.NaN()), 0}}, 1)),
		"infinite":       second(f.Search(t.Context(), [][]float32{{float32(math.Inf(1)), 0}}, 1)),
		"too long":       second(f.Search(t.Context(), [][]float32{{math.MaxFloat32, math.MaxFloat32}}, 1)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := f.Search(ended, [][]float32{{1, 0}}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: got %v", err)
	}
	if hits, err := f.Search(t.Context(), nil, 1); err != nil || len(hits) != 0 {
		t.Errorf("no queries: got %v, %v", hits, err)
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Search(t.Context(), [][]float32{{1, 0}}, 1); err == nil {
		t.Error("closed: no error")
	}
	if _, err := f.Picture(0); err == nil {
		t.Error("closed: a picture")
	}
}

func second[T any](_ T, err error) error { return err }
