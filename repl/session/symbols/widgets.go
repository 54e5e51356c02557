package symbols

import (
	"reflect"

	"vlab/repl/session/widgets"

	"github.com/traefik/yaegi/interp"
)

// Widgets returns the table of package widgets, whose functions make the widgets of h.
func Widgets(h *widgets.Hub) interp.Exports {
	return interp.Exports{"vlab/repl/session/widgets/widgets": {
		"Button":      reflect.ValueOf(h.Button),
		"Dropdown":    reflect.ValueOf(h.Dropdown),
		"HBox":        reflect.ValueOf(h.HBox),
		"HTML":        reflect.ValueOf(h.HTML),
		"Image":       reflect.ValueOf(h.Image),
		"IntProgress": reflect.ValueOf(h.IntProgress),
		"IntSlider":   reflect.ValueOf(h.IntSlider),
		"Output":      reflect.ValueOf(h.Output),
		"VBox":        reflect.ValueOf(h.VBox),

		"Area":       reflect.ValueOf((*widgets.Area)(nil)),
		"Box":        reflect.ValueOf((*widgets.Box)(nil)),
		"Gauge":      reflect.ValueOf((*widgets.Gauge)(nil)),
		"Markup":     reflect.ValueOf((*widgets.Markup)(nil)),
		"Menu":       reflect.ValueOf((*widgets.Menu)(nil)),
		"Picture":    reflect.ValueOf((*widgets.Picture)(nil)),
		"PushButton": reflect.ValueOf((*widgets.PushButton)(nil)),
		"Slider":     reflect.ValueOf((*widgets.Slider)(nil)),
		"Widget":     reflect.ValueOf((*widgets.Widget)(nil)),
	}}
}
