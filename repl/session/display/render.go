package display

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"reflect"
)

// The interfaces of values that draw themselves. They are aliases: only the
// methods matter, so that a type needs no import of this package for all but the
// first.
type (
	// Renderer gives all its forms.
	Renderer = interface{ Render() Data }
	// SimpleRenderer gives all its forms without metadata.
	SimpleRenderer = interface{ SimpleRender() MIMEMap }
	// HTMLer gives markup.
	HTMLer = interface{ HTML() string }
	// JavaScripter gives a script.
	JavaScripter = interface{ JavaScript() string }
	// JPEGer gives an encoded picture.
	JPEGer = interface{ JPEG() []byte }
	// JSONer gives a tree.
	JSONer = interface{ JSON() map[string]any }
	// Latexer gives a formula.
	Latexer = interface{ Latex() string }
	// Markdowner gives marked-up text.
	Markdowner = interface{ Markdown() string }
	// PNGer gives an encoded picture.
	PNGer = interface{ PNG() []byte }
	// PDFer gives a document.
	PDFer = interface{ PDF() []byte }
	// SVGer gives a drawing.
	SVGer = interface{ SVG() string }
)

// Drawable reports whether a value has a form beside plain text.
func Drawable(value any) bool {
	switch value.(type) {
	case Data, Renderer, SimpleRenderer, HTMLer, JavaScripter, JPEGer, JSONer,
		Latexer, Markdowner, PNGer, PDFer, SVGer, image.Image:
		return !isNilPointer(value)
	}
	return false
}

// Render returns a value in all the forms that it offers: those of the interfaces
// above, image/png for a picture, and plain text, which an error's message, a
// String method or the format %v gives. It never panics: a method that does
// gives its panic as text.
func Render(value any) (d Data) {
	defer func() {
		if r := recover(); r != nil {
			d = MakeData(MIMETypeText, fmt.Sprintf("draw a %T: panic: %v", value, r))
		}
	}()
	if v, ok := value.(Data); ok {
		return v
	}
	d = Data{Data: MIMEMap{}}
	if !isNilPointer(value) {
		d.add(value)
	}
	if _, ok := d.Data[MIMETypeText]; !ok {
		d.Data[MIMETypeText] = Text(value)
	}
	return d
}

// isNilPointer reports whether a method of the value would meet a nil receiver.
func isNilPointer(value any) bool {
	v := reflect.ValueOf(value)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// Text returns the plain text form of a value: a picture's kind and size, else
// what fmt prints.
func Text(value any) string {
	switch v := value.(type) {
	case error, fmt.Stringer:
		return fmt.Sprint(v)
	case image.Image:
		if isNilPointer(value) {
			return "<nil>"
		}
		b := v.Bounds()
		return fmt.Sprintf("image %dx%d", b.Dx(), b.Dy())
	}
	return fmt.Sprint(value)
}

// add puts the forms of a value into d.
func (d *Data) add(value any) {
	if v, ok := value.(Renderer); ok {
		*d = v.Render()
		if d.Data == nil {
			d.Data = MIMEMap{}
		}
	}
	if v, ok := value.(SimpleRenderer); ok {
		for mime, form := range v.SimpleRender() {
			d.Data[mime] = form
		}
	}
	d.addMarkup(value)
	d.addBinary(value)
}

func (d *Data) addMarkup(value any) {
	if v, ok := value.(HTMLer); ok {
		d.Data[MIMETypeHTML] = v.HTML()
	}
	if v, ok := value.(JavaScripter); ok {
		d.Data[MIMETypeJavaScript] = v.JavaScript()
	}
	if v, ok := value.(JSONer); ok {
		d.Data[MIMETypeJSON] = v.JSON()
	}
	if v, ok := value.(Latexer); ok {
		d.Data[MIMETypeLatex] = v.Latex()
	}
	if v, ok := value.(Markdowner); ok {
		d.Data[MIMETypeMarkdown] = v.Markdown()
	}
	if v, ok := value.(SVGer); ok {
		d.Data[MIMETypeSVG] = v.SVG()
	}
}

func (d *Data) addBinary(value any) {
	if v, ok := value.(JPEGer); ok {
		d.Data[MIMETypeJPEG] = v.JPEG()
	}
	if v, ok := value.(PNGer); ok {
		d.Data[MIMETypePNG] = v.PNG()
	}
	if v, ok := value.(PDFer); ok {
		d.Data[MIMETypePDF] = v.PDF()
	}
	if v, ok := value.(image.Image); ok && d.Data[MIMETypePNG] == nil {
		d.addImage(v)
	}
}

// addImage encodes a picture and notes its size, as front ends ask for it.
func (d *Data) addImage(img image.Image) {
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		d.Data[MIMETypeText] = fmt.Sprintf("encode picture: %v", err)
		return
	}
	d.Data[MIMETypePNG] = buf.Bytes()
	if d.Metadata == nil {
		d.Metadata = MIMEMap{}
	}
	b := img.Bounds()
	d.Metadata[MIMETypePNG] = MIMEMap{"width": b.Dx(), "height": b.Dy()}
}
