package kernel

import "testing"

func TestCursorCountsCodePoints(t *testing.T) {
	tests := []struct {
		code        string
		points      int
		bytes, back int
	}{
		{"", 0, 0, 0},
		{"abc", 2, 2, 2},
		{"é=a", 1, 2, 1},
		{"é=a", 3, 4, 3},
		{"𝒜b", 1, 4, 1},
		{"漢字", 9, 6, 2},
	}
	for _, tt := range tests {
		if got := byteOffset(tt.code, tt.points); got != tt.bytes {
			t.Errorf("byteOffset(%q, %d) = %d, want %d", tt.code, tt.points, got, tt.bytes)
		}
		if got := codePoints(tt.code, tt.bytes); got != tt.back {
			t.Errorf("codePoints(%q, %d) = %d, want %d", tt.code, tt.bytes, got, tt.back)
		}
	}
	if got := codePoints("ab", 99); got != 2 {
		t.Errorf("codePoints beyond the end = %d, want 2", got)
	}
}
