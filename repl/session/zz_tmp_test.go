package session_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	b, _ := os.ReadFile(os.Getenv("ZZ"))
	for _, c := range strings.Split(string(b), "\n=====\n") {
		s := start(t)
		got := ""
		for _, cell := range strings.Split(c, "\n---\n") {
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			rec := newRecord()
			r, err := s.Eval(ctx, cell, rec)
			cancel()
			got += rec.out() + rec.errText() + text(r)
			if err != nil {
				got += " ERR " + err.Error()
				if ce := asCE(err); ce != "" {
					got += "\n" + ce
				}
			}
			got += "|"
		}
		fmt.Printf("%s\n  => %s\n", strings.ReplaceAll(c[:min(len(c), 70)], "\n", "; "), strings.ReplaceAll(got, "\n", "\n     "))
	}
}
func asCE(err error) string { return "" }
