package gallery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Hit is a row that was found.
type Hit struct {
	Row   int
	Score float32
}

// Search finds the k rows with the highest scores for each query, the highest
// first and the earlier of equals first; fewer where there are no more. Queries
// have Dim numbers. All of them together read the file once.
func (f *File) Search(ctx context.Context, queries [][]float32, k int) ([][]Hit, error) {
	out, err := f.search(ctx, queries, k)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return out, nil
}

func (f *File) search(ctx context.Context, queries [][]float32, k int) ([][]Hit, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.raw == nil {
		return nil, errClosed
	}
	if k < 1 {
		return nil, fmt.Errorf("%d hits, want 1 or more", k)
	}
	asked := make([]question, len(queries))
	for i, q := range queries {
		if err := f.checkQuery(q); err != nil {
			return nil, err
		}
		asked[i] = ask(q, f.h.Reach)
	}
	left, err := f.sift(ctx, asked, min(k, f.Len()))
	if err != nil {
		return nil, err
	}
	out := make([][]Hit, len(queries))
	for i, q := range asked {
		if out[i], err = f.rank(ctx, q, left[i], k); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkQuery is an error for what has no scores.
func (f *File) checkQuery(q []float32) error {
	if len(q) != f.Dim() {
		return fmt.Errorf("a query of %d numbers, want %d", len(q), f.Dim())
	}
	square := 0.0
	for _, x := range q {
		square += float64(x) * float64(x)
	}
	if !(math.Sqrt(square)*max(1, f.h.Reach) < math.MaxFloat32/4) {
		return errors.New("a query that is infinite or no number")
	}
	return nil
}

// sift reads all codes and returns for each question the rows that may be
// among the best k.
func (f *File) sift(ctx context.Context, asked []question, k int) ([][]int, error) {
	var next atomic.Int64
	blocks := len(f.checks)
	sieves := make([][]sieve, min(runtime.GOMAXPROCS(0), max(blocks, 1)))
	work, ctx := errgroup.WithContext(ctx)
	for i := range sieves {
		sieves[i] = make([]sieve, len(asked))
		work.Go(func() error {
			s := newSifter(f, asked, k, sieves[i])
			for b := int(next.Add(1)) - 1; b < blocks; b = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := s.block(b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	left := make([][]int, len(asked))
	for i := range asked {
		all := &sieve{k: k}
		for _, own := range sieves {
			all.join(&own[i])
		}
		left[i] = all.rows()
	}
	return left, nil
}

// sifter is one goroutine's part of a search.
type sifter struct {
	f      *File
	asked  []question
	codes  []int16 // of all questions
	sieves []sieve
	dots   []int32
}

func newSifter(f *File, asked []question, k int, sieves []sieve) *sifter {
	s := &sifter{f: f, asked: asked, sieves: sieves, dots: make([]int32, blockRows*len(asked))}
	for i, q := range asked {
		s.codes = append(s.codes, q.codes...)
		sieves[i].k = k
	}
	return s
}

func (s *sifter) block(b int) error {
	f, stride := s.f, strideOf(s.f.Dim())
	first, end := b*blockRows, min((b+1)*blockRows, s.f.Len())
	codes, scales, rests := f.codes[first*stride:end*stride], f.scales[first:end], f.rests[first:end]
	if err := f.checkBlock(b, codes, scales, rests); err != nil {
		return err
	}
	f.way.dots(codes, stride, s.codes, s.dots)
	n := end - first
	for i := range s.asked {
		s.sieves[i].block(&s.asked[i], s.dots[i*n:(i+1)*n], scales, rests, first)
	}
	return nil
}

// scoredAtOnce is how many rows are scored before their memory is given back.
const scoredAtOnce = 1 << 16

// rank scores rows, and returns the best k.
func (f *File) rank(ctx context.Context, q question, rows []int, k int) ([]Hit, error) {
	slices.Sort(rows) // read in order
	var hits []Hit
	for part := range slices.Chunk(rows, scoredAtOnce) {
		scored, err := f.scores(ctx, q, part)
		if err != nil {
			return nil, err
		}
		hits = append(hits, scored...)
		slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row)) })
		hits = hits[:min(k, len(hits))]
		if err := f.release(); err != nil {
			return nil, err
		}
	}
	return hits, nil
}

// scores scores rows.
func (f *File) scores(ctx context.Context, q question, rows []int) ([]Hit, error) {
	hits := make([]Hit, len(rows))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for first := 0; first < len(rows); first += blockRows {
		work.Go(func() error {
			for i := first; i < min(first+blockRows, len(rows)); i++ {
				_, features, err := f.row(rows[i])
				if err != nil {
					return err
				}
				hits[i] = Hit{rows[i], score(features, q.query)}
			}
			return ctx.Err()
		})
	}
	return hits, work.Wait()
}
