package main

import (
	"fmt"
	"io"
	"slices"
)

// ending is a contest with what everyone took.
type ending struct {
	contest contest
	runners []*runner // ours is the last
}

// table prints what ours is of the official code and of the modern one, a line a
// contest.
func table(w io.Writer, ends []ending) {
	compared := slices.DeleteFunc(measures(), func(m measure) bool {
		return !slices.ContainsFunc(ends, func(e ending) bool { return e.ours().middle(m) != 0 })
	})
	wide := 9*len(compared) - 2
	fmt.Fprintf(w, "\n%-8s %-5s %-5s  %-*s  %-*s  %s\n%-20s", "ours is", "", "", wide, "of official", wide, "of modern", "share of", "")
	for range 2 {
		for _, m := range compared {
			fmt.Fprintf(w, " %8s", m.name)
		}
	}
	fmt.Fprintf(w, "  the rate\n")
	for _, e := range ends {
		ours := e.ours()
		fmt.Fprintf(w, "%-8s %-5s %-5s", e.contest.work, e.contest.size, e.contest.dtype)
		for _, name := range []string{"official", "modern"} {
			r := e.runner(name)
			for _, m := range compared {
				fmt.Fprintf(w, " %8s", ratio(ours, r, m))
			}
		}
		if ours.results[0].FLOPs == 0 {
			fmt.Fprintf(w, " %9s\n", "-")
			continue
		}
		fmt.Fprintf(w, " %8.1f%%\n", 100*share(ours, ours))
	}
}

// ours is vlab's.
func (e ending) ours() *runner { return e.runners[len(e.runners)-1] }

// runner is the one of that name; nil where it doesn't take part.
func (e ending) runner(name string) *runner {
	for _, r := range e.runners {
		if r.name == name {
			return r
		}
	}
	return nil
}

// ratio is what ours is of r.
func ratio(ours, r *runner, m measure) string {
	if r == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", ours.middle(m)/r.middle(m))
}
