package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"vlab/kernel/zmtp"
)

// handler answers a request with the content of its reply; nil means that none
// is sent. An error becomes a reply of status error.
type handler func(ctx context.Context, r *request) (content any, err error)

// shellHandler maps a message type to its handler, or returns nil.
func (k *kernel) shellHandler(msgType string) handler {
	switch msgType {
	case "execute_request":
		return k.execute
	case "complete_request":
		return k.complete
	case "inspect_request":
		return k.inspect
	case "is_complete_request":
		return k.isComplete
	case "history_request":
		return k.historyOf
	case "comm_info_request":
		return k.commInfo
	}
	return k.controlHandler(msgType)
}

// controlHandler does so for the control channel, which takes what may not wait
// for a cell and leaves alone what belongs to the shell channel's goroutine.
// Old clients send these on the shell channel.
func (k *kernel) controlHandler(msgType string) handler {
	switch msgType {
	case "kernel_info_request":
		return k.kernelInfo
	case "interrupt_request":
		return k.interruptRequest
	case "shutdown_request":
		return k.shutdown
	}
	return nil
}

// channel is one of the two that requests come on.
type channel struct {
	name      string
	inbox     *inbox
	socket    *zmtp.Router
	handlerOf func(msgType string) handler
}

// serve handles the requests of one channel until its inbox is closed.
func (k *kernel) serve(ctx context.Context, c *channel) {
	for {
		r, ok := c.inbox.pop()
		if !ok {
			return
		}
		k.handle(ctx, r, c)
		if r.header.MsgType == "shutdown_request" {
			k.stop()
		}
	}
}

// handle is the law of order: busy, what the handler puts out, its reply, idle.
func (k *kernel) handle(ctx context.Context, r *request, c *channel) {
	r.started = now()
	k.publish(r, "status", statusBusy)
	defer k.idle(r, c)
	content, err := k.answer(ctx, r, c.handlerOf(r.header.MsgType))
	if err != nil {
		content = errorContent(err)
	}
	if content != nil {
		k.send(c.socket, r, replyType(r.header.MsgType), content)
	}
}

// The contents of status messages.
var (
	statusBusy = map[string]any{"execution_state": "busy"} //nolint:gochecknoglobals // constants
	statusIdle = map[string]any{"execution_state": "idle"} //nolint:gochecknoglobals // constants
)

// idle says that a request was handled. While a cell runs and a widget's message is
// handled beside it, the kernel is still busy, which front ends are told again.
func (k *kernel) idle(r *request, c *channel) {
	k.statusMu.Lock()
	defer k.statusMu.Unlock()
	if k.running == r {
		k.running = nil
	}
	k.publish(r, "status", statusIdle)
	if c == &k.comm && k.running != nil {
		k.publish(k.running, "status", statusBusy)
	}
}

// runs notes the request whose cell runs.
func (k *kernel) runs(r *request) {
	k.statusMu.Lock()
	defer k.statusMu.Unlock()
	k.running = r
}

// answer calls the handler. A panic of one is a fault of ours, but a kernel
// that dies of it would take the person's variables with it.
func (k *kernel) answer(ctx context.Context, r *request, h handler) (content any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handle %s: panic: %v", r.header.MsgType, p)
			k.log.Error("handle request", "msg_type", r.header.MsgType, "panic", fmt.Sprint(p))
		}
	}()
	if h != nil {
		return h(ctx, r)
	}
	k.log.Warn("unknown message", "msg_type", r.header.MsgType)
	if !strings.HasSuffix(r.header.MsgType, "_request") {
		return nil, nil
	}
	return nil, fmt.Errorf("message type %q is not known", r.header.MsgType)
}

func replyType(msgType string) string {
	return strings.TrimSuffix(msgType, "_request") + "_reply"
}

// receiver returns what a channel does with the frames that arrive. A message
// that cannot be read or has a wrong signature is dropped: nobody is known who
// could be answered.
func (k *kernel) receiver(c *channel) func(zmtp.Message) {
	return func(frames zmtp.Message) {
		m, err := decode(frames, k.signer)
		if err != nil {
			k.log.Warn("drop message", "channel", c.name, "error", err)
			return
		}
		size := 0
		for _, f := range frames {
			size += len(f)
		}
		into := c.inbox
		if c == &k.shell && isComm(m.header.MsgType) {
			into = k.comm.inbox // widgets do not wait for the running cell
		}
		into.push(m, size)
	}
}

// publish sends a message to all front ends; parent is nil for one that no
// request caused.
func (k *kernel) publish(parent *request, msgType string, content any) {
	frames, err := k.frames(nil, parent, msgType, content)
	if err != nil {
		k.log.Error("publish message", "msg_type", msgType, "error", err)
		return
	}
	k.iopub.Publish(frames)
}

// send sends a message to the client that a request came from.
func (k *kernel) send(socket *zmtp.Router, r *request, msgType string, content any) {
	if err := k.trySend(socket, r, msgType, content); err != nil {
		k.log.Warn("send message", "msg_type", msgType, "error", err)
	}
}

func (k *kernel) trySend(socket *zmtp.Router, r *request, msgType string, content any) error {
	frames, err := k.frames(r.idents, r, msgType, content)
	if err != nil {
		return err
	}
	return socket.Send(frames)
}

func (k *kernel) frames(idents [][]byte, parent *request, msgType string, content any) (zmtp.Message, error) {
	metadata := map[string]any{}
	if parent != nil && strings.HasSuffix(msgType, "_reply") {
		metadata["started"] = parent.started
	}
	return k.framesWith(idents, parent, msgType, metadata, content)
}

// framesWith is frames with metadata of the caller's. Without idents it is a topic's.
func (k *kernel) framesWith(idents [][]byte, parent *request, msgType string, metadata map[string]any, content any) (zmtp.Message, error) {
	if idents == nil {
		idents = [][]byte{[]byte("kernel." + k.id + "." + msgType)}
	}
	var raw json.RawMessage
	if parent != nil {
		raw = parent.rawHeader
	}
	return encode(idents, k.newHeader(msgType), raw, metadata, content, k.signer)
}

func (k *kernel) newHeader(msgType string) header {
	return header{
		MsgID:    fmt.Sprintf("%s_%d_%d", k.id, os.Getpid(), k.sent.Add(1)),
		Session:  k.id,
		Username: "kernel",
		Date:     now(),
		MsgType:  msgType,
		Version:  protocolVersion,
	}
}

// welcome greets a front end that has subscribed, so that it knows from when on
// it misses nothing.
func (k *kernel) welcome(topic []byte) zmtp.Message {
	frames, err := k.frames([][]byte{topic}, nil, "iopub_welcome", map[string]any{"subscription": string(topic)})
	if err != nil {
		k.log.Error("welcome subscriber", "error", err)
		return nil
	}
	return frames
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }

// readContent reads the content of a request; defaults are what v already holds.
func readContent(r *request, v any) error {
	if err := json.Unmarshal(r.content, v); err != nil {
		return fmt.Errorf("read content of %s: %w", r.header.MsgType, err)
	}
	return nil
}

// errorContent is the content of a reply, and of an error message, for an error
// of ours or of the user's.
func errorContent(err error) map[string]any {
	name, value := "error", err.Error()
	traceback := []string{name + ": " + value}
	if cell, ok := errors.AsType[cellError](err); ok {
		name, value, traceback = cell.Name, cell.Value, cell.traceback()
	}
	return map[string]any{"status": "error", "ename": name, "evalue": value, "traceback": traceback}
}
