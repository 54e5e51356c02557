package torch

// #include "native.h"
import "C"

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OpTime is what one operation of libtorch took during a profile.
type OpTime struct {
	Name  string // such as aten::addmm, or AddmmBackward0 for the node around its backward
	Calls int
	Own   time.Duration // without the operations that it is made of
}

// Profile runs fn and returns what libtorch's operations on dev took meanwhile, on
// all threads that call it, the longest first. One profile runs at a time. CUDA is
// waited for around each of them, which nothing recorded allows ([Graphs]).
func Profile(dev Device, fn func()) []OpTime {
	C.vt_profile_begin(C.int(dev))
	var raw string
	func() {
		defer func() { raw = C.GoString(C.vt_profile_end()) }()
		fn()
	}()
	var out []OpTime
	for line := range strings.Lines(raw) {
		part := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		calls, _ := strconv.Atoi(part[1]) // both are numbers that vt_profile_end wrote
		own, _ := strconv.ParseInt(part[2], 10, 64)
		out = append(out, OpTime{part[0], calls, time.Duration(own)})
	}
	slices.SortFunc(out, func(a, b OpTime) int { return cmp.Compare(b.Own, a.Own) })
	return out
}
