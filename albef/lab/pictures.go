package lab

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"image"
	"math"
	"slices"

	"vlab/albef"
	"vlab/albef/torch"
)

// pictureBytes bounds what a model keeps of the pictures that it was asked
// about: ten or so of the official size.
const pictureBytes = 256 << 20

// picture is what the model sees of a picture: embeds [1, P, C], and keys and
// values for the fusion layers.
type picture struct {
	embeds *torch.Tensor
	image  albef.KeyValues
}

// pictureKey tells pictures apart by what the model is fed.
type pictureKey [sha256.Size]byte

func keyOf(pixels []float32) pictureKey {
	raw := make([]byte, 0, 4*len(pixels))
	for _, x := range pixels {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return sha256.Sum256(raw)
}

// pictures are those that a model was asked about last, the latest first. What
// they hold belongs to no scope.
type pictures struct {
	list    []keptPicture
	bytes   int
	most    int // bytes; 0 keeps none
	encoded int // how often a picture was encoded
}

type keptPicture struct {
	key pictureKey
	picture
	bytes int
}

// find returns what is kept of a picture, in s.
func (p *pictures) find(s *torch.Scope, key pictureKey) (picture, bool) {
	i := slices.IndexFunc(p.list, func(k keptPicture) bool { return k.key == key })
	if i < 0 {
		return picture{}, false
	}
	found := p.list[i]
	p.list = slices.Insert(slices.Delete(p.list, i, i+1), 0, found)
	return picture{s.Use(found.embeds), found.image.In(s)}, true
}

// keep remembers a picture, and forgets the oldest where there is no room.
func (p *pictures) keep(key pictureKey, x picture) {
	bytes := x.embeds.Numel()*x.embeds.Meta().DType.Bytes() + x.image.Bytes()
	if bytes > p.most {
		return
	}
	for p.bytes+bytes > p.most {
		p.drop()
	}
	var none *torch.Scope
	p.list = slices.Insert(p.list, 0, keptPicture{key, picture{none.Use(x.embeds), x.image.In(none)}, bytes})
	p.bytes += bytes
}

// drop forgets the oldest.
func (p *pictures) drop() {
	last := len(p.list) - 1
	old := p.list[last]
	old.embeds.Close()
	old.image.Close()
	p.bytes -= old.bytes
	p.list = slices.Delete(p.list, last, last+1)
}

// clear forgets all.
func (p *pictures) clear() {
	for len(p.list) > 0 {
		p.drop()
	}
}

// see encodes a picture, unless it was asked about before and the weights are
// the same since: a model in training keeps none. The caller is within work.
func (m *Model) see(ctx context.Context, s *torch.Scope, img image.Image) (picture, error) {
	pixels, err := m.pixelsOf(img)
	if err != nil {
		return picture{}, err
	}
	if err := ctx.Err(); err != nil {
		return picture{}, err
	}
	key := keyOf(pixels)
	if !m.live {
		if found, ok := m.pictures.find(s, key); ok {
			return found, nil
		}
	}
	encoder, text := m.encoders()
	var seen picture
	s.Do(func(s *torch.Scope) {
		seen.embeds = s.Keep(encoder.Forward(s.Floats(pixels, 1, 3, m.config.ImageRes, m.config.ImageRes).ToDevice(m.device)))
	})
	seen.image = text.Image(seen.embeds)
	m.pictures.encoded++
	if !m.live {
		m.pictures.keep(key, seen)
	}
	return seen, nil
}

// encoders are those of the model's task; the caller is within work.
func (m *Model) encoders() (*albef.ImageEncoder, *albef.TextModel) {
	switch {
	case m.vqa != nil:
		return m.vqa.Image, m.vqa.Text
	case m.judge != nil:
		return m.judge.Image, m.judge.Text
	}
	return m.core.Image, m.core.Text
}
