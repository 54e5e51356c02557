package viz

import (
	"slices"
	"strings"

	"github.com/go-text/typesetting/bidi"
	unicodebidi "golang.org/x/text/unicode/bidi"
)

// visual is the runs of a line from left to right: rule L2 of the Unicode bidirectional algorithm, by which from the highest level
// down everything at that level or above is turned round.
func (s *shaper) visual(text []rune) []bidi.Run {
	runs := s.logical(text)
	highest := bidi.Level(0)
	for _, r := range runs {
		highest = max(highest, r.Level)
	}
	for level := highest; level > 0; level-- {
		for i := 0; i < len(runs); i++ {
			from := i
			for i < len(runs) && runs[i].Level >= level {
				i++
			}
			slices.Reverse(runs[from:i])
		}
	}
	return runs
}

// logical is the runs of a line in reading order.
func (s *shaper) logical(text []rune) (runs []bidi.Run) {
	if len(text) == 0 {
		return nil
	}
	found := s.paragraph.Segment(text, bidi.Neutral)
	rightToLeft := startsRightToLeft(text)
	for i := range found.NumRuns() {
		r := found.Run(i)
		// The library keeps a number that belongs to Hebrew before it in one run with Latin text after it, though their levels differ.
		if end := r.Start + numberEnd(text[r.Start:r.End]); r.Level == 2 && !rightToLeft && end < r.End {
			runs = append(runs, bidi.Run{Start: r.Start, End: end, Level: 2})
			r.Start, r.Level = end, 0
		}
		runs = append(runs, r)
	}
	return runs
}

// numberEnd is how many characters of text belong to the number that it begins with, a percent sign or a currency included.
func numberEnd(text []rune) (end int) {
	for i, r := range text {
		switch class(r) {
		case unicodebidi.EN, unicodebidi.AN:
			end = i + 1
		case unicodebidi.ET, unicodebidi.NSM:
			if end == i {
				end = i + 1
			}
		case unicodebidi.L:
			return end
		default:
		}
	}
	return end
}

// startsRightToLeft tells whether the first letter is of a script that runs from right to left, which is then the way of the line.
func startsRightToLeft(text []rune) bool {
	for _, r := range text {
		switch class(r) {
		case unicodebidi.L:
			return false
		case unicodebidi.R, unicodebidi.AL:
			return true
		default:
		}
	}
	return false
}

func class(r rune) unicodebidi.Class {
	p, _ := unicodebidi.LookupRune(r)
	return p.Class()
}

// sameWay gives the lines that a text was broken into the way of the whole, where one alone would take the other.
func sameWay(text string, lines []string) []string {
	way, mark := startsRightToLeft([]rune(text)), "\u200e"
	if way {
		mark = "\u200f"
	}
	for i, l := range lines {
		if strings.TrimSpace(l) != "" && startsRightToLeft([]rune(l)) != way {
			lines[i] = mark + l
		}
	}
	return lines
}
