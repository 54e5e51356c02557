// Package widgets has controls that a person moves in a notebook and that cells read:
// sliders, menus, buttons, and boxes for what changes. They are ipywidgets' own, spoken
// to over comms, and need no Python: a front end with Jupyter's widgets draws them,
// another one shows what they hold.
//
// A cell makes them with the functions of this package, which are the methods of a
// [Hub], and shows them as its value or with Display:
//
//	layer := widgets.IntSlider("layer", 2, 5, 3)
//	box := widgets.Output()
//	layer.OnChange(func(l int) { box.Clear(); box.Show(g.Layer(l)) })
//	widgets.VBox(layer, box)
//
// What a person does reaches its function while a cell runs, too: a button can stop it.
package widgets
