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
	pointer       *torch.Tensor // [1], int64; mirrors next for checkpoints
	next, size    int
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
	s.Use(q.images).Narrow(1, q.next, n).Copy(images.T())
	s.Use(q.texts).Narrow(1, q.next, n).Copy(texts.T())
	q.next = (q.next + n) % q.size
	s.Use(q.pointer).Copy(s.Ints([]int64{int64(q.next)}, 1))
}

// pushGroups is push with the image id of each entry, [B] int64.
func (q *Queue) pushGroups(images, texts, groups *torch.Tensor) {
	n := groups.Size(0)
	if q.size%n == 0 { // else push says so
		groups.Scope().Use(q.groups).Narrow(1, q.next, n).Copy(groups.View(1, n))
	}
	q.push(images, texts)
}

// bank returns one kind of features [D, Q] as they are now, as parts that lie
// side by side. A graph may keep them while push stores the n features of its
// batch: what that overwrites is copied, the rest, 134 MB with the official
// sizes, is not.
func (q *Queue) bank(s *torch.Scope, feats *torch.Tensor, n int) (parts []*torch.Tensor) {
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
