package kernel

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vlab/repl/session"
	"vlab/repl/session/widgets"
)

// commPrefix begins the types of comms' messages; the kind follows.
const commPrefix = "comm_"

// isComm reports whether a message is for a widget.
func isComm(msgType string) bool {
	return strings.HasPrefix(msgType, commPrefix) && msgType != "comm_info_request"
}

// commHandler maps a message type to its handler.
func (k *kernel) commHandler(msgType string) handler {
	switch kind := strings.TrimPrefix(msgType, commPrefix); kind {
	case widgets.Open, widgets.Msg, widgets.Close:
		return func(_ context.Context, r *request) (any, error) { return nil, k.commReceived(r, kind) }
	}
	return nil
}

// commReceived hands a front end's message to the session.
func (k *kernel) commReceived(r *request, kind string) error {
	var content struct {
		ID     string         `json:"comm_id"`
		Target string         `json:"target_name"`
		Data   map[string]any `json:"data"`
	}
	if err := readContent(r, &content); err != nil {
		return err
	}
	c := session.Comm{Kind: kind, ID: content.ID, Target: content.Target, Data: content.Data, Buffers: r.buffers}
	if err := k.session.Comm(c); err != nil {
		k.log.Warn("widget's message", "comm_id", c.ID, "error", err)
		k.publish(r, commPrefix+widgets.Close, map[string]any{"comm_id": c.ID, "data": map[string]any{}})
	}
	return nil
}

// Comm sends a message of a widget to all front ends.
func (o *output) Comm(c session.Comm) {
	k := o.kernel
	content := map[string]any{"comm_id": c.ID, "data": orEmpty(c.Data)}
	k.commMu.Lock()
	switch c.Kind {
	case widgets.Open:
		k.comms[c.ID] = c.Target
		content["target_name"] = c.Target
	case widgets.Close:
		delete(k.comms, c.ID)
	}
	k.commMu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushLocked()
	if frames, err := k.framesWith(nil, o.parent, commPrefix+c.Kind, orEmpty(c.Metadata), content); err != nil {
		k.log.Error("publish message", "msg_type", commPrefix+c.Kind, "error", err)
	} else {
		k.iopub.Publish(append(frames, c.Buffers...))
	}
}

// closeComms tells front ends that the widgets are gone, with the session that had
// them.
func (k *kernel) closeComms(r *request) {
	k.commMu.Lock()
	defer k.commMu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(k.comms)) {
		k.publish(r, commPrefix+widgets.Close, map[string]any{"comm_id": id, "data": map[string]any{}})
	}
	clear(k.comms)
}

// commInfo lists the open comms, those of a target where one is asked for.
func (k *kernel) commInfo(_ context.Context, r *request) (any, error) {
	var req struct {
		Target string `json:"target_name"`
	}
	if err := readContent(r, &req); err != nil {
		return nil, fmt.Errorf("list comms: %w", err)
	}
	k.commMu.Lock()
	defer k.commMu.Unlock()
	list := map[string]any{}
	for id, target := range k.comms {
		if req.Target == "" || req.Target == target {
			list[id] = map[string]any{"target_name": target}
		}
	}
	return map[string]any{"status": "ok", "comms": list}, nil
}
