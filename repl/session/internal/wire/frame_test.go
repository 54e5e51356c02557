package wire_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"vlab/repl/session/internal/wire"

	"github.com/google/go-cmp/cmp"
)

func TestFramesRoundTrip(t *testing.T) {
	want := wire.Message{
		ID: 7, Op: wire.Display, Display: "a",
		Data: wire.Pack(map[string]any{"text/plain": "hé", "image/png": []byte{0, 255, 1}}),
	}
	var buf bytes.Buffer
	if err := wire.Write(&buf, want); err != nil {
		t.Fatal(err)
	}
	var got wire.Message
	if err := wire.Read(&buf, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	data := got.Data.Unpack()
	if s, ok := data["text/plain"].(string); !ok || s != "hé" {
		t.Errorf("text/plain = %#v, want the string hé", data["text/plain"])
	}
	if b, ok := data["image/png"].([]byte); !ok || !bytes.Equal(b, []byte{0, 255, 1}) {
		t.Errorf("image/png = %#v, want three bytes", data["image/png"])
	}
}

func TestReadRefusesWhatIsNoFrame(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		want error
	}{
		{"end", nil, io.EOF},
		{"cut head", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"cut body", []byte{0, 0, 0, 9, '{'}, io.ErrUnexpectedEOF},
		{"too long", []byte{255, 255, 255, 255}, nil},
		{"no json", []byte{0, 0, 0, 1, '{'}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m wire.Message
			err := wire.Read(bytes.NewReader(tt.in), &m)
			if err == nil {
				t.Fatal("no error")
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}
