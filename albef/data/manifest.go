package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// readRecords decodes every object of the json lists, or of the lines, in files into a W and
// turns it into a record by build. Errors name the file, the line, the record
// (counted from 0 in its file) and the key.
func readRecords[W, R any](ctx context.Context, files []string, build func(*W) (R, error)) ([]R, error) {
	if len(files) == 0 {
		return nil, hinted("name at least one json file", "read annotations: no files")
	}
	var records []R
	for _, path := range files {
		var err error
		if records, err = appendRecords(ctx, records, path, build); err != nil {
			return nil, err
		}
	}
	return records, nil
}

func appendRecords[W, R any](ctx context.Context, records []R, path string, build func(*W) (R, error)) ([]R, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, hinted("check the paths of the json files in the configuration", "read annotations: %w", err)
	}
	defer f.Close()
	s, skipped := newRecordScanner(f), skippedIn(ctx)
	for {
		if s.index&0xfff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		err := s.next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			hint := "the file must hold one json list of objects, or an object a line"
			if errors.Is(err, errUTF16) {
				hint = "save the file as UTF-8, for example with iconv -f UTF-16 -t UTF-8"
			}
			return nil, hinted(hint, "read annotations %s:%d: %w", path, s.line, err)
		}
		var wire W
		if err = s.check(); err == nil {
			err = json.Unmarshal(s.record, &wire)
		}
		var record R
		if err == nil {
			record, err = build(&wire)
		}
		if err == nil {
			records = append(records, record)
			continue
		}
		if err = recordError(path, s, err); skipped == nil {
			return nil, err
		}
		skipped.add(err)
	}
}

// keyError says what is wrong with one key of a record.
type keyError struct{ key, problem string }

func (e *keyError) Error() string { return fmt.Sprintf("key %q %s", e.key, e.problem) }

// placedError is an error at a byte of a record; others are where their key is.
type placedError struct {
	error
	at int
}

func (e *placedError) Unwrap() error { return e.error }

// recordError adds the place to an error about the record that s stands on.
func recordError(path string, s *recordScanner, err error) error {
	line := s.recordLine
	hint := "the record must be as in the official annotation files"
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line += newlines(s.record, syntax.Offset)
		hint = "the file is not valid json at this place"
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		err = &keyError{wrong.Field, fmt.Sprintf("is %s, want %s", article(wrong.Value), wanted(wrong.Type))}
		if wrong.Offset > 0 {
			err = &placedError{err, int(wrong.Offset)}
		}
	}
	if placed, ok := errors.AsType[*placedError](err); ok {
		line += newlines(s.record, int64(placed.at))
	} else if wrong, ok := errors.AsType[*keyError](err); ok {
		line += newlines(s.record, int64(s.offsetOf(wrong.key)))
	}
	return hinted(hint, "read annotations %s:%d: record %d: %w", path, line, s.index, err)
}

func newlines(record []byte, offset int64) int {
	return bytes.Count(record[:min(max(offset, 0), int64(len(record)))], []byte("\n"))
}

func article(jsonKind string) string {
	switch jsonKind {
	case "array":
		return "a list"
	case "object":
		return "an object"
	default:
		return "a " + jsonKind
	}
}

// wanted names in json's words what a Go type takes.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a string or a list of strings"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Bool:
		return "true or false"
	default:
		return "a whole number"
	}
}

// missing returns an error for the first key in keys that has no value.
func missing(keys ...presence) error {
	for _, k := range keys {
		if !k.there {
			return &keyError{k.key, "is missing"}
		}
	}
	return nil
}

type presence struct {
	key   string
	there bool
}

// imagePath is where the image that a record names under key lies. An absolute
// name stands alone, as in Python's os.path.join.
func imagePath(root, key, name string) (string, error) {
	if name == "" {
		return "", &keyError{key, "is empty"}
	}
	if strings.Contains(name, "\x00") {
		return "", &keyError{key, fmt.Sprintf("is %q, and no path has a zero byte", name)}
	}
	if filepath.IsAbs(name) {
		return name, nil
	}
	return filepath.Join(root, name), nil
}

// blank returns an error if any of a key's texts has nothing to read.
func blank(key string, texts ...string) error {
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			return &keyError{key, fmt.Sprintf("is %q, a text without words", text)}
		}
	}
	return nil
}

// texts is a json string or list of strings.
type texts struct {
	list   []string
	single bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		t.list, t.single = make([]string, 1), true
		return json.Unmarshal(b, &t.list[0])
	}
	err := json.Unmarshal(b, &t.list)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if b[0] == '[' {
			return &json.UnmarshalTypeError{Value: "list that holds a " + wrong.Value, Type: reflect.TypeFor[[]string]()}
		}
		return &json.UnmarshalTypeError{Value: wrong.Value, Type: reflect.TypeFor[[]string]()}
	}
	return err
}

// identifier is a json string or number, kept as text: official files have both.
type identifier string

// UnmarshalJSON implements json.Unmarshaler.
func (id *identifier) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(id))
	}
	if _, err := strconv.ParseFloat(string(b), 64); err != nil {
		return &json.UnmarshalTypeError{Value: kindOf(b), Type: reflect.TypeFor[string]()}
	}
	*id = identifier(b)
	return nil
}

func kindOf(b []byte) string {
	switch b[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "bool"
	default:
		return "value " + string(b)
	}
}
