package widgets

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/png"
	"strings"

	"vlab/repl/session/display"
)

// Slider is a whole number that is moved between two ends.
type Slider struct{ *model }

// IntSlider returns a slider from low to high, both of which it reaches, that stands at
// value.
func (h *Hub) IntSlider(label string, low, high, value int) *Slider {
	return &Slider{h.add("IntSliderModel", "IntSliderView", map[string]any{
		"description": label, "min": low, "max": high, "value": min(max(value, low), high), "step": 1, "disabled": false,
		"continuous_update": true, "orientation": "horizontal", "readout": true, "readout_format": "d", "style": nil,
		"behavior": "drag-tap", "description_allow_html": false,
	})}
}

// Value returns where the slider stands.
func (s *Slider) Value() int { return s.number("value") }

// Set moves the slider; the function of OnChange isn't called.
func (s *Slider) Set(value int) { s.set(map[string]any{"value": value}) }

// OnChange has f called when a person has moved the slider; of quick moves it sees the
// last.
func (s *Slider) OnChange(f func(value int)) { s.on(func() { f(s.Value()) }) }

// Render shows the slider.
func (s *Slider) Render() display.Data { return s.labelled(s.Value()) }

// Menu is a choice among texts.
type Menu struct {
	*model
	choices []string
}

// Dropdown returns a menu, of which the first choice is taken.
func (h *Hub) Dropdown(label string, choices ...string) *Menu {
	list := append([]string{}, choices...)
	return &Menu{h.add("DropdownModel", "DropdownView", map[string]any{
		"description": label, "_options_labels": list, "index": 0, "disabled": false, "style": nil, "description_allow_html": false,
	}), list}
}

// Value returns the choice that is taken, "" for none.
func (m *Menu) Value() string {
	if i := m.number("index"); i >= 0 && i < len(m.choices) {
		return m.choices[i]
	}
	return ""
}

// Set takes a choice. One that isn't there is an error.
func (m *Menu) Set(choice string) error {
	for i, c := range m.choices {
		if c == choice {
			m.set(map[string]any{"index": i})
			return nil
		}
	}
	return fmt.Errorf("menu: no choice %q among %s", choice, strings.Join(m.choices, ", "))
}

// OnChange has f called when a person has taken another choice.
func (m *Menu) OnChange(f func(choice string)) { m.on(func() { f(m.Value()) }) }

// Render shows the menu.
func (m *Menu) Render() display.Data { return m.labelled(m.Value()) }

// PushButton is a button.
type PushButton struct{ *model }

// Button returns a button.
func (h *Hub) Button(label string) *PushButton {
	return &PushButton{h.add("ButtonModel", "ButtonView", map[string]any{
		"description": label, "button_style": "", "icon": "", "disabled": false, "style": nil,
	})}
}

// OnClick has f called when a person has pressed the button, also while a cell runs.
func (b *PushButton) OnClick(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clicked = f
}

// Label changes what the button says.
func (b *PushButton) Label(text string) { b.set(map[string]any{"description": text}) }

// Disable makes the button one that can't be pressed.
func (b *PushButton) Disable() { b.set(map[string]any{"disabled": true}) }

// Render shows the button; without widgets there is nothing to press.
func (b *PushButton) Render() display.Data {
	label := fmt.Sprint(b.get("description"))
	return b.view("["+label+"]", `<button disabled>`+html.EscapeString(label)+`</button>`)
}

// Gauge is a bar that fills.
type Gauge struct{ *model }

// IntProgress returns an empty bar for total steps.
func (h *Hub) IntProgress(label string, total int) *Gauge {
	return &Gauge{h.add("IntProgressModel", "ProgressView", map[string]any{
		"description": label, "min": 0, "max": total, "value": 0, "bar_style": "", "orientation": "horizontal", "style": nil,
		"description_allow_html": false,
	})}
}

// Set fills the bar up to step n.
func (g *Gauge) Set(n int) { g.set(map[string]any{"value": n}) }

// Render shows the bar.
func (g *Gauge) Render() display.Data {
	n, total := g.number("value"), g.number("max")
	label := fmt.Sprint(g.get("description"))
	return g.view(fmt.Sprintf("%s: %d/%d", label, n, total), fmt.Sprintf(`%s <progress value="%d" max="%d"></progress>`, html.EscapeString(label), n, total))
}

// Markup is a place for HTML.
type Markup struct{ *model }

// HTML returns a place that holds markup.
func (h *Hub) HTML(markup string) *Markup {
	return &Markup{h.add("HTMLModel", "HTMLView", map[string]any{
		"description": "", "placeholder": "", "value": markup, "style": nil, "description_allow_html": false,
	})}
}

// Set changes the markup.
func (m *Markup) Set(markup string) { m.set(map[string]any{"value": markup}) }

// Render shows the markup.
func (m *Markup) Render() display.Data {
	markup := fmt.Sprint(m.get("value"))
	return m.view(markup, markup)
}

// Picture is a place for a picture.
type Picture struct{ *model }

// Image returns a place that holds a picture; nil leaves it empty.
func (h *Hub) Image(img image.Image) *Picture {
	p := &Picture{h.add("ImageModel", "ImageView", map[string]any{"format": "png", "width": "", "height": "", "value": encoded(img)})}
	return p
}

// Set puts another picture in.
func (p *Picture) Set(img image.Image) { p.set(map[string]any{"value": encoded(img)}) }

// encoded is a picture as a PNG, empty for none.
func encoded(img image.Image) []byte {
	var b bytes.Buffer
	if img == nil || png.Encode(&b, img) != nil {
		return []byte{}
	}
	return b.Bytes()
}

// Render shows the picture.
func (p *Picture) Render() display.Data {
	b, _ := p.get("value").([]byte)
	d := p.view(fmt.Sprintf("image/png, %d bytes", len(b)), `<img src="data:image/png;base64,`+base64.StdEncoding.EncodeToString(b)+`">`)
	if len(b) > 0 {
		d.Data[display.MIMETypePNG] = b
	}
	return d
}

// Area is a place for whatever a cell may show.
type Area struct{ *model }

// Output returns an empty place.
func (h *Hub) Output() *Area {
	return &Area{h.add("OutputModel", "OutputView", map[string]any{"msg_id": "", "outputs": []any{}})}
}

// Show adds a value below what is there, in all its forms.
func (a *Area) Show(value any) {
	d := display.Render(value)
	data := map[string]any{}
	for mime, v := range d.Data {
		if b, ok := v.([]byte); ok {
			v = base64.StdEncoding.EncodeToString(b)
		}
		data[mime] = v
	}
	metadata := d.Metadata
	if metadata == nil {
		metadata = display.MIMEMap{}
	}
	a.add(map[string]any{"output_type": "display_data", "data": data, "metadata": metadata})
}

// Print adds text below what is there.
func (a *Area) Print(values ...any) {
	a.add(map[string]any{"output_type": "stream", "name": "stdout", "text": fmt.Sprintln(values...)})
}

func (a *Area) add(output map[string]any) {
	list, _ := a.get("outputs").([]any)
	a.set(map[string]any{"outputs": append(append([]any{}, list...), output)})
}

// Clear empties the place.
func (a *Area) Clear() { a.set(map[string]any{"outputs": []any{}}) }

// Render shows the place; without widgets, that there is one.
func (a *Area) Render() display.Data {
	list, _ := a.get("outputs").([]any)
	text := fmt.Sprintf("(%d outputs)", len(list))
	return a.view(text, text)
}

// Box holds other widgets.
type Box struct {
	*model
	within []Widget
	across bool
}

// VBox returns a box of widgets below each other.
func (h *Hub) VBox(within ...Widget) *Box { return h.box("VBox", false, within) }

// HBox returns a box of widgets beside each other.
func (h *Hub) HBox(within ...Widget) *Box { return h.box("HBox", true, within) }

func (h *Hub) box(name string, across bool, within []Widget) *Box {
	names := make([]string, len(within))
	for i, w := range within {
		names[i] = child(w.self())
	}
	m := h.add(name+"Model", name+"View", map[string]any{"children": names, "box_style": ""})
	return &Box{m, append([]Widget{}, within...), across}
}

// Render shows the box.
func (b *Box) Render() display.Data {
	texts, markups := make([]string, 0, len(b.within)), make([]string, 0, len(b.within))
	for _, w := range b.within {
		d := w.Render()
		texts = append(texts, d.String())
		markups = append(markups, fmt.Sprintf("<div>%v</div>", d.Data[display.MIMETypeHTML]))
	}
	separator := "\n"
	style := ""
	if b.across {
		separator, style = "  ", ` style="display:flex;gap:8px"`
	}
	return b.view(strings.Join(texts, separator), "<div"+style+">"+strings.Join(markups, "")+"</div>")
}
