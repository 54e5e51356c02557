package text

// BatchOptions say how texts of different lengths become one rectangle. The
// zero BatchOptions pad to the longest text and cut none, as the official code
// does for VE, NLVR2 and the answers of VQA.
type BatchOptions struct {
	MaxLen   int  // in tokens with [CLS]; 0 means none, and then Truncate and PadToMax do nothing
	Truncate bool // cut longer texts to MaxLen; pretraining: 25
	PadToMax bool // make rows of MaxLen tokens even if all texts are shorter; retrieval evaluation: 30
}

// Batch is B texts of T tokens each, row by row.
type Batch struct {
	IDs  []int64 // [B, T], short rows filled with [PAD]
	Mask []int64 // [B, T], 1 for a token and 0 for filling
	B, T int
}

// Batch encodes texts. T is the length of the longest encoded text, or
// opt.MaxLen if that is more and opt.PadToMax is set; a MaxLen without Truncate
// cuts nothing.
func (t *Tokenizer) Batch(texts []string, opt BatchOptions) Batch {
	limit := 0
	if opt.Truncate {
		limit = opt.MaxLen
	}
	b := Batch{B: len(texts)}
	if opt.PadToMax {
		b.T = max(opt.MaxLen, 0)
	}
	rows := make([][]int, len(texts))
	for i, s := range texts {
		rows[i] = t.Encode(s, limit)
		b.T = max(b.T, len(rows[i]))
	}
	b.fill(rows, int64(t.special.pad))
	return b
}

func (b *Batch) fill(rows [][]int, pad int64) {
	b.IDs = make([]int64, b.B*b.T)
	b.Mask = make([]int64, b.B*b.T)
	for i, row := range rows {
		ids, mask := b.IDs[i*b.T:(i+1)*b.T], b.Mask[i*b.T:(i+1)*b.T]
		for j := range ids {
			if j < len(row) {
				ids[j], mask[j] = int64(row[j]), 1
			} else {
				ids[j] = pad
			}
		}
	}
}
