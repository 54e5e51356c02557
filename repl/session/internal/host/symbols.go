package host

import (
	"reflect"

	"github.com/traefik/yaegi/interp"
)

// Symbols returns the interpreter's table of this package under an import path,
// as a generator would write it.
func Symbols(importPath string) interp.Exports {
	return interp.Exports{importPath + "/host": {
		"Add":         reflect.ValueOf(Add),
		"Apply":       reflect.ValueOf(Apply),
		"Describe":    reflect.ValueOf(Describe),
		"DescribeAny": reflect.ValueOf(DescribeAny),
		"ErrBase":     reflect.ValueOf(&ErrBase).Elem(),
		"Fail":        reflect.ValueOf(Fail),
		"New":         reflect.ValueOf(New),
		"Open":        reflect.ValueOf(Open),
		"OptName":     reflect.ValueOf(OptName),
		"Rank":        reflect.ValueOf(Rank),
		"Seq":         reflect.ValueOf(Seq),
		"Stream":      reflect.ValueOf(Stream),
		"Train":       reflect.ValueOf(Train),
		"Wait":        reflect.ValueOf(Wait),
		"WithScale":   reflect.ValueOf(WithScale),
		"WriteFD":     reflect.ValueOf(WriteFD),

		"Base":    reflect.ValueOf((*Base)(nil)),
		"FailErr": reflect.ValueOf((*FailErr)(nil)),
		"Hooks":   reflect.ValueOf((*Hooks)(nil)),
		"Model":   reflect.ValueOf((*Model)(nil)),
		"Namer":   reflect.ValueOf((*Namer)(nil)),
		"Option":  reflect.ValueOf((*Option)(nil)),
		"Scorer":  reflect.ValueOf((*Scorer)(nil)),

		"_Namer":  reflect.ValueOf((*namerWrapper)(nil)),
		"_Scorer": reflect.ValueOf((*scorerWrapper)(nil)),
	}}
}

// namerWrapper lets an interpreted type be a Namer.
type namerWrapper struct {
	IValue interface{}
	WName  func() string
}

// Name calls the interpreted method.
func (w namerWrapper) Name() string { return w.WName() }

// scorerWrapper lets an interpreted type be a Scorer.
type scorerWrapper struct {
	IValue interface{}
	WScore func(string) float64
}

// Score calls the interpreted method.
func (w scorerWrapper) Score(s string) float64 { return w.WScore(s) }
