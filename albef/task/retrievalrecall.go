package task

import "math"

// recalls measures rankings as the official itm_eval does, in percent: txt_r1,
// txt_r5 and txt_r10 are the shares of the images that find one of their texts
// among the first 1, 5 and 10; img_r1, img_r5 and img_r10 those of the texts
// that find their image; beside them the means. owner is the image of each
// text. What isn't on a shortlist isn't found, and a score that is no number is
// the lowest. With quirks, candidates that aren't on a shortlist follow it, the
// last first, and what is no number comes before all: the order in which
// numpy's argsort()[::-1] leaves up to 16 candidates, and undefined beyond.
func (r *rankings) recalls(owner []int, quirks bool) Results {
	out := Results{}
	images := len(r.texts.found) / r.texts.k
	texts := out.recall("txt_", images, func(image int) int {
		return r.texts.rank(image, len(owner), quirks, func(text int) bool { return owner[text] == image })
	})
	found := out.recall("img_", len(owner), func(text int) int {
		return r.images.rank(text, images, quirks, func(image int) bool { return owner[text] == image })
	})
	out["r_mean"] = (texts + found) / 2
	return out
}

// recall sets a direction's figures from the place, counted from 0, at which
// each of n queries finds what is right, and returns their mean.
func (r Results) recall(prefix string, n int, place func(query int) int) float64 {
	var first1, first5, first10 int
	for q := range n {
		at := place(q)
		for _, within := range []struct {
			k     int
			count *int
		}{{1, &first1}, {5, &first5}, {10, &first10}} {
			if at < within.k {
				*within.count++
			}
		}
	}
	share := func(count int) float64 { return 100 * float64(count) / float64(max(n, 1)) }
	mean := (share(first1) + share(first5) + share(first10)) / 3
	r[prefix+"r1"], r[prefix+"r5"], r[prefix+"r10"], r[prefix+"r_mean"] = share(first1), share(first5), share(first10), mean
	return mean
}

// rank returns the place, counted from 0, at which a query's best right
// candidate, of so many in all, stands by its score. Of equals the later
// candidate comes first, as in numpy's argsort()[::-1].
func (l shortlist) rank(query, candidates int, quirks bool, right func(candidate int) bool) int {
	found, scores := l.of(query), l.scores[query*l.k:(query+1)*l.k]
	nan := math.Inf(-1)
	if quirks {
		nan = math.Inf(1)
	}
	score := func(i int) float64 {
		if s := float64(scores[i]); !math.IsNaN(s) {
			return s
		}
		return nan
	}
	before := func(a, b int) bool {
		return score(a) > score(b) || score(a) == score(b) && found[a] > found[b]
	}
	best := -1
	for i, candidate := range found {
		if right(int(candidate)) && (best < 0 || before(i, best)) {
			best = i
		}
	}
	if best < 0 {
		if quirks {
			return l.rankUnlisted(query, candidates, right)
		}
		return math.MaxInt
	}
	place := 0
	for i := range found {
		if before(i, best) {
			place++
		}
	}
	return place
}

// rankUnlisted is rank for a query whose shortlist holds nothing right.
func (l shortlist) rankUnlisted(query, candidates int, right func(candidate int) bool) int {
	listed := map[int]bool{}
	for _, candidate := range l.of(query) {
		listed[int(candidate)] = true
	}
	place := l.k
	for candidate := candidates - 1; candidate >= 0; candidate-- {
		if right(candidate) {
			return place
		}
		if !listed[candidate] {
			place++
		}
	}
	return math.MaxInt
}
