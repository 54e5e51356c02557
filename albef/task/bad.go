package task

import (
	"context"
	"log/slog"

	"vlab/albef/data"
	"vlab/albef/train"
)

// openFeed opens a run's training data. With skip_bad, records that can't be
// read are left out and told of; without, the first one is an error.
func openFeed[F any](ctx context.Context, c *train.Config, log *slog.Logger, open func(ctx context.Context) (F, error)) (F, error) {
	if !c.SkipBad {
		return open(ctx)
	}
	var skipped data.Unread
	feed, err := open(data.SkipUnread(ctx, &skipped))
	if skipped.Count > 0 {
		log.Warn("records left out", "count", skipped.Count, "first", skipped.First[0].Error())
	}
	return feed, err
}

// tellBad says how many images of a feed could not be loaded, and which was the
// first; other records were taken in their place.
func tellBad(log *slog.Logger, feed any) {
	f, ok := feed.(interface{ Bad() data.Bad })
	if !ok {
		return
	}
	if bad := f.Bad(); bad.Count > 0 {
		log.Warn("images replaced", "count", bad.Count, "first", bad.First[0].Err.Error())
	}
}
