package symbols

import (
	_ "embed"
	"encoding/json"
	"sync"

	"vlab/repl/session/symbols/comments"
)

//go:embed docs.json
var docsFile []byte

// docs are the doc comments of the packages that cells use, by import path and name.
var docs = sync.OnceValue(func() map[string]comments.Package { //nolint:gochecknoglobals // read once
	var d map[string]comments.Package
	if err := json.Unmarshal(docsFile, &d); err != nil {
		panic(err) // it is part of the binary
	}
	return d
})

// Comment returns what a package says of a name, or of a method or field as
// Type.Name; of itself with no name. It is empty where there is none.
func Comment(importPath, name string) comments.Comment { return docs()[importPath][name] }
