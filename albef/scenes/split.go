package scenes

import "math/rand/v2"

// Split names a part of the corpus. The zero Split is [Train].
type Split int

// The splits. Scenes of different splits never come from the same random stream, even with the same seed and
// index.
const (
	Train   Split = iota // no held-out pair
	Val                  // no held-out pair, unseen streams
	Test                 // no held-out pair, unseen streams
	HeldOut              // at least one held-out pair in every scene
)

// Splits returns all splits in order.
func Splits() []Split { return []Split{Train, Val, Test, HeldOut} }

// String returns "train", "val", "test" or "heldout", as in file names.
func (s Split) String() string { return [...]string{"train", "val", "test", "heldout"}[s] }

// allows reports whether the pair may be drawn or mentioned in the split.
func (s Split) allows(p Pair) bool { return s == HeldOut || !p.IsHeldOut() }

// sceneRand returns the random source of one scene. Seed and index go through mix64, so that neighbouring
// indices have unrelated streams.
func sceneRand(seed uint64, i int, split Split) *rand.Rand {
	return rand.New(rand.NewPCG(mix64(seed), mix64(mix64(uint64(i))+uint64(split))))
}

// mix64 is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014), a bijection of 64 bits.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
