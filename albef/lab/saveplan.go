package lab

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	features "vlab/albef/gallery"
)

// planned is what becomes of a picture.
type planned struct {
	features.Picture
	old  int // its row in the old file, -1: none
	seen int // its row in this session's features, -1: none
	bad  string
}

// known is what the old file has: the rows of its pictures by name, and why
// others could not be read.
type known struct {
	rows map[string]int
	bad  map[features.Picture]string
}

// known lists the old file's pictures, none where it is of other drawn scenes.
func (a *archive) known() (known, error) {
	k := known{map[string]int{}, map[features.Picture]string{}}
	if a.old == nil || a.old.note.Drawn != a.images.drawn || a.old.note.Seed != a.images.seed {
		return k, nil
	}
	for i := range a.old.Len() {
		p, err := a.old.Picture(i)
		if err != nil {
			return k, err
		}
		k.rows[p.Name] = i
	}
	for _, b := range a.old.note.Bad {
		k.bad[b.Picture] = b.Reason
	}
	return k, nil
}

// plan looks for every picture in what is known already.
func (a *archive) plan() error {
	k, err := a.known()
	if err != nil {
		return err
	}
	a.plans = make([]planned, a.images.Len())
	for i := range a.plans {
		if a.plans[i], err = a.planOf(i, k); err != nil {
			return err
		}
	}
	a.out.Gone = len(k.rows)
	return nil
}

// planOf is what becomes of picture i; what it finds in k is taken out.
func (a *archive) planOf(i int, k known) (planned, error) {
	p := planned{old: -1, seen: -1}
	if err := a.identify(&p, i); err != nil {
		return p, err
	}
	if p.bad == "" {
		p.bad = k.bad[p.Picture]
	}
	if row, ok := k.rows[p.Name]; ok {
		was, err := a.old.Picture(row)
		if err != nil {
			return p, err
		}
		delete(k.rows, p.Name)
		if was == p.Picture {
			p.old = row
		} else if p.bad == "" {
			a.out.Changed++
		}
	}
	if p.bad != "" {
		a.images.markBad(i, errors.New(p.bad))
	}
	p.seen = a.rowSeen(i, p.Picture)
	return p, nil
}

// identify fills in what tells picture i from another of its name.
func (a *archive) identify(p *planned, i int) (err error) {
	if p.Name = a.images.Name(i); a.images.drawn {
		return nil
	}
	path := p.Name
	if p.Name, err = nameFor(filepath.Dir(a.path), path); err != nil {
		return err
	}
	if p.Size, p.Time, err = stamp(path); err != nil {
		p.bad = fmt.Sprintf("%s: %v", path, reason(err))
	}
	return nil
}

// rowSeen is the row of picture i among this session's features, -1 where they
// aren't those of the file as it is.
func (a *archive) rowSeen(i int, p features.Picture) int {
	if a.seen == nil {
		return -1
	}
	row, ok := slices.BinarySearch(a.seen.rows, i)
	if !ok || a.seen.stamps[row] != [2]int64{p.Size, p.Time} {
		return -1
	}
	return row
}

// upToDate reports whether the old file holds what a new one would.
func (a *archive) upToDate() bool {
	if a.old == nil || a.out.Gone > 0 {
		return false
	}
	next := 0
	for _, p := range a.plans {
		switch {
		case p.bad != "":
			a.out.Bad = append(a.out.Bad, p.bad)
		case p.old != next:
			a.out.Bad = nil
			return false
		default:
			next++
		}
	}
	a.out.Pictures = next
	return true
}
