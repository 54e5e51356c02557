package ytmp

import (
	"fmt"
	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
	"os"
	"reflect"
	"testing"
)

func TestY(t *testing.T) {
	b, _ := os.ReadFile(os.Getenv("YSRC"))
	i := interp.New(interp.Options{Unrestricted: true})
	i.Use(stdlib.Symbols)
	i.Use(interp.Exports{"rt/rt": {"Sprintf": reflect.ValueOf(func(f string, a ...any) string { return fmt.Sprintf(f, a...) }), "Shaped": reflect.ValueOf(func(k int, v any) any { return v }), "Shaped1": reflect.ValueOf(func(v any) any { return v })}})
	v, err := i.Eval(string(b))
	fmt.Println(v, err)
}
