package kernel

import "context"

// begin makes ctx one that an interrupt cancels; the function it returns ends
// that. A session whose context is cancelled stops its cell and keeps its
// variables.
func (k *kernel) begin(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	k.mu.Lock()
	k.cancel, k.again = cancel, false
	k.mu.Unlock()
	return ctx, func() {
		k.mu.Lock()
		k.cancel = nil
		k.mu.Unlock()
		cancel()
	}
}

// interrupt stops what the shell channel has the session do; it does nothing
// when that is nothing. Asked again, it no longer waits for the cell to stop.
func (k *kernel) interrupt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cancel == nil {
		return
	}
	if k.again {
		k.session.Interrupt()
	}
	k.again = true
	k.cancel()
}

func (k *kernel) interruptRequest(context.Context, *request) (any, error) {
	k.interrupt()
	return map[string]any{"status": "ok"}, nil
}

// shutdown only answers: the kernel stops once the answer and the idle status
// are on their way.
func (k *kernel) shutdown(_ context.Context, r *request) (any, error) {
	var req struct {
		Restart bool `json:"restart"`
	}
	if err := readContent(r, &req); err != nil {
		return nil, err
	}
	content := map[string]any{"status": "ok", "restart": req.Restart}
	k.publish(r, "shutdown_reply", content)
	return content, nil
}
