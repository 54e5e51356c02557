package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"vlab/repl/session/internal/wire"
)

// startTimeout bounds the start of a child where no caller's context does: it
// loads libtorch, which takes seconds on a cold disk.
const startTimeout = 60 * time.Second

// child is the front's view of a child process.
type child struct {
	cmd      *exec.Cmd
	about    string   // from its hello
	requests *os.File // ours to write
	pump     pump
	done     chan struct{} // closed when the process is gone and its output delivered

	writeMu sync.Mutex // one frame at a time

	mu       sync.Mutex
	nextID   uint64
	pending  map[uint64]chan wire.Message
	outlet   *outlet
	names    map[string]bool // of variables
	obituary obituary
	state    error // how the process ended; valid after done
}

// startChild starts the process and waits for its hello.
func startChild(ctx context.Context, o Options) (*child, error) {
	cmd, err := command(o)
	if err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, done: make(chan struct{}), pending: map[uint64]chan wire.Message{}, names: map[string]bool{}, outlet: newOutlet(nil)}
	if err := c.spawn(); err != nil {
		return nil, err
	}
	hello := make(chan wire.Message, 1)
	c.pending[0] = hello
	go c.run()
	select {
	case m := <-hello:
		c.about = m.About
		return c, nil
	case <-c.done:
		return nil, fmt.Errorf("run %s: %s", cmd.Path, c.epitaph())
	case <-ctx.Done():
		c.kill()
		<-c.done
		return nil, fmt.Errorf("wait for %s: %w", cmd.Path, context.Cause(ctx))
	}
}

// command builds the child's command, in a process group of its own so that the
// terminal's Ctrl-C reaches the front alone.
func command(o Options) (*exec.Cmd, error) {
	argv := o.Command
	if len(argv) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this executable: %w", err)
		}
		argv = []string{self, "session-child"}
	}
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // the caller's own command, which outlives the context of its start
	cmd.Dir = o.Dir
	// A crash prints its first lines only: the goroutines of the
	// interpreter tell a user nothing.
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
	cmd.Env = append(cmd.Env, o.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, nil
}

// spawn makes the four pipes and starts the process. Our ends are c.requests and
// those of c.pump.
func (c *child) spawn() error {
	var files []*os.File
	closeAll := func() {
		for _, f := range files {
			f.Close()
		}
	}
	pipe := func() (r, w *os.File, err error) {
		if r, w, err = os.Pipe(); err == nil {
			files = append(files, r, w)
		}
		return r, w, err
	}
	reqR, reqW, err1 := pipe()
	msgR, msgW, err2 := pipe()
	outR, outW, err3 := pipe()
	errR, errW, err4 := pipe()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		closeAll()
		return fmt.Errorf("make pipes: %w", err)
	}
	c.cmd.Stdout, c.cmd.Stderr = outW, errW
	c.cmd.ExtraFiles = []*os.File{reqR, msgW}
	if err := c.cmd.Start(); err != nil {
		closeAll()
		return fmt.Errorf("start %s: %w", c.cmd.Path, err)
	}
	for _, f := range []*os.File{reqR, msgW, outW, errW} {
		f.Close()
	}
	c.requests = reqW
	c.pump = pump{messages: msgR, stdout: outR, stderr: errR}
	return nil
}

// run delivers all that the child prints and says, until it ends.
func (c *child) run() {
	err := c.pump.run(c.printed, c.received)
	if !errors.Is(err, io.EOF) {
		c.kill() // it speaks no longer in frames
	}
	state := c.cmd.Wait()
	c.pump.drain(c.printed)
	c.pump.close()
	c.output().flush()
	c.mu.Lock()
	c.state = state
	c.mu.Unlock()
	c.writeMu.Lock()
	c.requests.Close()
	c.writeMu.Unlock()
	close(c.done)
}

// printed delivers text from standard output or standard error.
func (c *child) printed(name string, text []byte) {
	if name == stderrName {
		c.mu.Lock()
		text = c.obituary.filter(text)
		c.mu.Unlock()
	}
	c.output().print(name, text)
}

// received handles a message from the child.
func (c *child) received(m wire.Message) {
	out := c.output()
	switch m.Op {
	case wire.Display:
		out.display(Display{Data: m.Data.Unpack(), Metadata: m.Metadata, ID: m.Display, Update: m.Update})
		c.tell(wire.Request{ID: m.ID, Op: wire.Reply})
	case wire.Clear:
		out.clear(m.Wait)
		c.tell(wire.Request{ID: m.ID, Op: wire.Reply})
	case wire.Comm:
		out.comm(Comm(*m.Comm))
	case wire.Input:
		// A person takes time: the pump must go on meanwhile.
		go func() {
			text, err := out.input(m.Prompt, m.Password)
			r := wire.Request{ID: m.ID, Op: wire.Reply, Text: text}
			if err != nil {
				r.Err = err.Error()
			}
			c.tell(r)
		}()
	case wire.Hello, wire.Result:
		out.flush()
		c.mu.Lock()
		answer := c.pending[m.ID]
		delete(c.pending, m.ID)
		c.mu.Unlock()
		if answer != nil {
			answer <- m
		}
	}
}

// send posts a request and returns where its answer will arrive.
func (c *child) send(r wire.Request) (<-chan wire.Message, error) {
	answer := make(chan wire.Message, 1)
	c.mu.Lock()
	c.nextID++
	r.ID = c.nextID
	c.pending[r.ID] = answer
	c.mu.Unlock()
	return answer, c.post(r)
}

// post writes a request. An error means that the child is ending, which done
// reports.
func (c *child) post(r wire.Request) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	return wire.Write(c.requests, r)
}

// tell posts what the sender does not wait on. It fails only when the child has
// ended, and c.done says that to whoever waits.
func (c *child) tell(r wire.Request) { _ = c.post(r) }

func (c *child) output() *outlet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outlet
}

// setOutput directs what is shown from now on to out.
func (c *child) setOutput(out Output) {
	c.output().flush()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outlet = newOutlet(out)
	c.obituary = obituary{}
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// kill ends the process at once, and what it has started.
func (c *child) kill() {
	if err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		c.cmd.Process.Kill() //nolint:errcheck // it has ended already
	}
}

// close ends the process and waits for it.
func (c *child) close() {
	c.kill()
	<-c.done
}

// epitaph says in one line how the process has ended; valid after done.
func (c *child) epitaph() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	how := "exit status 0"
	if c.state != nil {
		how = c.state.Error()
	}
	if c.obituary.cause != "" {
		return c.obituary.cause + " (" + how + ")"
	}
	return how
}
