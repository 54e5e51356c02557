package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

func runVersion(_ context.Context, e env, args []string) error {
	f := newFlags(e, "version", "")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "vlab %s\n", build())
	return nil
}

// build is the version, and with what it was built for what.
func build() string {
	return fmt.Sprintf("%s, built by %s for %s/%s", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// version returns what is known of the version that was built: its tag, else
// its commit, else "dev".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "dev"
}
