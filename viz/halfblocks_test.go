package viz_test

import (
	"image"
	"image/color"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"vlab/viz"
)

func TestHalfBlocks(t *testing.T) {
	red, blue, glass := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.NRGBA{}
	picture := func(w int, pixels ...color.NRGBA) image.Image {
		im := image.NewNRGBA(image.Rect(0, 0, w, len(pixels)/w))
		for i, c := range pixels {
			im.SetNRGBA(i%w, i/w, c)
		}
		return im
	}
	tests := []struct {
		name string
		im   image.Image
		draw func(image.Image, int, int) string
		want string
	}{
		{"two colours", picture(1, red, blue), viz.HalfBlocks, "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m\n"},
		{"one colour", picture(1, red, red), viz.HalfBlocks, "\x1b[38;2;255;0;0;48;2;255;0;0m▀\x1b[0m\n"},
		{"one pixel", picture(1, red), viz.HalfBlocks, "\x1b[0;38;2;255;0;0m▀\x1b[0m\n"},
		{"clear above", picture(1, glass, blue), viz.HalfBlocks, "\x1b[0;38;2;0;0;255m▄\x1b[0m\n"},
		{"clear", picture(1, glass, glass), viz.HalfBlocks, "\x1b[0m \x1b[0m\n"},
		{"codes once", picture(2, red, red, blue, blue), viz.HalfBlocks, "\x1b[38;2;255;0;0;48;2;0;0;255m▀▀\x1b[0m\n"},
		{"256 colours", picture(1, red, color.NRGBA{128, 128, 128, 255}), viz.HalfBlocks256, "\x1b[38;5;196;48;5;244m▀\x1b[0m\n"},
		{"nil", nil, viz.HalfBlocks, ""},
	}
	for _, c := range tests {
		cols := 1
		if c.im != nil {
			cols = c.im.Bounds().Dx()
		}
		if got := c.draw(c.im, cols, 1); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestHalfBlocksFit(t *testing.T) {
	codes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, size := range [][2]int{{1, 1}, {64, 64}, {640, 10}, {10, 640}, {3, 1000}} {
		for _, room := range [][2]int{{80, 24}, {1, 1}, {40, 0}} {
			text := codes.ReplaceAllString(viz.HalfBlocks(scene(size[0], size[1]), room[0], room[1]), "")
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if room[1] > 0 && len(lines) > room[1] {
				t.Errorf("picture %v in %v: got %d lines", size, room, len(lines))
			}
			for _, l := range lines {
				if n := utf8.RuneCountInString(l); n > room[0] || n < 1 {
					t.Fatalf("picture %v in %v: got a line of %d characters", size, room, n)
				}
			}
		}
	}
}
