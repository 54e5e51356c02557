package symbols

import (
	_ "embed"
	"encoding/json"
	"sync"
)

//go:embed docs.json
var docsFile []byte

// docs are the doc comments of the packages that cells use, by import path and name.
var docs = sync.OnceValue(func() map[string]map[string]string { //nolint:gochecknoglobals // read once
	var d map[string]map[string]string
	if err := json.Unmarshal(docsFile, &d); err != nil {
		panic(err) // it is part of the binary
	}
	return d
})

// Doc returns the doc comment of a package's name, or of a method or field as
// Type.Name; of the package itself with no name. It is empty where there is none.
func Doc(importPath, name string) string { return docs()[importPath][name] }
