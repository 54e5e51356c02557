package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/train"
)

// reading is how a task reads records that it can train on or measure.
type reading[R data.Record] struct {
	key  string // of the configuration, train_file for example
	read func(ctx context.Context) ([]R, error)
	// texts are those of a record that must not be longer than the model's
	// positions, as they are encoded; nil: all are cut.
	texts func(r R) []string
}

// training reads records to train on. Without skip_bad the first that is wrong,
// a missing image and a text that is too long are errors; with it they are left
// out, but images, for which others are taken when they are needed.
func (rd reading[R]) training(ctx context.Context, r *Run, tok *text.Tokenizer, positions int) ([]R, error) {
	if r.Config.SkipBad {
		return rd.checked(ctx, r, tok, positions)
	}
	var wrong data.Unread
	records, err := rd.checked(data.SkipUnread(ctx, &wrong), r, tok, positions)
	if wrong.Count > 0 {
		return nil, wrongRecords(wrong)
	}
	return records, err
}

// checked are the records that can be read and whose texts fit.
func (rd reading[R]) checked(ctx context.Context, r *Run, tok *text.Tokenizer, positions int) ([]R, error) {
	records, err := rd.read(ctx)
	if err != nil {
		return nil, err
	}
	fit, err := rd.fitting(ctx, records, tok, positions)
	if err != nil {
		return nil, err
	}
	return fit, validate(ctx, r.Logger, records, r.Config.SkipBad)
}

// wrongRecords is the error for records that can't be read: the first, and what
// is known of the others below it.
func wrongRecords(wrong data.Unread) error {
	first := wrong.First[0]
	if wrong.Count == 1 {
		return first
	}
	var others strings.Builder
	fmt.Fprintf(&others, "\n%d more records are wrong:", wrong.Count-1)
	for _, err := range wrong.First[1:] {
		fmt.Fprintf(&others, "\n  %v", err)
	}
	if rest := wrong.Count - len(wrong.First); rest > 0 {
		fmt.Fprintf(&others, "\n  and %d more", rest)
	}
	return &hintError{fmt.Errorf("%w%s", first, others.String()), "skip_bad: true, or --skip_bad, goes on without them"}
}

// measured reads records to measure. Without skip_bad the first that is wrong, a
// missing image and a text that is too long are errors; with it they are left
// out, and so are images that can't be decoded, which takes a look at all of
// them.
func (rd reading[R]) measured(ctx context.Context, r *Run, tok *text.Tokenizer, positions int) ([]R, error) {
	if !r.Config.SkipBad {
		records, err := rd.training(ctx, r, tok, positions)
		if err == nil && len(records) == 0 {
			err = fmt.Errorf("config: %s: no records", rd.key)
		}
		return records, err
	}
	var skipped data.Unread
	ctx = data.SkipUnread(ctx, &skipped)
	records, err := rd.read(ctx)
	if err != nil {
		return nil, err
	}
	if records, err = data.Readable(ctx, records); err != nil {
		return nil, err
	}
	if records, err = rd.fitting(ctx, records, tok, positions); err != nil {
		return nil, err
	}
	r.Logger.Info("data", "file", rd.key, "records", len(records))
	tellSkipped(r.Logger, rd.key, skipped)
	if len(records) == 0 {
		return nil, fmt.Errorf("config: %s: no record that can be measured", rd.key)
	}
	return records, nil
}

// fitting are the records whose texts the model can read.
func (rd reading[R]) fitting(ctx context.Context, records []R, tok *text.Tokenizer, positions int) ([]R, error) {
	if rd.texts == nil {
		return records, nil
	}
	out := records[:0:0]
	for _, record := range records {
		var wrong error
		for _, s := range rd.texts(record) {
			if len(s)+2 <= positions { // a token is a byte or more
				continue
			}
			if n := len(tok.Encode(s, 0)); n > positions {
				wrong = &hintError{
					fmt.Errorf("%s: the record of %s: %.40q... has %d tokens, and the model reads %d",
						rd.key, record.ImagePaths()[0], s, n, positions),
					"shorten it; skip_bad: true, or --skip_bad, goes on without the record",
				}
				break
			}
		}
		switch {
		case wrong == nil:
			out = append(out, record)
		case !data.Skip(ctx, wrong):
			return nil, wrong
		}
	}
	return out, nil
}

// trainLoader loads batches to train on. With skip_bad it goes on whatever the
// share of images that can't be read.
func trainLoader(c *train.Config, source data.Source, batch, size, images int) (*data.Loader, error) {
	config := data.LoaderConfig{Batch: batch, Size: size, Images: images, Seed: uint64(c.Seed), Workers: c.NumWorkers}
	if c.SkipBad {
		config.MaxBad = 1
	}
	return data.NewLoader(source, config)
}

// openFeed opens a run's training data. With skip_bad, records that can't be
// read are left out and told of; without, the first one is an error.
func openFeed[F any](ctx context.Context, c *train.Config, log *slog.Logger, open func(ctx context.Context) (F, error)) (F, error) {
	if !c.SkipBad {
		return open(ctx)
	}
	var skipped data.Unread
	feed, err := open(data.SkipUnread(ctx, &skipped))
	tellSkipped(log, "train_file", skipped)
	return feed, err
}

// tellSkipped says how many records were left out, and which were the first.
func tellSkipped(log *slog.Logger, key string, skipped data.Unread) {
	if skipped.Count == 0 {
		return
	}
	log.Warn("records left out", "count", skipped.Count, "first", skipped.First[0].Error(), "file", key)
	for _, err := range skipped.First[1:] {
		log.Warn("left out too", "record", err.Error())
	}
}

// tellConstant warns of losses that stand where one answer for every pair does.
func tellConstant(log *slog.Logger, means map[string]float64) {
	for _, what := range train.Constant(means) {
		log.Warn("a loss is no better than a constant answer's", "loss", what)
	}
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

// validate looks whether the records' images are there, and says what it found.
func validate[R data.Record](ctx context.Context, log *slog.Logger, records []R, skipBad bool) error {
	report, err := data.Validate(ctx, records)
	if err != nil {
		return err
	}
	log.Info("data", "report", report.String())
	if report.Missing > 0 && !skipBad {
		return &hintError{
			fmt.Errorf("data: %d of %d images are missing, the first is %s", report.Missing, report.Images, report.FirstMissing[0]),
			"check image_root; skip_bad: true, or --skip_bad, goes on with the rest",
		}
	}
	return nil
}

// noTrainFile is the error for a task that has nothing to train on.
func noTrainFile(records string) error {
	return &hintError{errors.New("config: train_file is missing"), "name the records " + records + ", or only --evaluate"}
}
