package task

import "vlab/albef/data"

// groundingCount counts the hits on the references of one split.
type groundingCount struct {
	refs, chosen, pointed int
	largest               int     // references whose box the largest proposal hits
	overlap               float64 // summed
}

// groundingScore counts hits by split.
type groundingScore struct {
	splits    map[string]*groundingCount
	proposals map[int64][][4]float64 // by image; nil: none are chosen from
	quirks    bool                   // choose as the official code does
	last      *[4]float64            // chosen before, with quirks
}

// newGroundingScore counts the splits that the official code reports; others
// are left out.
func newGroundingScore(proposals map[int64][][4]float64, quirks bool) *groundingScore {
	return &groundingScore{
		splits: map[string]*groundingCount{"val": {}, "testA": {}, "testB": {}}, proposals: proposals, quirks: quirks,
	}
}

// choose returns the proposal that a map favours; where it favours none, the
// reference is missed. The official code then takes the box of the reference
// before, of whatever split (if there is one: else it stops), and reads borders
// outside the picture as Python does.
func (g *groundingScore) choose(proposals [][4]float64, m *heat) (box [4]float64, ok bool) {
	if !g.quirks {
		return m.best(proposals, clipped)
	}
	if box, ok = m.best(proposals, sliced); ok {
		g.last = &box
	}
	if g.last == nil {
		return box, false
	}
	return *g.last, true
}

// add counts one reference and its map. A chosen box hits from IoU 0.5 on.
func (g *groundingScore) add(ref data.Ref, m *heat) {
	box, ok := g.choose(g.proposals[ref.ImageID], m)
	count := g.splits[ref.Split]
	if count == nil {
		return
	}
	count.refs++
	if box, ok := largestOf(g.proposals[ref.ImageID]); ok && boxIoU(ref.Box, box) >= 0.5 {
		count.largest++
	}
	if ok && boxIoU(ref.Box, box) >= 0.5 {
		count.chosen++
	}
	if x, y, value, ok := m.peak(); ok {
		if within(ref.Box, x, y) {
			count.pointed++
		}
		count.overlap += m.overlap(ref.Box, value)
	}
}

// results are shares from 0 to 1 by split: val_d, testA_d, testB_d under the
// official names for chosen proposals, _largest_d for always choosing the largest
// one, as a map that is the same everywhere does, then _pointing for peaks in the box and
// _map_iou for the mean overlap. A split without references has none.
func (g *groundingScore) results() Results {
	out := Results{}
	for split, count := range g.splits {
		if count.refs == 0 {
			continue
		}
		n := float64(count.refs)
		if g.proposals != nil {
			out[split+"_d"] = float64(count.chosen) / n
			out[split+"_largest_d"] = float64(count.largest) / n
		}
		out[split+"_pointing"] = float64(count.pointed) / n
		out[split+"_map_iou"] = count.overlap / n
	}
	return out
}

// largestOf is the proposal [x, y, w, h] of the largest area, the first of equals.
func largestOf(proposals [][4]float64) (box [4]float64, ok bool) {
	for _, p := range proposals {
		if p[2]*p[3] > box[2]*box[3] {
			box, ok = p, true
		}
	}
	return box, ok
}
