package symbols

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"vlab/repl/session/symbols/comments"
)

//go:embed std_docs.zip
var stdDocs []byte

// library is the standard library's comments, a file of JSON a package, of which
// those that were asked for have been read.
var library = struct { //nolint:gochecknoglobals // read once
	sync.Mutex
	zip  *zip.Reader
	read map[string]comments.Package
}{read: map[string]comments.Package{}}

// Comment returns what the standard library says of a package's name, or of a method
// or field as Type.Name, or of the package with no name.
func Comment(importPath, name string) comments.Comment {
	library.Lock()
	defer library.Unlock()
	p, ok := library.read[importPath]
	if !ok {
		var err error
		if p, err = readComments(importPath); err != nil {
			panic(err) // it is part of the binary
		}
		library.read[importPath] = p
	}
	return p[name]
}

// readComments reads those of a package; there are none of one that isn't the
// standard library's.
func readComments(importPath string) (comments.Package, error) {
	if library.zip == nil {
		z, err := zip.NewReader(bytes.NewReader(stdDocs), int64(len(stdDocs)))
		if err != nil {
			return nil, fmt.Errorf("read the embedded comments: %w", err)
		}
		library.zip = z
	}
	f, err := library.zip.Open(importPath + ".json")
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	var p comments.Package
	if err := json.NewDecoder(f).Decode(&p); err != nil {
		return nil, fmt.Errorf("read the embedded comments of %s: %w", importPath, err)
	}
	return p, nil
}
