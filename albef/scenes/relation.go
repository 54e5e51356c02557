package scenes

// Relation says how one object's centre lies to another's.
type Relation int

// The relations. Y grows downwards, so the object above has the smaller y.
const (
	NoRelation Relation = iota
	LeftOf
	RightOf
	Above
	Below
)

// RelationCount is the number of relations, without [NoRelation].
const RelationCount = int(Below)

var relationNames = [RelationCount + 1]string{"", "left of", "right of", "above", "below"}

// String returns the relation's words, and the empty string for [NoRelation].
func (r Relation) String() string { return relationNames[r] }

// Opposite returns the relation seen from the other object: [LeftOf] for [RightOf], [Above] for [Below].
func (r Relation) Opposite() Relation {
	return [RelationCount + 1]Relation{NoRelation, RightOf, LeftOf, Below, Above}[r]
}

// Truth is the verdict on a claim. The zero Truth is [Unclear].
type Truth int

// The verdicts. Unclear is said of relations alone, when two centres differ too little to name and too much to
// deny.
const (
	Unclear Truth = iota
	True
	False
)

// String returns "unclear", "true" or "false".
func (t Truth) String() string { return [...]string{"unclear", "true", "false"}[t] }

// Fractions of the picture's side: centres that differ by a side/relationHolds show the relation, by at most
// side/relationFails they do not. Two objects never come so near that all four relations fail.
const (
	relationHolds = 8
	relationFails = 32
)

// Related judges whether object a is in relation r to object b; a and b index s.Objects.
func (s *Scene) Related(a int, r Relation, b int) Truth {
	ax, ay := s.Objects[a].Centre()
	bx, by := s.Objects[b].Centre()
	var gap float64
	switch r {
	case LeftOf:
		gap = bx - ax
	case RightOf:
		gap = ax - bx
	case Above:
		gap = by - ay
	case Below:
		gap = ay - by
	default:
		return True // no relation is claimed
	}
	side := float64(s.Size)
	switch {
	case gap >= side/relationHolds:
		return True
	case gap <= side/relationFails:
		return False
	}
	return Unclear
}

// Relations returns the relations that are true of a and b, one or two.
func (s *Scene) Relations(a, b int) []Relation {
	var found []Relation
	for r := LeftOf; r <= Below; r++ {
		if s.Related(a, r, b) == True {
			found = append(found, r)
		}
	}
	return found
}
