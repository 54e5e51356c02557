package lab

import (
	"context"
	"fmt"

	"vlab/albef/text"
	"vlab/albef/torch"
)

// textBatch is how many texts are encoded at a time.
const textBatch = 64

// texts are encoded texts, all in one scope.
type texts struct {
	embeds    *torch.Tensor // [N, T, C]
	ids, mask *torch.Tensor // [N, T], int64
	lengths   []int         // in tokens, [CLS] included
}

// cleanText prepares a text as the official data sets do, uncut.
func cleanText(s string) string { return text.PreCaption(s, 0) }

// tokens makes sentences a rectangle, or says which of them can't be asked.
func (m *Model) tokens(sentences []string) (text.Batch, []int, error) {
	most := m.config.MaxPositions
	clean := make([]string, len(sentences))
	lengths := make([]int, len(sentences))
	for i, s := range sentences {
		clean[i] = cleanText(s)
		lengths[i] = len(m.tok.Encode(clean[i], 0))
		if lengths[i] < 2 {
			return text.Batch{}, nil, hinted("write some words, as in \"a red circle\"", "text %q has no words", s)
		}
		if lengths[i] > most {
			return text.Batch{}, nil, hinted("shorten it", "text %.40q... has %d tokens, the model reads up to %d", s, lengths[i], most)
		}
	}
	return m.tok.Batch(clean, text.BatchOptions{}), lengths, nil
}

// encode runs the text encoder on sentences, a batch at a time.
func (m *Model) encode(ctx context.Context, s *torch.Scope, sentences []string) (texts, error) {
	if len(sentences) == 0 {
		return texts{}, fmt.Errorf("no texts")
	}
	b, lengths, err := m.tokens(sentences)
	if err != nil {
		return texts{}, err
	}
	out := texts{lengths: lengths}
	out.ids = s.Ints(b.IDs, b.B, b.T).ToDevice(m.device)
	out.mask = s.Ints(b.Mask, b.B, b.T).ToDevice(m.device)
	out.embeds, err = inBatches(ctx, s, b.B, textBatch, func(s *torch.Scope, at, n int) *torch.Tensor {
		return m.core.Text.Encode(s.Use(out.ids).Narrow(0, at, n), s.Use(out.mask).Narrow(0, at, n), 0)
	})
	return out, err
}

// feats are the texts' normalised features, [N, D].
func (m *Model) textFeats(t texts) *torch.Tensor { return m.core.TextProj(t.embeds.Select(1, 0)) }

// imageBatch is how many pictures are encoded at a time.
const imageBatch = 16

// embed runs the image encoder on pixels, n pictures of [3, R, R], and returns
// [n, P, C].
func (m *Model) embed(ctx context.Context, s *torch.Scope, pixels []float32) (*torch.Tensor, error) {
	res := m.config.ImageRes
	one := 3 * res * res
	return inBatches(ctx, s, len(pixels)/one, imageBatch, func(s *torch.Scope, at, n int) *torch.Tensor {
		return m.core.Image.Forward(s.Floats(pixels[at*one:(at+n)*one], n, 3, res, res).ToDevice(m.device))
	})
}

// imageFeats are the pictures' normalised features, [N, D].
func (m *Model) imageFeats(embeds *torch.Tensor) *torch.Tensor {
	return m.core.ImageProj(embeds.Select(1, 0))
}

// inBatches joins what part makes of n things, size at a time, along the first
// dimension. It stops between batches when ctx ends.
func inBatches(ctx context.Context, s *torch.Scope, n, size int, part func(s *torch.Scope, at, n int) *torch.Tensor) (*torch.Tensor, error) {
	var parts []*torch.Tensor
	for at := 0; at < n; at += size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.Do(func(s *torch.Scope) { parts = append(parts, s.Keep(part(s, at, min(size, n-at)))) })
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	joined := torch.Cat(0, parts...)
	s.Free(parts...)
	return joined, nil
}
