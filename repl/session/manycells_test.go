package session_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vlab/repl/session"
)

// TestManyCells tells what a cell costs as a session grows old. With VLAB_MANY_CELLS
// it runs that many cells, else a few.
func TestManyCells(t *testing.T) {
	n := 300
	if v, err := strconv.Atoi(os.Getenv("VLAB_MANY_CELLS")); err == nil {
		n = v
	}
	s := start(t)
	resident := func() int {
		got, _ := eval(t, s, "import (\"os\"; \"runtime/debug\"; \"strings\"; \"strconv\")\ndebug.FreeOSMemory()\nb, _ := os.ReadFile(\"/proc/self/statm\")\nkB, _ := strconv.Atoi(strings.Fields(string(b))[1])\nkB * 4")
		kB, err := strconv.Atoi(got)
		if err != nil {
			t.Fatal(err)
		}
		return kB
	}
	cells := []func(i int) string{
		func(i int) string { return fmt.Sprintf("v%d := %d", i, i) },
		func(i int) string { return fmt.Sprintf("x := v%d + 1\nx", i-1) },
		func(i int) string { return fmt.Sprintf("fmt.Sprint(%d)", i) },
		func(i int) string { return "for j := range 3 { x += j }" },
	}
	for i := range 100 {
		evalTimed(t, s, cells[i%4](i))
	}
	before := resident()
	times := make([]time.Duration, n)
	for i := range n {
		times[i] = evalTimed(t, s, cells[i%4](1000+i))
	}
	after := resident()
	early, late := median(times[:100]), median(times[n-100:])
	t.Logf("%d cells: median %v; of the first hundred %v, of the last %v (%.1f times); memory %+.1f MB",
		n, median(times), early, late, float64(late)/float64(early), float64(after-before)/1024)
}

func evalTimed(t *testing.T, s *session.Session, cell string) time.Duration {
	t.Helper()
	began := time.Now()
	if _, err := s.Eval(t.Context(), cell, nil); err != nil {
		t.Fatalf("%s: %v", strings.ReplaceAll(cell, "\n", "; "), err)
	}
	return time.Since(began)
}

func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}
