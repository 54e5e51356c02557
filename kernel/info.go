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

// commInfo lists the open comms, of which there are none.
func (k *kernel) commInfo(context.Context, *request) (any, error) {
	return map[string]any{"status": "ok", "comms": map[string]any{}}, nil
}

// commOpen closes again what a front end opens: no target has a handler, and
// this is how the protocol says so.
func (k *kernel) commOpen(_ context.Context, r *request) (any, error) {
	var req struct {
		CommID string `json:"comm_id"`
	}
	if err := readContent(r, &req); err != nil {
		return nil, err
	}
	k.publish(r, "comm_close", map[string]any{"comm_id": req.CommID, "data": map[string]any{}})
	return nil, nil
}
