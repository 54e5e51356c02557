package symbols

import (
	"go/constant"
	"reflect"

	"vlab/repl/session/display"

	"github.com/traefik/yaegi/interp"
)

// Display returns the table of package display; what cells show goes to s, and ask asks
// the person for a line.
func Display(s *display.Screen, ask func(prompt string, password bool) (string, error)) interp.Exports {
	table := map[string]reflect.Value{
		"Display":   reflect.ValueOf(s.Display),
		"DisplayID": reflect.ValueOf(s.DisplayID),
		"Update":    reflect.ValueOf(s.Update),
		"Clear":     reflect.ValueOf(s.Clear),
		"Progress":  reflect.ValueOf(s.Progress),
		"Input":     reflect.ValueOf(func(prompt string) (string, error) { return ask(prompt, false) }),
		"Password":  reflect.ValueOf(func(prompt string) (string, error) { return ask(prompt, true) }),

		"Any":        reflect.ValueOf(display.Any),
		"Auto":       reflect.ValueOf(display.Auto),
		"File":       reflect.ValueOf(display.File),
		"From":       reflect.ValueOf(display.From),
		"HTML":       reflect.ValueOf(display.HTML),
		"Image":      reflect.ValueOf(display.Image),
		"JPEG":       reflect.ValueOf(display.JPEG),
		"JSON":       reflect.ValueOf(display.JSON),
		"JavaScript": reflect.ValueOf(display.JavaScript),
		"Latex":      reflect.ValueOf(display.Latex),
		"MIME":       reflect.ValueOf(display.MIME),
		"MakeData":   reflect.ValueOf(display.MakeData),
		"MakeData3":  reflect.ValueOf(display.MakeData3),
		"Markdown":   reflect.ValueOf(display.Markdown),
		"Math":       reflect.ValueOf(display.Math),
		"PDF":        reflect.ValueOf(display.PDF),
		"PNG":        reflect.ValueOf(display.PNG),
		"SVG":        reflect.ValueOf(display.SVG),

		"Bar":     reflect.ValueOf((*display.Bar)(nil)),
		"Data":    reflect.ValueOf((*display.Data)(nil)),
		"MIMEMap": reflect.ValueOf((*display.MIMEMap)(nil)),
		"Sink":    reflect.ValueOf((*display.Sink)(nil)),
	}
	addInterfaces(table)
	addMIMETypes(table)
	return interp.Exports{"vlab/repl/session/display/display": table}
}

func addInterfaces(table map[string]reflect.Value) {
	table["Renderer"] = reflect.ValueOf((*display.Renderer)(nil))
	table["SimpleRenderer"] = reflect.ValueOf((*display.SimpleRenderer)(nil))
	table["HTMLer"] = reflect.ValueOf((*display.HTMLer)(nil))
	table["JavaScripter"] = reflect.ValueOf((*display.JavaScripter)(nil))
	table["JPEGer"] = reflect.ValueOf((*display.JPEGer)(nil))
	table["JSONer"] = reflect.ValueOf((*display.JSONer)(nil))
	table["Latexer"] = reflect.ValueOf((*display.Latexer)(nil))
	table["Markdowner"] = reflect.ValueOf((*display.Markdowner)(nil))
	table["PNGer"] = reflect.ValueOf((*display.PNGer)(nil))
	table["PDFer"] = reflect.ValueOf((*display.PDFer)(nil))
	table["SVGer"] = reflect.ValueOf((*display.SVGer)(nil))
}

func addMIMETypes(table map[string]reflect.Value) {
	for name, mime := range map[string]string{
		"MIMETypeHTML":       display.MIMETypeHTML,
		"MIMETypeJavaScript": display.MIMETypeJavaScript,
		"MIMETypeJPEG":       display.MIMETypeJPEG,
		"MIMETypeJSON":       display.MIMETypeJSON,
		"MIMETypeLatex":      display.MIMETypeLatex,
		"MIMETypeMarkdown":   display.MIMETypeMarkdown,
		"MIMETypePNG":        display.MIMETypePNG,
		"MIMETypePDF":        display.MIMETypePDF,
		"MIMETypeSVG":        display.MIMETypeSVG,
		"MIMETypeText":       display.MIMETypeText,
	} {
		table[name] = reflect.ValueOf(constant.MakeString(mime))
	}
}
