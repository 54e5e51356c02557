package data

import "math/rand/v2"

// order is the sequence of records of one epoch on one of several processes,
// the same on all of them before it is dealt out.
type order struct {
	rank, world int
	perm        []uint32 // nil: records in their own order
	n           int
}

// set prepares epoch. The sequence depends on n, seed and epoch only.
func (o *order) set(seed uint64, epoch int, shuffled Order) {
	if shuffled != Shuffled {
		o.perm = nil
		return
	}
	if o.perm == nil {
		o.perm = make([]uint32, o.n)
	}
	for i := range o.perm {
		o.perm[i] = uint32(i)
	}
	rng := rand.New(rand.NewPCG(mix(seed), mix(uint64(epoch)+1)))
	rng.Shuffle(o.n, func(i, j int) { o.perm[i], o.perm[j] = o.perm[j], o.perm[i] })
}

// at is the record at place i of this process. Places go round where the
// records do not divide evenly, as in PyTorch's DistributedSampler.
func (o *order) at(i int) int {
	g := (i*o.world + o.rank) % o.n
	if o.perm == nil {
		return g
	}
	return int(o.perm[g])
}

// mix is the finaliser of SplitMix64: neighbouring seeds give unrelated streams.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
