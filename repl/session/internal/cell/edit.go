package cell

import (
	"slices"
	"sort"
	"strings"
)

// Edit replaces the bytes from Start to End by Text; with Start equal to End it
// inserts.
type Edit struct {
	Start, End int
	Text       string

	closes bool
	opened int // of one that closes: where what it closes has begun
}

// Edits is a set of edits of one text. Insertions at one place keep the order in
// which they were added.
type Edits []Edit

// Replace adds the replacement of the bytes from start to end.
func (e *Edits) Replace(start, end int, text string) {
	*e = append(*e, Edit{Start: start, End: end, Text: text})
}

// Insert adds an insertion at offset at.
func (e *Edits) Insert(at int, text string) { e.Replace(at, at, text) }

// Close adds an insertion at offset at, where something ends that an insertion at offset
// opened has begun; a replacement that has the one within has the other, too. Of several that end at one place the one added last comes first, and other
// insertions come behind them: as brackets do.
func (e *Edits) Close(opened, at int, text string) {
	*e = append(*e, Edit{Start: at, End: at, Text: text, closes: true, opened: opened})
}

// Apply returns src from start to end with the edits that lie within. Of
// replacements that overlap the outer one has the last word; insertions stay where
// nothing around them is replaced, before a replacement that begins there.
func (e Edits) Apply(src string, start, end int) string {
	end = min(end, len(src)) // a node may end in what was put behind the text to parse it
	start = min(max(start, 0), end)
	list := make(Edits, 0, len(e))
	for _, x := range slices.Backward(e) {
		if x.closes && x.Start > start && x.End <= end {
			list = append(list, x)
		}
	}
	for _, x := range e {
		if !x.closes && x.Start >= start && x.End <= end {
			list = append(list, x)
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Start == b.Start && (a.closes || b.closes) {
			return a.closes && !b.closes
		}
		if a.Start != b.Start || a.Start == a.End {
			return a.Start < b.Start || a.Start == b.Start && b.Start != b.End
		}
		return b.Start != b.End && a.End > b.End
	})
	var b strings.Builder
	at, replaced := start, start // replaced is where the last replacement has begun
	for _, x := range list {
		if x.Start < at || x.closes && x.Start == at && x.opened > replaced && at > start {
			continue
		}
		if x.End > x.Start {
			replaced = x.Start
		} else if x.Start > at {
			replaced = x.Start
		}
		b.WriteString(src[at:x.Start])
		b.WriteString(x.Text)
		at = x.End
	}
	b.WriteString(src[at:end])
	return b.String()
}
