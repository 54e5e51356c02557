package albef

import (
	"fmt"

	"vlab/albef/torch"
)

// part is some pairs of a batch that is worked off in parts, or all of them.
type part struct {
	batch   Batch
	from, n int // its pairs

	positions, words *torch.Tensor // as in [Batch], of the part; nil: MLM asks nothing
	claims           *Claims       // about images of the part; nil: none
	asks             int           // where its words begin among those of all parts
	askShare         float64       // of the batch's words that count
	claimShare       float64       // of the batch's claims
}

// cut makes parts of as many pairs each. What MLM and claims ask of each part is
// read off the device, which waits for it, unless there is one part alone.
func (m *Model) cut(b Batch, parts int) []part {
	n := b.Len()
	if parts == 1 {
		return []part{{batch: b, n: n, positions: b.Positions, words: b.Words, claims: b.Claims, askShare: 1, claimShare: 1}}
	}
	if parts < 1 || n%parts != 0 {
		panic(&torch.Error{Op: "parts", Reason: fmt.Sprintf("%d pairs can't be cut into %d parts", n, parts)})
	}
	out := make([]part, parts)
	for k := range out {
		out[k] = part{batch: b, from: k * n / parts, n: n / parts}
	}
	if b.Positions != nil {
		m.cutWords(b, out)
	}
	if b.Claims != nil {
		m.cutClaims(*b.Claims, out)
	}
	return out
}

// cutWords gives each part the words that MLM asks for in it.
func (m *Model) cutWords(b Batch, ps []part) {
	s, perPart := b.IDs.Scope(), int64(ps[0].n*b.IDs.Size(1))
	asked, all := make([]Masking, len(ps)), 0
	words := b.Words.Ints()
	for i, at := range b.Positions.Ints() {
		if words[i] == ignored {
			continue
		}
		a := &asked[at/perPart]
		a.Positions, a.Words = append(a.Positions, at%perPart), append(a.Words, words[i])
		all++
	}
	begin := 0
	for k, a := range asked {
		if len(a.Words) == 0 {
			continue
		}
		positions, words := a.Filled()
		ps[k].positions = s.Ints(positions, len(positions)).ToDevice(m.device)
		ps[k].words = s.Ints(words, len(words)).ToDevice(m.device)
		ps[k].asks, ps[k].askShare = begin, float64(len(a.Words))/float64(all)
		begin += len(words)
	}
}

// cutClaims gives each part the claims about its images.
func (m *Model) cutClaims(c Claims, ps []part) {
	s, n := c.IDs.Scope(), int64(ps[0].n)
	about := c.Image.Ints()
	rows, images := make([][]int64, len(ps)), make([][]int64, len(ps))
	for i, image := range about {
		k := image / n
		rows[k], images[k] = append(rows[k], int64(i)), append(images[k], image%n)
	}
	for k, r := range rows {
		if len(r) == 0 {
			continue
		}
		of := s.Ints(r, len(r)).ToDevice(m.device)
		ps[k].claims = &Claims{
			IDs: c.IDs.IndexSelect(0, of), Mask: c.Mask.IndexSelect(0, of), Holds: c.Holds.IndexSelect(0, of),
			Image: s.Ints(images[k], len(r)).ToDevice(m.device),
		}
		ps[k].claimShare = float64(len(r)) / float64(len(about))
	}
}

// whole reports whether the part is all of the batch.
func (p part) whole() bool { return p.n == p.batch.Len() }

// rows returns the part's rows of x [B, ...] in s; nil stays nil.
func (p part) rows(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	if x == nil {
		return nil
	}
	x = s.Use(x)
	if p.n == x.Size(0) {
		return x
	}
	return x.Narrow(0, p.from, p.n)
}

// in returns the part as a batch of its own in s.
func (p part) in(s *torch.Scope) Batch {
	use := func(x *torch.Tensor) *torch.Tensor {
		if x == nil {
			return nil
		}
		return s.Use(x)
	}
	b := Batch{
		Images: p.rows(s, p.batch.Images), IDs: p.rows(s, p.batch.IDs), Mask: p.rows(s, p.batch.Mask),
		MaskedIDs: p.rows(s, p.batch.MaskedIDs), Positions: use(p.positions), Words: use(p.words),
	}
	if c := p.claims; c != nil {
		b.Claims = &Claims{IDs: use(c.IDs), Mask: use(c.Mask), Image: use(c.Image), Holds: use(c.Holds)}
	}
	return b
}
