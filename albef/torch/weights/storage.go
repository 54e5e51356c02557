package weights

import (
	"fmt"
	"math"
	"slices"
)

// storageRef is what a pickle says about a storage: (`storage`, class, key,
// device, number of elements).
type storageRef struct {
	dtype DType // zero for an untyped storage, whose elements are bytes
	key   string
	numel int64
}

// size returns the storage's bytes; ok is false where it cannot exist.
func (r storageRef) size() (n int64, ok bool) {
	width := int64(1)
	if r.dtype != 0 {
		width = int64(r.dtype.Size())
	}
	if r.numel < 0 || r.numel > math.MaxInt64/width {
		return 0, false
	}
	return r.numel * width, true
}

// storage is the bytes that tensors are views of.
type storage struct {
	storageRef
	data []byte
	// pending storages have no bytes yet: the file is read for its layout only.
	pending bool
}

// stepStorage replaces the persistent id on the stack by its storage.
func (m *machine) stepStorage() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	ref, err := parseStorageRef(v)
	if err != nil {
		return err
	}
	s, err := m.loadStorage(ref)
	if err != nil {
		return fmt.Errorf("storage %.50q: %w", ref.key, err)
	}
	return m.push(s)
}

func parseStorageRef(v Value) (storageRef, error) {
	t, ok := v.(Tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		return storageRef{}, hintf(hintResave, "refused: the file refers to a %s outside of itself", kindOf(v))
	}
	if len(t) > 5 && t[5] != nil { // (key, offset, size): only before PyTorch 0.4
		return storageRef{}, hintf(hintResave, "the storage is a view of another, as only very old files have it")
	}
	c, ok1 := t[1].(class)
	key, ok2 := t[2].(string)
	numel, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 {
		return storageRef{}, hintf(hintDamaged, "a storage is described by (%s, %s, %s)", kindOf(t[1]), kindOf(t[2]), kindOf(t[4]))
	}
	ref := storageRef{key: key, numel: numel}
	if c != classUntyped {
		const prefix = len("torch.")
		if ref.dtype, ok = dtypeOfStorage(string(c[min(prefix, len(c)):])); !ok {
			return storageRef{}, hintf(hintDamaged, "a storage of class %s", string(c))
		}
	}
	if _, ok := ref.size(); !ok {
		return storageRef{}, hintf(hintHostile, "a storage of %d elements", numel)
	}
	return ref, nil
}

// maxRank is libtorch's limit for the dimensions of a tensor.
const maxRank = 64

// viewer makes contiguous tensors of views into storages.
type viewer struct {
	// budget is how many bytes copies of non-contiguous views may still take: a
	// view with stride 0 can claim any size.
	budget  int64
	copies  map[string][]byte
	mapping *Mapping // of the file, or nil
}

func newViewer(fileSize int64, in *Mapping) *viewer {
	return &viewer{budget: baseBudget + 2*min(fileSize, math.MaxInt64/4), copies: map[string][]byte{}, mapping: in}
}

// view is a tensor as torch keeps it, in elements.
type view struct {
	storage *storage
	dtype   DType
	offset  int64
	shape   []int
	strides []int64
}

// rebuild makes the tensor of _rebuild_tensor_v2(storage, offset, size, stride,
// requires_grad, hooks[, metadata]), or v3 with the type behind the hooks.
func (vw *viewer) rebuild(c class, args Tuple) (Value, error) {
	if len(args) < 6 {
		return nil, refuseCall(c, args)
	}
	st, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	size, ok3 := args[2].(Tuple)
	stride, ok4 := args[3].(Tuple)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, refuseCall(c, args)
	}
	v := view{storage: st, dtype: st.dtype, offset: offset}
	if c == classTensor3 {
		symbol, _ := args[min(6, len(args)-1)].(Symbol)
		v.dtype, _ = symbol.dtype()
	}
	if !v.dtype.IsValid() {
		return nil, hintf(hintResave, "a tensor whose element type is not known here")
	}
	if len(size) != len(stride) || len(size) > maxRank {
		return nil, hintf(hintHostile, "a tensor with %d sizes and %d strides", len(size), len(stride))
	}
	for i := range size {
		n, ok1 := size[i].(int64)
		s, ok2 := stride[i].(int64)
		if !ok1 || !ok2 || s < 0 || n < 0 {
			return nil, hintf(hintHostile, "a tensor with size %v and stride %v in dimension %d", size[i], stride[i], i)
		}
		v.shape = append(v.shape, int(n))
		v.strides = append(v.strides, s)
	}
	return vw.tensor(v)
}

// tensor returns v as contiguous bytes: the storage's own where they are.
func (vw *viewer) tensor(v view) (*Tensor, error) {
	t := &Tensor{DType: v.dtype, Shape: v.shape}
	if v.storage.pending {
		return t, nil
	}
	total, err := numBytes(v.shape, v.dtype)
	if err != nil {
		return nil, withHint(err, hintHostile)
	}
	if err := v.checkBounds(total == 0); err != nil {
		return nil, err
	}
	if total == 0 {
		t.Data = []byte{}
		return t, nil
	}
	if start := v.offset * int64(v.dtype.Size()); v.isContiguous() {
		t.Data = v.storage.data[start : start+total : start+total]
		vw.mapping.own(t)
		return t, nil
	}
	t.Data, err = vw.copyOf(v, total)
	return t, err
}

// checkBounds reports a view that reaches outside of its storage.
func (v view) checkBounds(empty bool) error {
	numel := int64(len(v.storage.data)) / int64(v.dtype.Size())
	if v.offset < 0 || v.offset > numel {
		return hintf(hintHostile, "a tensor starts at element %d of a storage of %d", v.offset, numel)
	}
	if empty {
		return nil
	}
	last := v.offset
	for i, n := range v.shape {
		if n > 1 && v.strides[i] > 0 && int64(n-1) > (math.MaxInt64-last)/v.strides[i] {
			return hintf(hintHostile, "a tensor with shape %v and strides %v", v.shape, v.strides)
		}
		last += int64(n-1) * v.strides[i]
	}
	if last >= numel {
		return hintf(hintHostile, "a tensor of shape %v reaches element %d of a storage of %d", v.shape, last, numel)
	}
	return nil
}

// isContiguous reports whether the elements lie in row-major order without gaps.
// The strides of dimensions of size 1 mean nothing.
func (v view) isContiguous() bool {
	want := int64(1)
	for i := len(v.shape) - 1; i >= 0; i-- {
		if v.shape[i] != 1 && v.strides[i] != want {
			return false
		}
		want *= int64(v.shape[i])
	}
	return true
}

// copyOf returns the elements of v in row-major order. Equal views of one storage
// get one copy, so that they stay tied.
func (vw *viewer) copyOf(v view, total int64) ([]byte, error) {
	key := fmt.Sprintf("%p %v %d %v %v", v.storage, v.dtype, v.offset, v.shape, v.strides)
	if data, ok := vw.copies[key]; ok {
		return data, nil
	}
	if vw.budget -= total + int64(len(key)); vw.budget < 0 {
		return nil, hintf(hintHostile, "refused: the tensors repeat their elements to far more bytes than the file has")
	}
	data := v.gather(make([]byte, 0, total))
	vw.copies[key] = data
	return data, nil
}

// gather appends the elements in row-major order to out.
func (v view) gather(out []byte) []byte {
	width := int64(v.dtype.Size())
	index := make([]int, len(v.shape))
	at := v.offset
	for {
		out = append(out, v.storage.data[at*width:(at+1)*width]...)
		d := len(index) - 1
		for ; d >= 0; d-- { // an odometer over the shape
			index[d]++
			at += v.strides[d]
			if index[d] < v.shape[d] {
				break
			}
			at -= int64(index[d]) * v.strides[d]
			index[d] = 0
		}
		if d < 0 {
			return slices.Clip(out)
		}
	}
}
