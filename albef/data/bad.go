package data

import "context"

// Bad tells of the samples that a [Loader] could not load.
type Bad struct {
	Count int          // failures; a record that fails twice counts twice
	First []BadSample  // the first hundred different records
	named map[int]bool // those in First
}

// BadSample is a record that failed to load.
type BadSample struct {
	Index int // in the source
	Err   error
}

// maxNamed bounds what is remembered of bad records.
const maxNamed = 100

// Bad returns the failures in the batches delivered since the start or the last
// [Loader.Seek].
func (l *Loader) Bad() Bad { return l.bad }

func (b *Bad) add(s BadSample) {
	b.Count++
	if b.named[s.Index] || len(b.First) >= maxNamed {
		return
	}
	if b.named == nil {
		b.named = map[int]bool{}
	}
	b.named[s.Index] = true
	b.First = append(b.First, s)
}

// account adds the failures of s to the count and returns an error where there
// are too many.
func (l *Loader) account(s *slot) error {
	l.tried += len(s.batch.Index)
	for _, failures := range s.failures[:len(s.batch.Index)] {
		l.tried += len(failures)
		for _, f := range failures {
			l.bad.add(f)
		}
	}
	const hint = "check image_root and the files named; the limit can be raised in the configuration of the loader"
	for i, fatal := range s.fatal[:len(s.batch.Index)] { // without MaxBad's grace: nothing can take their place
		if !fatal {
			continue
		}
		f := s.failures[i]
		return hinted(hint, "load epoch %d step %d: records %d to %d are all bad, the first: %w",
			s.batch.Epoch, s.batch.Step, f[0].Index, f[len(f)-1].Index, f[0].Err)
	}
	limit := max(0, l.config.MaxBad) // a negative one is dealt with above
	if l.tried < badGrace || float64(l.bad.Count) <= limit*float64(l.tried) {
		return nil
	}
	return hinted(hint, "load epoch %d step %d: %d of the last %d records are bad, more than %.0f %%, the first: %w",
		s.batch.Epoch, s.batch.Step, l.bad.Count, l.tried, 100*limit, l.bad.First[0].Err)
}

// Unread tells of the records that could not be read.
type Unread struct {
	Count int
	First []error // the first ten, with file, line and key
}

func (u *Unread) add(err error) {
	u.Count++
	if len(u.First) < 10 {
		u.First = append(u.First, err)
	}
}

// unreadKey is that of an [Unread] in a context.
type unreadKey struct{}

// SkipUnread returns a context under which the readers of records leave out a
// record that is wrong and note it in skipped, where they else fail. A file that
// is no list of records fails all the same.
func SkipUnread(ctx context.Context, skipped *Unread) context.Context {
	return context.WithValue(ctx, unreadKey{}, skipped)
}

// Skip notes err, which says what is wrong with a record, where ctx is of
// [SkipUnread], and reports whether it did: the record is to be left out then.
func Skip(ctx context.Context, err error) bool {
	skipped := skippedIn(ctx)
	if skipped != nil {
		skipped.add(err)
	}
	return skipped != nil
}

// skippedIn returns where ctx wants unread records noted; nil: they are errors.
func skippedIn(ctx context.Context) *Unread {
	skipped, _ := ctx.Value(unreadKey{}).(*Unread)
	return skipped
}
