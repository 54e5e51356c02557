package viz

import (
	"math"
	"strconv"
	"strings"
)

// number is a value in at most about seven characters, for ticks and captions: three significant digits, an exponent only far from 1.
func number(v float64) string {
	a := math.Abs(v)
	switch {
	case v == 0:
		return "0"
	case !isFinite(v):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case a >= 1e5 || a < 1e-3:
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', 1, 64), "e")
		n, _ := strconv.Atoi(exponent)
		return strings.TrimSuffix(mantissa, ".0") + "e" + strconv.Itoa(n)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	s := strconv.FormatFloat(v, 'f', max(0, 2-int(math.Floor(math.Log10(a)))), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
