package weights_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"vlab/albef/torch/weights"
)

// describe writes a value out, one fact a line: kinds, order, every bit, and
// which tensors are tied. testdata/torchfile.py does the same for PyTorch.
func describe(v weights.Value) string {
	d := &describer{ids: map[*byte]int{}}
	d.value(v, 0)
	return d.b.String()
}

type describer struct {
	b   strings.Builder
	ids map[*byte]int
}

func (d *describer) line(depth int, format string, args ...any) {
	fmt.Fprintf(&d.b, "%s%s\n", strings.Repeat(" ", depth), fmt.Sprintf(format, args...))
}

func (d *describer) value(v weights.Value, depth int) {
	switch v := v.(type) {
	case nil:
		d.line(depth, "None")
	case bool:
		d.line(depth, "bool %t", v)
	case float64:
		d.line(depth, "float %016x", math.Float64bits(v))
	case string:
		d.line(depth, "str %s", hex.EncodeToString([]byte(v)))
	case []byte:
		d.line(depth, "bytes %s", hex.EncodeToString(v))
	case weights.Symbol:
		d.line(depth, "symbol %s", string(v))
	case *weights.Tensor:
		d.tensor(v, depth)
	case *weights.OrderedMap:
		kind := "dict"
		if v.IsOrderedDict {
			kind = "OrderedDict"
		}
		d.line(depth, "%s %d", kind, v.Len())
		for k, x := range v.All() {
			d.value(k, depth+1)
			d.value(x, depth+2)
		}
		if v.Attrs != nil {
			d.value(v.Attrs, depth+1)
		}
	case *weights.List:
		d.items("list", v.Items, depth)
	case weights.Tuple:
		d.items("tuple", v, depth)
	case *weights.Set:
		d.items("set", v.Items, depth)
	default: // int64, *big.Int
		d.line(depth, "int %v", v)
	}
}

func (d *describer) items(kind string, items []weights.Value, depth int) {
	d.line(depth, "%s %d", kind, len(items))
	for _, x := range items {
		d.value(x, depth+1)
	}
}

func (d *describer) tensor(t *weights.Tensor, depth int) {
	id := -1
	if len(t.Data) > 0 {
		var ok bool
		if id, ok = d.ids[&t.Data[0]]; !ok {
			id = len(d.ids)
			d.ids[&t.Data[0]] = id
		}
	}
	shape := strings.Trim(fmt.Sprint(t.Shape), "[]")
	d.line(depth, "tensor %v [%s] #%d %s", t.DType, shape, id, hex.EncodeToString(t.Data))
}

// firstDifference shows the first line where two descriptions part.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %.200s\nwant %.200s", i, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
