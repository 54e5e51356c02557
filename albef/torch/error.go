package torch

// #include "native.h"
import "C"

import (
	"fmt"
	"strings"

	"github.com/sugarme/gotch/libtch"
)

// Error is a failed libtorch operation.
type Error struct {
	Op     string // the operation, such as "linear"
	Reason string // libtorch's own words, first line
}

func (e *Error) Error() string { return fmt.Sprintf("torch %s: %s", e.Op, e.Reason) }

// Hint says what a person can do about it, or is empty.
func (e *Error) Hint() string {
	if strings.Contains(e.Reason, "out of memory") || strings.Contains(e.Reason, "not enough memory") {
		return "lower the batch size or image_res, or set dtype to bf16"
	}
	return ""
}

// fail panics with the reason that gotch kept for this thread.
func fail(op string) {
	reason := "no tensor came back"
	if msg := libtch.GetAndResetLastErr(); msg != nil {
		reason = firstLine(C.GoString((*C.char)(msg)))
	}
	panic(&Error{Op: op, Reason: reason})
}

// failNative panics with the reason that native.cpp kept for this thread.
func failNative(op string) {
	panic(&Error{Op: op, Reason: firstLine(C.GoString(C.vt_error()))})
}

func firstLine(s string) string {
	if i := strings.Index(s, "\nException raised from"); i >= 0 {
		s = s[:i]
	}
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
