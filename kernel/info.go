package kernel

import (
	"context"
	"runtime"
	"strings"
)

// kernelInfo says what this kernel is and how its language is to be shown.
func (k *kernel) kernelInfo(context.Context, *request) (any, error) {
	goVersion := strings.TrimPrefix(runtime.Version(), "go")
	banner := k.options.Banner
	if banner == "" {
		banner = "vlab " + k.options.Version + ", Go " + goVersion
	}
	return map[string]any{
		"status":                 "ok",
		"protocol_version":       protocolVersion,
		"implementation":         "vlab",
		"implementation_version": k.options.Version,
		"banner":                 banner,
		"debugger":               false,
		"supported_features":     []string{},
		"language_info": map[string]any{
			"name":               "go",
			"version":            goVersion,
			"mimetype":           "text/x-go",
			"file_extension":     ".go",
			"pygments_lexer":     "go",
			"codemirror_mode":    map[string]any{"name": "go"},
			"nbconvert_exporter": "script",
		},
		"help_links": []map[string]any{{"text": "Go", "url": "https://go.dev/doc/"}},
	}, nil
}
