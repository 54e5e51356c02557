package script

import (
	"strings"

	"vlab/repl/session"
)

// outputs are what one code cell of an executed notebook shows. All methods do
// nothing on a nil *outputs, for a script that is no notebook.
type outputs struct {
	cell map[string]any // the notebook's cell
	list []output
	wait bool // the next output replaces what is there
}

// output is one entry of a cell's outputs.
type output struct {
	id     string // the display's ID; it isn't kept in the file
	stream string // the stream's name, with its text so far
	text   []byte
	fields map[string]any
}

// stream adds printed text.
func (o *outputs) stream(name, text string) {
	if o == nil {
		return
	}
	o.clearIfDue()
	if n := len(o.list); n == 0 || o.list[n-1].stream != name {
		o.list = append(o.list, output{stream: name, fields: map[string]any{"output_type": "stream", "name": name}})
	}
	last := &o.list[len(o.list)-1]
	last.text = append(last.text, text...)
}

// add adds a display, a result or an error.
func (o *outputs) add(id string, fields map[string]any) {
	if o == nil {
		return
	}
	o.clearIfDue()
	o.list = append(o.list, output{id: id, fields: fields})
}

// update replaces the data of the displays that have d's ID.
func (o *outputs) update(d session.Display) {
	if o == nil {
		return
	}
	for _, out := range o.list {
		if out.id != "" && out.id == d.ID {
			out.fields["data"], out.fields["metadata"] = bundle(d.Data), metadata(d.Metadata)
		}
	}
}

// clear forgets what is there, at once or when more comes.
func (o *outputs) clear(wait bool) {
	if o == nil {
		return
	}
	o.wait = wait
	if !wait {
		o.list = nil
	}
}

func (o *outputs) clearIfDue() {
	if o.wait {
		o.clear(false)
	}
}

// count sets the number that the notebook shows for the cell.
func (o *outputs) count(n int) {
	if o != nil {
		o.cell["execution_count"] = n
	}
}

// store puts what the cell shows into the notebook's cell.
func (o *outputs) store() {
	list := make([]any, len(o.list))
	for i, out := range o.list {
		if out.stream != "" {
			out.fields["text"] = splitLines(settle(string(out.text)))
		}
		list[i] = out.fields
	}
	o.cell["outputs"] = list
}

// settle returns text as it stands once every carriage return has been obeyed:
// a bar that was drawn a thousand times over itself is kept once.
func settle(text string) string {
	if !strings.Contains(text, "\r") {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		lines[i] = line[strings.LastIndexByte(line, '\r')+1:]
	}
	return strings.Join(lines, "\n")
}

// metadata returns m, or an empty object where there is none: the format wants one.
func metadata(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
