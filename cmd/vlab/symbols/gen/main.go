// Command gen writes the interpreter's tables of the packages that cells use:
// run it by go generate in the folder above. It does what "yaegi extract" does,
// from compiled packages instead of from source, which saves a minute where cgo
// is among the imports, and as functions instead of init.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	for _, path := range packages() {
		code, err := generate(context.Background(), path)
		if err == nil {
			err = os.WriteFile(fileOf(path), code, 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "write the table of %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}
