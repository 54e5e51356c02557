package viz

import (
	"encoding/json"
	"fmt"
	"math"
)

// mapJSON is a map's form in JSON. A missing cell is null.
type mapJSON struct {
	Width  int          `json:"width"`
	Height int          `json:"height"`
	Values [][]*float32 `json:"values"`
}

// MarshalJSON writes {"width":W,"height":H,"values":[[...],...]}, a list for each row. JSON has neither NaN nor infinity: missing cells
// become null.
func (m Map) MarshalJSON() ([]byte, error) {
	m.check()
	out := mapJSON{m.W, m.H, make([][]*float32, m.H)}
	for y := range out.Values {
		row := make([]*float32, m.W)
		for x := range row {
			if v := &m.V[y*m.W+x]; isFinite(float64(*v)) {
				row[x] = v
			}
		}
		out.Values[y] = row
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write map: %w", err)
	}
	return data, nil
}

// UnmarshalJSON reads what [Map.MarshalJSON] writes; null becomes NaN. It is an error when the values don't fill width and height.
func (m *Map) UnmarshalJSON(data []byte) error {
	var in mapJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("read map: %w", err)
	}
	if in.Width < 0 || in.Height < 0 || len(in.Values) != in.Height {
		return fmt.Errorf("read map: %d rows of values, but a map of %d by %d cells", len(in.Values), in.Width, in.Height)
	}
	out := Map{W: in.Width, H: in.Height}
	for y, row := range in.Values {
		if len(row) != in.Width {
			return fmt.Errorf("read map: row %d has %d values, but the width is %d", y, len(row), in.Width)
		}
		for _, v := range row {
			cell := float32(math.NaN())
			if v != nil {
				cell = *v
			}
			out.V = append(out.V, cell)
		}
	}
	*m = out
	return nil
}
