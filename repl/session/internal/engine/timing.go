package engine

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vlab/repl/session/display"
	"vlab/repl/session/internal/cell"
)

// timeOnce runs code once and tells its time.
func (e *Engine) timeOnce(run *running, c call) (*display.Data, error) {
	if c.Args == "" && !c.Whole {
		return nil, c.fault("%time takes a statement; %%time at the top of a cell times all of it")
	}
	began, cpu := time.Now(), cpuTime()
	value, err := e.evalCode(run, c.num, c.code(func(s string) string { return s }))
	fmt.Fprintf(os.Stdout, "wall time %v, CPU time %v\n", rounded(time.Since(began)), rounded(cpuTime()-cpu))
	return value, err
}

// timeitGoal is how long a series of %timeit's repetitions is to take, and
// timeitSeries how many there are.
const (
	timeitGoal   = 200 * time.Millisecond
	timeitSeries = 5
)

// timeOften runs code until its time is known.
func (e *Engine) timeOften(run *running, c call) (*display.Data, error) {
	code := c.Args
	if c.Whole {
		code = c.Body
	}
	if strings.TrimSpace(code) == "" {
		return nil, c.fault("%timeit takes a statement")
	}
	series := func(n int) (time.Duration, error) {
		before := cell.Masked(c.src[:c.Start], 0, 0)
		began := time.Now()
		_, err := e.evalCode(run, c.num, before+"for vlabI := 0; vlabI < "+strconv.Itoa(n)+"; vlabI++ { "+code+"\n}")
		return time.Since(began), err
	}
	n, took := 1, time.Duration(0)
	for {
		var err error
		if took, err = series(n); err != nil {
			return nil, err
		}
		if took >= timeitGoal || n >= 1e9 {
			break
		}
		n = max(n*2, min(n*100, int(float64(n)*float64(timeitGoal)/float64(max(took, time.Microsecond)))))
	}
	times := []float64{float64(took) / float64(n)}
	for len(times) < timeitSeries {
		took, err := series(n)
		if err != nil {
			return nil, err
		}
		times = append(times, float64(took)/float64(n))
	}
	slices.Sort(times)
	fmt.Fprintf(os.Stdout, "%v a run, median of %d series of %d (%v to %v)\n", rounded(time.Duration(times[len(times)/2])), timeitSeries, n,
		rounded(time.Duration(times[0])), rounded(time.Duration(times[len(times)-1])))
	return nil, nil //nolint:nilnil // no value, and no error
}

// rounded keeps three digits or so of a duration.
func rounded(d time.Duration) time.Duration {
	for unit := time.Nanosecond; unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d.Round(time.Second)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
