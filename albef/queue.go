package albef

import (
	"fmt"

	"vlab/albef/torch"
)

// Queue holds the most recent momentum features of both kinds, the negatives
// for ITC. It is a ring: push overwrites the oldest. The layout is the
// official one, [D, Q].
type Queue struct {
	images, texts *torch.Tensor // [D, Q]
	groups        *torch.Tensor // [1, Q] int64, the image id of each entry; nil in pretraining
	pointer       *torch.Tensor // [1], int64; what checkpoints keep
	next, size    int           // next is the pointer on the host, or elsewhere
}

func newQueue(b builder, c Config) *Queue {
	q := newQueueFeats(b, c)
	q.pointer = b.buffer("queue_ptr", int64s([]int64{0}, b.device, 1))
	return q
}

// newGroupQueue makes a queue that knows which image each entry belongs to.
func newGroupQueue(b builder, c Config) *Queue {
	q := newQueueFeats(b, c)
	q.groups = b.buffer("idx_queue", torch.Full(nil, noGroup, torch.Int64, b.device, 1, c.QueueSize))
	q.pointer = b.buffer("queue_ptr", int64s([]int64{0}, b.device, 1))
	return q
}

// noGroup is the image id of entries that belong to no image of the data, such
// as those that a pretraining checkpoint brings along.
const noGroup = -100

func newQueueFeats(b builder, c Config) *Queue {
	q := &Queue{size: c.QueueSize}
	q.images = b.buffer("image_queue", unitColumns(b.device, c.EmbedDim, c.QueueSize))
	q.texts = b.buffer("text_queue", unitColumns(b.device, c.EmbedDim, c.QueueSize))
	return q
}

// unitColumns draws [d, n] with columns of length 1.
func unitColumns(dev torch.Device, d, n int) *torch.Tensor {
	raw := torch.Full(nil, 0, torch.Float32, dev, d, n)
	defer raw.Close()
	return raw.FillNormal(0, 1).Normalize(0)
}

// push stores features [B, D] of both kinds. B has to divide the queue, as the
// official assert demands.
func (q *Queue) push(images, texts *torch.Tensor) {
	n := images.Size(0)
	if q.size%n != 0 {
		panic(&torch.Error{Op: "queue", Reason: fmt.Sprintf("queue_size %d is no multiple of the batch size %d", q.size, n)})
	}
	s := images.Scope()
	q.write(s, q.images, images.T())
	q.write(s, q.texts, texts.T())
	if q.alone() {
		q.next = elsewhere
		q.pointer.Copy(q.ahead(s, n, 1))
		return
	}
	q.next = (q.next + n) % q.size
	s.Use(q.pointer).Copy(s.Ints([]int64{int64(q.next)}, 1))
}

// pushGroups is push with the image id of each entry, [B] int64.
func (q *Queue) pushGroups(images, texts, groups *torch.Tensor) {
	n := groups.Size(0)
	if q.size%n == 0 { // else push says so
		q.write(groups.Scope(), q.groups, groups.View(1, n))
	}
	q.push(images, texts)
}

// write puts columns [D, n] where the next ones belong in one of the queue's
// tensors.
func (q *Queue) write(s *torch.Scope, to, columns *torch.Tensor) {
	n := columns.Size(1)
	if q.alone() {
		s.Use(to).IndexCopy(1, q.ahead(s, 0, n), columns)
		return
	}
	s.Use(to).Narrow(1, q.place(), n).Copy(columns)
}

// elsewhere is next while the device alone knows it.
const elsewhere = -1

// alone reports whether the device keeps the pointer by itself, so that a step
// that is recorded once writes to another place each time it is replayed.
func (q *Queue) alone() bool { return q.pointer.Meta().Device.IsCUDA() || torch.IsSealed() }

// ahead are n columns of the ring as the device has it, from so many behind the
// next one on: [n] int64.
func (q *Queue) ahead(s *torch.Scope, from, n int) *torch.Tensor {
	steps := s.Arange(q.pointer.Meta().Device, from, from+n, 1)
	return s.Use(q.pointer).Add(steps).Mod(q.size)
}

// place is the column that is written to next.
func (q *Queue) place() int {
	if q.next == elsewhere {
		q.sync()
	}
	return q.next
}

// bank returns one kind of features [D, Q] as they are now, as parts that lie
// side by side. A graph may keep them while push stores the n features of its
// batch: what that overwrites is copied, the rest, 134 MB with the official
// sizes, is not. Where the device keeps the pointer, all of it is copied: what a
// card needs a tenth of a millisecond for.
func (q *Queue) bank(s *torch.Scope, feats *torch.Tensor, n int) (parts []*torch.Tensor) {
	if q.alone() {
		return []*torch.Tensor{s.Use(feats).Clone()}
	}
	q.place()
	all := s.Use(feats).Data()
	end := min(q.next+n, q.size)
	for _, part := range [][2]int{{0, q.next}, {q.next, end}, {end, q.size}} {
		if part[0] == part[1] {
			continue
		}
		x := all.Narrow(1, part[0], part[1]-part[0])
		if part[0] == q.next {
			x = x.Clone()
		}
		parts = append(parts, x)
	}
	return parts
}

// sync reads the pointer anew after a checkpoint was loaded.
func (q *Queue) sync() { q.next = int(q.pointer.Ints()[0]) % q.size }

func int64s(v []int64, dev torch.Device, shape ...int) *torch.Tensor {
	var none *torch.Scope
	t := none.Ints(v, shape...)
	if dev == torch.CPU {
		return t
	}
	defer t.Close()
	return t.ToDevice(dev)
}
