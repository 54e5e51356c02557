package kernel

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"vlab/kernel/zmtp"
	"vlab/repl/session"

	"golang.org/x/sync/errgroup"
)

// endGrace is how long a running cell may take to end once the kernel must stop.
// Clients kill a kernel 5 s after they asked it to shut down.
const endGrace = 3 * time.Second

// Session is the language behind a kernel; *session.Session is one. Places in
// code are byte offsets. A method whose context is cancelled returns soon, and
// the cell's variables stay. Errors of the person's are a *session.CellError.
type Session interface {
	Eval(ctx context.Context, cell string, out session.Output) (session.Result, error)
	Complete(ctx context.Context, code string, pos int) (session.Completion, error)
	Inspect(ctx context.Context, code string, pos int) (data map[string]any, found bool, err error)
	IsComplete(code string) (status, indent string)
	// Interrupt ends a cell that its context's end has not ended, at the price of
	// the session's process.
	Interrupt()
	// Comm hands a front end's message to a widget and returns at once.
	Comm(c session.Comm) error
}

var _ Session = (*session.Session)(nil)

// Options says how a kernel presents itself. The zero value is usable.
type Options struct {
	// Version is the implementation's version; empty means "dev".
	Version string
	// Banner is shown by consoles at their start; empty means a line with the
	// versions.
	Banner string
	// History is the file that keeps what is run, see package history; empty keeps
	// none.
	History string
	// Logger receives messages that were dropped, and why; nil means
	// slog.Default(), which writes to standard error.
	Logger *slog.Logger
}

// kernel is one running kernel.
type kernel struct {
	session Session
	options Options
	log     *slog.Logger
	signer  signer
	id      string // names this run of the kernel in headers
	sent    atomic.Uint64

	shell, control channel
	comm           channel // of the shell's messages those that are for widgets
	stdin          *zmtp.Router
	iopub          *zmtp.Pub
	heartbeat      *zmtp.Echo
	inputs         chan message // the newest answer to an input request
	stop           context.CancelFunc

	mu     sync.Mutex
	cancel context.CancelFunc // of the session's running call, else nil
	again  bool               // that has been called

	statusMu sync.Mutex
	running  *request // whose cell runs

	commMu sync.Mutex
	comms  map[string]string // id to target of the widgets that there are

	// The shell channel's goroutine alone uses these.
	count   int // of the last cell kept in the history
	history []historyEntry
	past    string // the file of the history; "" for none
	aborted uint64 // requests that arrived up to this one are not to be run
}

// Serve runs a kernel on the sockets that a connection file names, until a
// client asks for shutdown or ctx ends; both return nil. It turns SIGINT into
// an interrupt of the running cell. The session stays open: it is the caller's.
func Serve(ctx context.Context, connectionFile string, s Session, o Options) error {
	c, err := readConnection(connectionFile)
	if err != nil {
		return err
	}
	k, err := newKernel(c, s, o)
	if err != nil {
		return err
	}
	return k.run(ctx)
}

func newKernel(c connection, s Session, o Options) (*kernel, error) {
	sign, err := newSigner(c.SignatureScheme, c.Key)
	if err != nil {
		return nil, err
	}
	k := &kernel{
		session: s, options: o, log: o.Logger, signer: sign, id: rand.Text(),
		inputs: make(chan message, 1), comms: map[string]string{},
	}
	k.shell = channel{name: "shell", inbox: newInbox(), handlerOf: k.shellHandler}
	k.comm = channel{name: "comm", inbox: newInbox(), handlerOf: k.commHandler}
	k.control = channel{name: "control", inbox: newInbox(), handlerOf: k.controlHandler}
	if k.log == nil {
		k.log = slog.Default()
	}
	k.past = o.History
	k.recall(k.past)
	if k.options.Version == "" {
		k.options.Version = "dev"
	}
	if err := k.bind(c); err != nil {
		return nil, errors.Join(err, k.close())
	}
	return k, nil
}

// bind opens the sockets; those opened before an error stay for close.
func (k *kernel) bind(c connection) (err error) {
	o := zmtp.Options{Logger: k.log}
	if k.iopub, err = zmtp.NewPub(c.endpoint(c.IOPubPort), k.welcome, o); err != nil {
		return fmt.Errorf("open iopub channel: %w", err)
	}
	if k.heartbeat, err = zmtp.NewEcho(c.endpoint(c.HBPort), o); err != nil {
		return fmt.Errorf("open heartbeat channel: %w", err)
	}
	if k.stdin, err = zmtp.NewRouter(c.endpoint(c.StdinPort), k.receiveInput, o); err != nil {
		return fmt.Errorf("open stdin channel: %w", err)
	}
	if k.control.socket, err = zmtp.NewRouter(c.endpoint(c.ControlPort), k.receiver(&k.control), o); err != nil {
		return fmt.Errorf("open control channel: %w", err)
	}
	if k.shell.socket, err = zmtp.NewRouter(c.endpoint(c.ShellPort), k.receiver(&k.shell), o); err != nil {
		return fmt.Errorf("open shell channel: %w", err)
	}
	return nil
}

// close ends the channels, each after what it has queued is sent.
func (k *kernel) close() error {
	k.closeInboxes()
	var g errgroup.Group
	if k.iopub != nil {
		g.Go(k.iopub.Close)
	}
	if k.heartbeat != nil {
		g.Go(k.heartbeat.Close)
	}
	for _, r := range []*zmtp.Router{k.stdin, k.control.socket, k.shell.socket} {
		if r != nil {
			g.Go(r.Close)
		}
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("close channels: %w", err)
	}
	return nil
}

func (k *kernel) run(ctx context.Context) error {
	ctx, k.stop = context.WithCancel(ctx)
	defer k.stop()
	k.publish(nil, "status", map[string]any{"execution_state": "starting"})
	var others sync.WaitGroup
	others.Go(func() { k.serve(ctx, &k.control) })
	others.Go(func() { k.serve(ctx, &k.comm) })
	others.Go(func() { k.watchSignals(ctx) })
	others.Go(func() { k.watchParent(ctx) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		k.serve(ctx, &k.shell)
	}()
	<-ctx.Done()
	k.closeInboxes()
	var err error
	select {
	case <-ended:
	case <-time.After(endGrace):
		err = fmt.Errorf("stop kernel: the running cell did not end within %v", endGrace)
	}
	others.Wait()
	return errors.Join(err, k.close())
}

func (k *kernel) closeInboxes() {
	for _, c := range []*channel{&k.shell, &k.control, &k.comm} {
		c.inbox.close()
	}
}

// watchSignals interrupts the running cell at SIGINT, as clients without
// interrupt messages ask for it.
func (k *kernel) watchSignals(ctx context.Context) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	for {
		select {
		case <-signals:
			k.interrupt()
		case <-ctx.Done():
			return
		}
	}
}

// watchParent stops the kernel when the client that started it is gone without
// a word. Clients put their process id in JPY_PARENT_PID; a kernel that was
// started through another process is not watched.
func (k *kernel) watchParent(ctx context.Context) {
	parent := os.Getppid()
	if os.Getenv("JPY_PARENT_PID") != fmt.Sprint(parent) {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if os.Getppid() != parent {
				k.log.Warn("stop kernel", "reason", "the client that started it is gone")
				k.stop()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
