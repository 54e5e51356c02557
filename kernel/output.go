package kernel

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"vlab/kernel/zmtp"
	"vlab/repl/session"
)

// Printed text is gathered for batchTime or batchBytes, whichever comes first:
// short enough to look live, long enough that a cell that prints much does not
// run into the 1,000 messages a second that Jupyter's server lets pass.
const (
	batchTime  = 20 * time.Millisecond
	batchBytes = 64 << 10
)

// output is the session.Output of one cell: it turns what the cell shows into
// messages with the cell's request as their parent. Text that comes after the
// cell's end still goes there.
type output struct {
	kernel     *kernel
	parent     *request
	silent     bool
	allowStdin bool
	ended      <-chan struct{} // closed by an interrupt and by the cell's end

	mu    sync.Mutex
	name  string // of the stream in text
	text  strings.Builder
	timer *time.Timer // runs while text waits
}

var _ session.Output = (*output)(nil)

// Stream queues printed text; name is stdout or stderr.
func (o *output) Stream(name, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if text == "" {
		return
	}
	if name != o.name {
		o.flushLocked()
		o.name = name
	}
	o.text.WriteString(text)
	if o.text.Len() >= batchBytes {
		o.flushLocked()
	} else if o.timer == nil {
		o.timer = time.AfterFunc(batchTime, o.flush)
	}
}

// Display shows a value at once.
func (o *output) Display(d session.Display) {
	content := map[string]any{"data": mimeBundle(d.Data), "metadata": orEmpty(d.Metadata), "transient": map[string]any{}}
	if d.ID != "" {
		content["transient"] = map[string]any{"display_id": d.ID}
	}
	if d.Update {
		o.publish("update_display_data", content)
	} else {
		o.publish("display_data", content)
	}
}

// ClearOutput has the front end remove what the cell has shown.
func (o *output) ClearOutput(wait bool) {
	o.publish("clear_output", map[string]any{"wait": wait})
}

// Input asks the front end that sent the cell for a line.
func (o *output) Input(prompt string, password bool) (string, error) {
	o.flush()
	if !o.allowStdin {
		return "", errors.New("read input: this front end does not take any while the cell runs")
	}
	k := o.kernel
	select {
	case <-k.inputs: // an answer that came too late for its question
	default:
	}
	content := map[string]any{"prompt": prompt, "password": password}
	if err := k.trySend(k.stdin, o.parent, "input_request", content); err != nil {
		return "", fmt.Errorf("ask for input: %w", err)
	}
	select {
	case m := <-k.inputs:
		var reply struct {
			Value string `json:"value"`
		}
		if err := json.Unmarshal(m.content, &reply); err != nil {
			return "", fmt.Errorf("read input reply: %w", err)
		}
		return reply.Value, nil
	case <-o.ended:
		return "", fmt.Errorf("read input: %w", context.Canceled)
	}
}

// receiveInput keeps the newest answer for the Input that waits for it.
func (k *kernel) receiveInput(frames zmtp.Message) {
	m, err := decode(frames, k.signer)
	if err != nil {
		k.log.Warn("drop message", "channel", "stdin", "error", err)
		return
	}
	select {
	case <-k.inputs:
	default:
	}
	select {
	case k.inputs <- m:
	default: // another client was faster
	}
}

// publish sends a message of the cell after all text printed before it.
func (o *output) publish(msgType string, content any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushLocked()
	o.publishLocked(msgType, content)
}

func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushLocked()
}

// flushLocked sends the text that waits, if any; o.mu is held so that nothing
// overtakes it.
func (o *output) flushLocked() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if o.text.Len() == 0 {
		return
	}
	o.publishLocked("stream", map[string]any{"name": o.name, "text": o.text.String()})
	o.text.Reset()
}

func (o *output) publishLocked(msgType string, content any) {
	if !o.silent {
		o.kernel.publish(o.parent, msgType, content)
	}
}

// mimeBundle turns the forms of a value into what JSON can carry: binary data in
// base64, JSON as itself, and other text as a string.
func mimeBundle(data map[string]any) map[string]any {
	bundle := make(map[string]any, len(data))
	for mime, value := range data {
		bundle[mime] = mimeValue(mime, value)
	}
	return bundle
}

func mimeValue(mime string, value any) any {
	switch v := value.(type) {
	case string:
		if isJSON(mime) && json.Valid([]byte(v)) {
			return json.RawMessage(v)
		}
	case []byte:
		if isJSON(mime) || isText(mime) {
			return mimeValue(mime, string(v))
		}
		return base64.StdEncoding.EncodeToString(v)
	}
	return value
}

func isJSON(mime string) bool { return mime == "application/json" || strings.HasSuffix(mime, "+json") }

func isText(mime string) bool {
	return strings.HasPrefix(mime, "text/") || strings.HasSuffix(mime, "+xml") || mime == "application/javascript"
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
