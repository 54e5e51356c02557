package data

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Report is what [Validate] found.
type Report struct {
	Records        int
	Images         int      // different paths
	Missing        int      // different paths that are no file, or an empty one
	MissingRecords int      // records that name at least one of them
	FirstMissing   []string // the first ten, in order of appearance
}

// String tells the report in one line, or more where images are missing.
func (r Report) String() string {
	s := fmt.Sprintf("%d records, %d images, %d missing", r.Records, r.Images, r.Missing)
	if r.Missing == 0 {
		return s
	}
	s += fmt.Sprintf(" in %d records:\n  %s", r.MissingRecords, strings.Join(r.FirstMissing, "\n  "))
	if rest := r.Missing - len(r.FirstMissing); rest > 0 {
		s += fmt.Sprintf("\n  and %d more", rest)
	}
	return s
}

// Validate looks for the image files of records, without reading them. It fails
// only when ctx ends.
func Validate[R Record](ctx context.Context, records []R) (Report, error) {
	number := map[string]int{}
	var paths []string
	for _, r := range records {
		for _, p := range r.ImagePaths() {
			if groupOf(number, p) == len(paths) {
				paths = append(paths, p)
			}
		}
	}
	absent, err := absentFiles(ctx, paths)
	if err != nil {
		return Report{}, fmt.Errorf("validate annotations: %w", err)
	}
	report := Report{Records: len(records), Images: len(paths)}
	for i, p := range paths {
		if !absent[i] {
			continue
		}
		report.Missing++
		if len(report.FirstMissing) < 10 {
			report.FirstMissing = append(report.FirstMissing, p)
		}
	}
	for _, r := range records {
		for _, p := range r.ImagePaths() {
			if absent[number[p]] {
				report.MissingRecords++
				break
			}
		}
	}
	return report, nil
}

// Readable decodes the images of all records and returns the records that have
// no image which can't be; under [SkipUnread] those that do are noted, without it
// the first is an error.
func Readable[R Record](ctx context.Context, records []R) ([]R, error) {
	errs := make([]error, len(records))
	group, inner := errgroup.WithContext(ctx)
	readers := runtime.GOMAXPROCS(0)
	for first := range readers {
		group.Go(func() error {
			var d Decoder
			for i := first; i < len(records); i += readers {
				if err := inner.Err(); err != nil {
					return err
				}
				for _, path := range records[i].ImagePaths() {
					if _, err := d.Decode(path); err != nil {
						errs[i] = err
						break
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := records[:0:0]
	for i, err := range errs {
		switch {
		case err == nil:
			out = append(out, records[i])
		case !Skip(ctx, err):
			return nil, err
		}
	}
	return out, nil
}

// absentFiles asks for many files at once: on a network file system each
// question takes milliseconds.
func absentFiles(ctx context.Context, paths []string) ([]bool, error) {
	const askers = 16
	absent := make([]bool, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	for a := range askers {
		group.Go(func() error {
			for i := a; i < len(paths); i += askers {
				if err := ctx.Err(); err != nil {
					return err
				}
				size, err := imageSize(paths[i])
				absent[i] = err != nil || size == 0
			}
			return nil
		})
	}
	return absent, group.Wait()
}

// Folder returns the paths of the image files in dir and the folders below it,
// in lexical order, told by their names. What begins with a dot is left out. A
// folder without any is an error.
func Folder(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && path != dir
		if entry.IsDir() {
			if hidden {
				return filepath.SkipDir
			}
			return nil
		}
		if !hidden && isImageName(path) {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, hinted("name a folder of images", "list images: %w", err)
	}
	if len(paths) == 0 {
		return nil, hinted("JPEG, PNG, GIF, WebP and BMP files count", "list images: none in %s", dir)
	}
	return paths, nil
}
