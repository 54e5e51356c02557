package symbols

import "github.com/traefik/yaegi/interp"

// Tables returns the packages lab and viz as the interpreter imports them.
func Tables() interp.Exports {
	return interp.Exports{
		"vlab/albef/lab/lab": labTable(),
		"vlab/viz/viz":       vizTable(),
	}
}

// Prelude returns the imports that every session begins with.
func Prelude() []string { return []string{"vlab/albef/lab", "vlab/viz"} }
