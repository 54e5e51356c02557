package repl

import "charm.land/bubbles/v2/key"

// keyMap holds every key that the program itself answers to, with its help.
// What is not here goes to the input, which knows the usual editing keys.
type keyMap struct {
	Run       key.Binding
	Newline   key.Binding
	Complete  key.Binding
	Previous  key.Binding
	Close     key.Binding
	Accept    key.Binding
	Up        key.Binding
	Down      key.Binding
	Search    key.Binding
	PageUp    key.Binding
	PageDown  key.Binding
	Bottom    key.Binding
	Inspect   key.Binding
	Clear     key.Binding
	Interrupt key.Binding
	Quit      key.Binding
	Help      key.Binding
}

// newKeys returns the keys of the program.
func newKeys() keyMap {
	return keyMap{
		Run:       bind("enter", "run", "enter"),
		Newline:   bind("alt+enter", "new line", "alt+enter", "shift+enter", "ctrl+j"),
		Complete:  bind("tab", "complete", "tab"),
		Previous:  bind("shift+tab", "previous match", "shift+tab"),
		Close:     bind("esc", "close", "esc"),
		Accept:    bind("enter", "take the match", "enter"),
		Up:        bind("up", "earlier", "up", "ctrl+p"),
		Down:      bind("down", "later", "down", "ctrl+n"),
		Search:    bind("ctrl+r", "search", "ctrl+r"),
		PageUp:    bind("pgup", "scroll up", "pgup"),
		PageDown:  bind("pgdown", "scroll down", "pgdown"),
		Bottom:    bind("ctrl+end", "back to the end", "ctrl+end"),
		Inspect:   bind("shift+tab", "describe", "shift+tab"),
		Clear:     bind("ctrl+l", "clear", "ctrl+l"),
		Interrupt: bind("ctrl+c", "interrupt", "ctrl+c"),
		Quit:      bind("ctrl+d", "quit", "ctrl+d"),
		Help:      bind("f1", "keys", "f1"),
	}
}

// bind makes a binding of keys that is shown as name and described as what.
func bind(name, what string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(name, what))
}

// ShortHelp returns the keys of the status line at an idle prompt.
func (k keyMap) ShortHelp() []key.Binding {
	return []key.Binding{k.Run, k.Newline, k.Complete, k.Quit, k.Help}
}

// FullHelp returns every key, in two columns that fit into 40 cells.
func (k keyMap) FullHelp() [][]key.Binding {
	return [][]key.Binding{
		{k.Run, k.Newline, k.Complete, k.Inspect, k.Up, k.Down, k.Search},
		{k.PageUp, k.PageDown, k.Interrupt, k.Quit, k.Clear, k.Help},
	}
}
