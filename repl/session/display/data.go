package display

import (
	"fmt"
	"image"
	"io"
	"net/http"
	"os"
	"strings"
)

// The mime types of what is shown.
const (
	MIMETypeHTML       = "text/html"
	MIMETypeJavaScript = "application/javascript"
	MIMETypeJPEG       = "image/jpeg"
	MIMETypeJSON       = "application/json"
	MIMETypeLatex      = "text/latex"
	MIMETypeMarkdown   = "text/markdown"
	MIMETypePNG        = "image/png"
	MIMETypePDF        = "application/pdf"
	MIMETypeSVG        = "image/svg+xml"
	MIMETypeText       = "text/plain"
)

// MIMEMap maps a mime type, or in metadata any key, to a value.
type MIMEMap = map[string]any

// Data is a value in one or more forms.
type Data struct {
	// Data maps a mime type to a string, or to a []byte for what is binary;
	// JSON may be any value that encoding/json can write.
	Data MIMEMap
	// Metadata holds details of the forms, by mime type or for all.
	Metadata MIMEMap
	// Transient holds what is not to be saved, such as display_id.
	Transient MIMEMap
}

// String returns the plain text form.
func (d Data) String() string {
	if s, ok := d.Data[MIMETypeText].(string); ok {
		return s
	}
	return fmt.Sprintf("%d forms", len(d.Data))
}

// MIME makes a Data of forms and metadata that the caller has put together.
func MIME(data, metadata MIMEMap) Data { return Data{Data: data, Metadata: metadata} }

// MakeData makes a Data of one form, and a plain text form of the same value.
func MakeData(mimeType string, value any) Data {
	return MakeData3(mimeType, plain(mimeType, value), value)
}

// MakeData3 makes a Data of one form with a plain text of its own.
func MakeData3(mimeType, plaintext string, value any) Data {
	d := Data{Data: MIMEMap{MIMETypeText: plaintext}}
	d.Data[mimeType] = value
	return d
}

// plain describes binary values by their size, since their bytes are no text.
func plain(mimeType string, value any) string {
	if b, ok := value.([]byte); ok {
		return fmt.Sprintf("%s, %d bytes", mimeType, len(b))
	}
	return fmt.Sprint(value)
}

// HTML shows markup.
func HTML(html string) Data { return MakeData(MIMETypeHTML, html) }

// JavaScript runs a script in a notebook.
func JavaScript(script string) Data { return MakeData(MIMETypeJavaScript, script) }

// JPEG shows an encoded picture.
func JPEG(jpeg []byte) Data { return MakeData(MIMETypeJPEG, jpeg) }

// PNG shows an encoded picture.
func PNG(png []byte) Data { return MakeData(MIMETypePNG, png) }

// Image shows a picture, as a PNG.
func Image(img image.Image) Data { return Any("", img) }

// PDF shows a document.
func PDF(pdf []byte) Data { return MakeData(MIMETypePDF, pdf) }

// SVG shows a drawing.
func SVG(svg string) Data { return MakeData(MIMETypeSVG, svg) }

// JSON shows a value as a tree.
func JSON(value map[string]any) Data { return MakeData(MIMETypeJSON, value) }

// Markdown shows marked-up text.
func Markdown(markdown string) Data { return MakeData(MIMETypeMarkdown, markdown) }

// Latex shows a formula within a line; dollar signs around it are optional.
func Latex(latex string) Data {
	return MakeData3(MIMETypeLatex, latex, "$"+strings.Trim(latex, "$")+"$")
}

// Math shows a formula on a line of its own; dollar signs around it are
// optional.
func Math(latex string) Data {
	return MakeData3(MIMETypeLatex, latex, "$$"+strings.Trim(latex, "$")+"$$")
}

// File shows a file's bytes under a mime type; an empty one is found out from the
// bytes. A file that cannot be read panics with the reason, as in gophernotes.
func File(mimeType, path string) Data {
	b, err := os.ReadFile(path)
	if err != nil {
		panic(fmt.Errorf("show file: %w", err))
	}
	return Any(mimeType, b)
}

// Auto shows any value in the forms that it offers; bytes are told by their
// signature.
func Auto(value any) Data { return Any("", value) }

// Any shows a value as a mime type: strings, bytes, readers, or whatever draws
// itself. An empty mime type is found out.
func Any(mimeType string, value any) Data {
	switch v := value.(type) {
	case string:
		if mimeType == "" {
			mimeType = MIMETypeText
		}
		return MakeData(mimeType, v)
	case []byte:
		return ofBytes(mimeType, v)
	}
	if Drawable(value) {
		return Render(value)
	}
	if r, ok := value.(io.Reader); ok {
		b, err := io.ReadAll(r)
		if err != nil {
			return MakeData(MIMETypeText, fmt.Sprintf("read what to show: %v", err))
		}
		return ofBytes(mimeType, b)
	}
	return Render(value)
}

// ofBytes keeps text as a string and the rest as bytes.
func ofBytes(mimeType string, b []byte) Data {
	if mimeType == "" {
		mimeType, _, _ = strings.Cut(http.DetectContentType(b), ";")
	}
	if mimeType == MIMETypeSVG || mimeType == MIMETypeJSON || mimeType == MIMETypeJavaScript || strings.HasPrefix(mimeType, "text/") {
		return MakeData(mimeType, string(b))
	}
	return MakeData(mimeType, b)
}
