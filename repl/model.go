package repl

import (
	"strings"
	"time"

	"vlab/repl/session"
	historyfile "vlab/repl/session/history"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/textarea"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// spinnerStep is how often the sign of a running cell moves.
const spinnerStep = 100 * time.Millisecond

// tickMsg moves the sign of a running cell.
type tickMsg time.Time

// historyMsg brings the history of earlier runs.
type historyMsg struct {
	cells []string
	err   error
}

// noticeMsg puts something the person should know into the status line.
type noticeMsg string

// model is the whole state of the terminal. Update alone changes it.
type model struct {
	back    backend
	keys    keyMap
	styles  styles
	help    help.Model
	input   textarea.Model
	answer  textinput.Model // for a cell that asks
	asking  *question       // what it asks; nil while no cell does
	askedBy int             // the block that asks
	popup   popup
	doc     []string // what shift+tab described
	search  search

	signature *session.Signature // the function among whose arguments the cursor is, if any
	signedAt  place              // for which it was asked
	history   history
	past      string // the history's file, "" to keep none

	banner      []string
	title       []string // the banner's rows
	blocks      []*block
	queue       []*block // blocks that wait for the running one
	current     *block   // the running block; nil at an idle prompt
	nextID      int
	count       int // the last cell's number
	scrolled    int // rows between the transcript's end and what is shown last
	interrupted int // times ctrl+c was pressed since the running cell began
	leaving     bool
	notice      string
	showKeys    bool
	colours     bool // pictures can be drawn

	size cells
	now  time.Time
	spin int
}

// newModel returns the terminal before its first message.
func newModel(back backend, banner []string, historyFile string) *model {
	s := newStyles()
	m := &model{
		back: back, keys: newKeys(), styles: s, help: help.New(),
		input: textarea.New(), answer: textinput.New(),
		banner: banner, past: historyFile, colours: true, size: cells{80, 24},
	}
	m.help.Styles = s.helpStyles()
	m.help.ShortSeparator = " · "
	m.input.SetStyles(s.inputStyles())
	m.input.ShowLineNumbers = false
	m.input.EndOfBufferCharacter = ' '
	m.input.CharLimit = 0
	m.input.DynamicHeight = true
	m.input.MaxContentHeight = 100_000 // rows; the default would stop long cells
	m.input.SetVirtualCursor(false)
	m.input.Focus()
	m.answer.SetVirtualCursor(false)
	m.resize()
	return m
}

// Init implements [tea.Model].
func (m *model) Init() tea.Cmd {
	return tea.Batch(m.back.output, m.loadHistory())
}

// loadHistory is the command that reads the history's file.
func (m *model) loadHistory() tea.Cmd {
	path := m.past
	if path == "" {
		return nil
	}
	return func() tea.Msg {
		cells, err := historyfile.Read(path)
		return historyMsg{cells: cells, err: err}
	}
}

// Update implements [tea.Model].
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	before := m.transcriptHeight()
	cmd := m.route(msg)
	m.settle()
	if m.scrolled > 0 { // what a person reads stays where it is
		m.scroll(m.transcriptHeight() - before)
	}
	return m, cmd
}

// route hands a message to what it is for.
func (m *model) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.size = cells{max(8, msg.Width), max(4, msg.Height)}
		m.resize()
		return m.redraw()
	case tea.ColorProfileMsg:
		m.colours = msg.Profile > colorprofile.ASCII
	case tea.KeyPressMsg:
		return tea.Batch(m.pressed(msg), m.askSignature())
	case tea.PasteMsg:
		return tea.Batch(m.pasted(msg), m.askSignature())
	case tea.MouseWheelMsg:
		m.wheel(msg)
	case outputMsg:
		return tea.Batch(m.received(msg), m.back.output)
	case pictureMsg:
		m.drawn(msg)
	case completionMsg:
		m.completed(msg)
	case inspectionMsg:
		m.inspected(msg)
	case signatureMsg:
		m.signed(msg)
	case historyMsg:
		m.history.Load(msg.cells)
		if msg.err != nil {
			m.notice = msg.err.Error()
		}
	case noticeMsg:
		m.notice = string(msg)
	case tickMsg:
		return m.ticked(time.Time(msg))
	default:
		return m.edit(msg)
	}
	return nil
}

// edit hands a message to the input that has the focus.
func (m *model) edit(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	if m.asking != nil {
		m.answer, cmd = m.answer.Update(msg)
		return cmd
	}
	m.input, cmd = m.input.Update(msg)
	return cmd
}

// submit takes the input as a cell: it runs now, or after those before it.
func (m *model) submit() tea.Cmd {
	code := strings.TrimRight(m.input.Value(), " \t\n")
	m.setInput("")
	m.scrolled, m.doc = 0, nil
	switch strings.TrimSpace(code) {
	case "":
		return nil
	case "exit", "quit", "%exit", "%quit":
		return tea.Quit
	}
	b := &block{id: m.nextID, code: code}
	m.nextID++
	m.blocks = append(m.blocks, b)
	m.queue = append(m.queue, b)
	var save tea.Cmd
	if m.history.Add(code) {
		save = m.saveHistory(code)
	}
	if m.current != nil {
		m.renumber()
		return save
	}
	return tea.Batch(save, m.runNext())
}

// saveHistory is the command that adds a cell to the history's file.
func (m *model) saveHistory(code string) tea.Cmd {
	path := m.past
	if path == "" {
		return nil
	}
	return func() tea.Msg {
		if err := historyfile.Append(path, code); err != nil {
			return noticeMsg(err.Error())
		}
		return nil
	}
}

// runNext begins the first cell that waits.
func (m *model) runNext() tea.Cmd {
	if len(m.queue) == 0 {
		return nil
	}
	b := m.queue[0]
	m.queue = m.queue[1:]
	m.current, m.interrupted = b, 0
	m.count++
	b.number, b.state, b.rows = m.count, running, nil
	m.notice = ""
	m.renumber()
	return tea.Batch(m.back.eval(b.id, b.code), tick())
}

// tick is the command that moves the sign of a running cell.
func tick() tea.Cmd {
	return tea.Tick(spinnerStep, func(t time.Time) tea.Msg { return tickMsg(t) })
}

// ticked moves the sign of a running cell.
func (m *model) ticked(now time.Time) tea.Cmd {
	if m.current == nil {
		return nil
	}
	if m.current.start.IsZero() {
		m.current.start = now.Add(-spinnerStep)
	}
	m.now = now
	m.spin++
	return tick()
}

// received shows what cells did.
func (m *model) received(events outputMsg) tea.Cmd {
	cmds := make([]tea.Cmd, 0, len(events))
	for _, e := range events {
		cmds = append(cmds, m.happened(e))
	}
	return tea.Batch(cmds...)
}

// happened shows one thing that a cell did.
func (m *model) happened(e event) tea.Cmd {
	b := m.block(e.Block)
	switch {
	case e.Stream != "":
		b.print(e.Stream, e.Text)
	case e.Display != nil:
		return m.display(b, e.Display.Data, e.Display.ID, e.Display.Update)
	case e.Clear != nil:
		b.clear(e.Clear.Wait)
	case e.Input != nil:
		return m.ask(b, e.Input)
	case e.Done != nil:
		return m.ended(b, *e.Done)
	}
	return nil
}

// block returns the block with an id. One that was cleared off the screen goes
// on unseen.
func (m *model) block(id int) *block {
	for i := len(m.blocks) - 1; i >= 0; i-- {
		if m.blocks[i].id == id {
			return m.blocks[i]
		}
	}
	return &block{id: id}
}

// display shows a value, or puts it where those with its ID are. An update
// whose display was cleared away is shown anew.
func (m *model) display(b *block, data map[string]any, id string, update bool) tea.Cmd {
	if update && id != "" {
		var cmds []tea.Cmd
		for _, other := range m.blocks {
			for _, it := range other.items {
				if it.id == id {
					it.set(data)
					other.rows = nil
					cmds = append(cmds, m.draw(it))
				}
			}
		}
		if len(cmds) > 0 {
			return tea.Batch(cmds...)
		}
	}
	return m.draw(b.show(data, id))
}

// ended shows how a cell ended and begins the next.
func (m *model) ended(b *block, o outcome) tea.Cmd {
	b.state, b.rows = done, nil
	if o.Result.Count > 0 {
		m.count = o.Result.Count
		b.number = m.count
	}
	var cmd tea.Cmd
	if o.Err == nil && len(o.Result.Data) > 0 {
		it := b.show(o.Result.Data, "")
		it.head = outPrompt(b.number)
		cmd = m.draw(it)
	}
	if o.Err != nil {
		b.state = failed
		b.fail(o.Err)
		m.skipQueue()
	}
	if m.asking != nil && m.askedBy == b.id {
		m.stopAsking()
	}
	m.current = nil
	m.notice = ""
	m.renumber()
	return tea.Batch(cmd, m.runNext())
}

// skipQueue gives up the cells that wait for one that failed.
func (m *model) skipQueue() {
	for _, b := range m.queue {
		b.state, b.rows = skipped, nil
		b.note(noteLook, "(not run, since the cell before it failed)")
	}
	m.queue = nil
}

// ask puts a cell's question where the input is.
func (m *model) ask(b *block, q *question) tea.Cmd {
	m.asking, m.askedBy = q, b.id
	b.asking, b.rows = true, nil
	m.popup, m.doc, m.scrolled, m.search = popup{}, nil, 0, search{}
	m.answer.Reset()
	m.answer.Prompt = strings.Join(cleanLines(q.Prompt), " ")
	m.answer.EchoMode = textinput.EchoNormal
	if q.Password {
		m.answer.EchoMode = textinput.EchoPassword
	}
	m.resize()
	return m.answer.Focus()
}

// answered hands the line that was typed to the cell that asked.
func (m *model) answered() {
	line := m.answer.Value()
	b := m.block(m.askedBy)
	shown := line
	if m.asking.Password {
		shown = ""
	}
	b.print("stdout", m.answer.Prompt+shown+"\n")
	m.asking.Answer <- line // it has room for one
	m.asking = nil
	m.stopAsking()
}

// stopAsking gives the focus back to the input. A question that is still open
// gets no answer.
func (m *model) stopAsking() {
	if m.asking != nil {
		close(m.asking.Answer)
		m.asking = nil
	}
	b := m.block(m.askedBy)
	b.asking, b.rows = false, nil
	m.answer.Blur()
}
