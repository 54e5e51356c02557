package albef

import (
	"math"
	"strings"

	"vlab/albef/torch"
)

// Param is one named tensor of a model, under its official checkpoint name.
type Param struct {
	Name   string
	Tensor *torch.Tensor
	Shape  []int
	Buffer bool // saved, but neither trained nor averaged
	Tied   bool // another name of an earlier parameter's tensor
}

// builder makes a model's parameters in the order in which the official
// classes register them, which is the order of checkpoints and of optimiser
// state.
type builder struct {
	device torch.Device
	params *[]Param
	prefix string
	frozen bool // momentum: no gradients
}

func (b builder) in(name string) builder {
	b.prefix += name + "."
	return b
}

// start says how a parameter begins.
type start struct {
	kind string
	a    float64
}

var (
	zeros = start{"fill", 0}
	ones  = start{"fill", 1}
)

//nolint:unparam // both encoders begin at 0.02, each by a setting of its own
func normal(std float64) start { return start{"normal", std} }

func uniform(bound float64) start { return start{"uniform", bound} }

func (b builder) param(name string, how start, shape ...int) *torch.Tensor {
	t := torch.Full(nil, 0, torch.Float32, b.device, shape...)
	switch how.kind {
	case "fill":
		if how.a != 0 {
			t.Close()
			t = torch.Full(nil, how.a, torch.Float32, b.device, shape...)
		}
	case "normal":
		t.FillNormal(0, how.a)
	case "uniform":
		t.FillUniform(-how.a, how.a)
	}
	if !b.frozen {
		t.RequireGrad(true)
	}
	*b.params = append(*b.params, Param{Name: b.prefix + name, Tensor: t, Shape: shape})
	return t
}

func (b builder) buffer(name string, t *torch.Tensor) *torch.Tensor {
	*b.params = append(*b.params, Param{Name: b.prefix + name, Tensor: t, Shape: t.Shape(), Buffer: true})
	return t
}

// linear is x·Wᵀ + b with W [out, in].
type linear struct{ weight, bias *torch.Tensor }

func (b builder) linear(name string, in, out int, weight start) linear {
	b = b.in(name)
	bias := zeros
	if weight.kind == "uniform" {
		bias = weight // torch.nn.Linear draws both from the same interval
	}
	return linear{b.param("weight", weight, out, in), b.param("bias", bias, out)}
}

// fanIn is torch.nn.Linear's and Conv2d's own start.
func fanIn(in int) start { return uniform(1 / math.Sqrt(float64(in))) }

func (l linear) forward(x *torch.Tensor) *torch.Tensor { return x.Linear(l.weight, l.bias) }

func (b builder) layerNorm(name string, width int, eps float64) torch.LayerNorm {
	b = b.in(name)
	return torch.LayerNorm{Weight: b.param("weight", ones, width), Bias: b.param("bias", zeros, width), Eps: eps}
}

// splitHeads turns [B, N, C] into [B, H, N, C/H].
func splitHeads(x *torch.Tensor, heads int) *torch.Tensor {
	shape := x.Shape()
	return x.View(shape[0], shape[1], heads, shape[2]/heads).Transpose(1, 2)
}

// joinHeads turns [B, H, N, d] into [B, N, H·d].
func joinHeads(x *torch.Tensor) *torch.Tensor {
	shape := x.Shape()
	return x.Transpose(1, 2).View(shape[0], shape[2], shape[1]*shape[3])
}

// attentionMap is softmax(q·kᵀ/sqrt(d) + mask), for the one layer whose map is
// read; everywhere else the fused form runs: [B, H, N, M].
func attentionMap(q, k, mask *torch.Tensor) *torch.Tensor {
	scores := q.MatMul(k.Transpose(-1, -2)).Scale(1 / math.Sqrt(float64(q.Size(-1))))
	if mask != nil {
		scores = scores.Add(mask)
	}
	return scores.Softmax(-1)
}

// decays reports whether AdamW decays p: all but biases and one-dimensional
// tensors (optim_factory.py add_weight_decay). The temperature, the embeddings
// and the position embedding are decayed.
func decays(p Param) bool {
	return len(p.Shape) != 1 && !strings.HasSuffix(p.Name, ".bias")
}
