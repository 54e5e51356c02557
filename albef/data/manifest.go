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
	s := newRecordScanner(f)
	for {
		if s.index&0xfff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		err := s.next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, hinted("the file must hold one json list of objects, or an object a line", "read annotations %s:%d: %w", path, s.line, err)
		}
		var wire W
		err = json.Unmarshal(s.record, &wire)
		var record R
		if err == nil {
			record, err = build(&wire)
		}
		if err != nil {
			return nil, recordError(path, s, err)
		}
		records = append(records, record)
	}
}

// keyError says what is wrong with one key of a record.
type keyError struct{ key, problem string }

func (e *keyError) Error() string { return fmt.Sprintf("key %q %s", e.key, e.problem) }

// recordError adds the place to an error about the record that s stands on.
func recordError(path string, s *recordScanner, err error) error {
	line := s.recordLine
	hint := "the record must be as in the official annotation files"
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line += newlines(s.record, syntax.Offset)
		hint = "the file is not valid json at this place"
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		line += newlines(s.record, wrong.Offset)
		err = &keyError{wrong.Field, fmt.Sprintf("is %s, want %s", article(wrong.Value), wanted(wrong.Type))}
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

// underRoot is Python's os.path.join(root, name): an absolute name stands alone.
func underRoot(root, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(root, name)
}
