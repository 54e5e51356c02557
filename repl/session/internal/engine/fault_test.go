package engine

import "testing"

func TestMessagesHaveTheNamesOfTypes(t *testing.T) {
	d := &ownTypes{tagged: []string{"In", "Out", "Void"}}
	for got, want := range map[string]string{
		`struct { X_ struct {} "vlab:\"3\"" } is not fmt.Stringer`:                     "main.Void is not fmt.Stringer",
		`type struct { A struct { B int "vlab:\"1\"" } "vlab:\"2\""; C int }, int`:     "type main.Out, int",
		`field in struct { Name string "json:\"n\" vlab:\"2\"" } and struct { X int }`: "field in main.Out and struct { X int }",
		`[]struct { A int "vlab:\"1\"" } or *struct { B int "vlab:\"2\"" }`:            "[]main.In or *main.Out",
		"nothing": "nothing",
	} {
		if text := d.withNames(got); text != want {
			t.Errorf("withNames(%s)\n got %s\nwant %s", got, text, want)
		}
	}
}
