package script

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// The tags that papermill gives to a cell of parameters, and to the one that it puts
// behind it.
const (
	parametersTag = "parameters"
	injectedTag   = "injected-parameters"
)

// Param is a value that a run gives to a variable of the file: in a cell behind the one
// that is marked as its parameters, which declares the variable, or, where there is
// none, before all others.
type Param struct{ Name, Value string }

// ParseParam reads NAME=VALUE.
func ParseParam(text string) (Param, error) {
	name, value, ok := strings.Cut(text, "=")
	if name = strings.TrimSpace(name); !ok || !token.IsIdentifier(name) {
		return Param{}, hinted{fmt.Errorf("parameter %q is not NAME=VALUE", text), "as in --param steps=20"}
	}
	return Param{name, value}, nil
}

// literal is the value in Go: a number, true or false, and a text in quotes stay as they
// are, anything else is a text.
func (p Param) literal() string {
	v := strings.TrimSpace(p.Value)
	if v == "true" || v == "false" {
		return v
	}
	if _, err := strconv.ParseFloat(v, 64); err == nil && !strings.ContainsAny(v, "iInN") {
		return v
	}
	if strings.HasPrefix(v, `"`) {
		if _, err := strconv.Unquote(v); err == nil {
			return v
		}
	}
	return strconv.Quote(p.Value)
}

// assignments are the lines that give variables the values; op is := or =.
func assignments(params []Param, op string) string {
	lines := make([]string, len(params))
	for i, p := range params {
		lines[i] = p.Name + " " + op + " " + p.literal()
	}
	return strings.Join(lines, "\n")
}

// inject puts the parameters into a script's cells.
func inject(cells []cell, params []Param) []cell {
	at, op := 0, ":="
	for i, c := range cells {
		if c.title == parametersTag || strings.Contains(c.title, `"`+parametersTag+`"`) {
			at, op = i+1, "="
		}
	}
	cells = slices.Insert(cells, at, cell{title: injectedTag, code: assignments(params, op)})
	for i := range cells {
		cells[i].number = i + 1
	}
	return cells
}

// inject puts the parameters into a notebook, in the place of those of an earlier run.
func (nb *notebook) inject(params []Param) {
	nb.cells = slices.DeleteFunc(nb.cells, func(c map[string]any) bool { return hasTag(c, injectedTag) })
	at, op := 0, ":="
	for i, c := range nb.cells {
		if hasTag(c, parametersTag) {
			at, op = i+1, "="
		}
	}
	nb.cells = slices.Insert(nb.cells, at, map[string]any{
		"cell_type": "code", "id": injectedTag, "metadata": map[string]any{"tags": []any{injectedTag}},
		"execution_count": nil, "outputs": []any{}, "source": assignments(params, op),
	})
	list := make([]any, len(nb.cells))
	for i, c := range nb.cells {
		list[i] = c
	}
	nb.top["cells"] = list
}

// hasTag reports whether a notebook's cell has a tag.
func hasTag(c map[string]any, tag string) bool {
	meta, _ := c["metadata"].(map[string]any)
	tags, _ := meta["tags"].([]any)
	return slices.Contains(tags, any(tag))
}
