package engine

import (
	"go/constant"
	"go/types"

	"vlab/repl/session/display"
)

// plainConstant returns the value of a constant of a predeclared type, which needs
// no interpreter.
func plainConstant(tv types.TypeAndValue) (any, bool) {
	b, ok := types.Unalias(tv.Type).(*types.Basic)
	if !ok || tv.Value == nil {
		return nil, false
	}
	switch {
	case b.Info()&types.IsString != 0:
		return constant.StringVal(tv.Value), true
	case b.Info()&types.IsBoolean != 0:
		return constant.BoolVal(tv.Value), true
	case b.Info()&types.IsInteger != 0:
		if i, exact := constant.Int64Val(constant.ToInt(tv.Value)); exact {
			return i, true
		}
		return tv.Value.ExactString(), true
	case b.Kind() == types.Float32:
		f, _ := constant.Float32Val(tv.Value)
		return f, true
	case b.Info()&types.IsFloat != 0:
		f, _ := constant.Float64Val(tv.Value)
		return f, true
	}
	return nil, false
}

// methods writes the call that hands the drawing methods of an interpreted type
// over: compiled code cannot see them on the value itself.
func (r *rewriter) methods(v string, t types.Type) string {
	named := t
	if p, ok := t.Underlying().(*types.Pointer); ok {
		named = p.Elem()
	}
	n, ok := types.Unalias(named).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main" || types.IsInterface(t) {
		return ""
	}
	var code string
	set := types.NewMethodSet(t)
	for _, name := range []string{"String", "Error", "HTML", "JavaScript", "JPEG", "JSON", "Latex", "Markdown", "PNG", "PDF", "SVG", "Render", "SimpleRender"} {
		sel := set.Lookup(nil, name)
		if sel == nil {
			continue
		}
		sig, ok := sel.Type().(*types.Signature)
		if ok && sig.Params().Len() == 0 && sig.Results().Len() == 1 {
			code += "; vlabRT.Method(\"" + name + "\", " + v + "." + name + ")"
		}
	}
	return code
}

// shown is what a cell has given as its value.
type shown struct {
	values  []any
	methods map[string]any
}

// data renders the value, nil for none.
func (s *shown) data(render func(any) map[string]any) *display.Data {
	if s == nil || len(s.values) == 0 {
		return nil
	}
	if len(s.values) > 1 {
		text := ""
		for i, v := range s.values {
			if i > 0 {
				text += " "
			}
			text += display.Text(v)
		}
		d := display.MakeData(display.MIMETypeText, text)
		return &d
	}
	v := s.values[0]
	if render != nil {
		if forms := render(v); forms != nil {
			d := display.MIME(forms, nil)
			if _, ok := forms[display.MIMETypeText]; !ok {
				forms[display.MIMETypeText] = display.Text(v)
			}
			return &d
		}
	}
	d := display.Render(v)
	s.draw(&d)
	return &d
}

// draw adds what the methods of an interpreted type give.
func (s *shown) draw(d *display.Data) {
	mimes := map[string]string{
		"String": display.MIMETypeText, "Error": display.MIMETypeText, "HTML": display.MIMETypeHTML,
		"JavaScript": display.MIMETypeJavaScript, "JPEG": display.MIMETypeJPEG, "JSON": display.MIMETypeJSON,
		"Latex": display.MIMETypeLatex, "Markdown": display.MIMETypeMarkdown, "PNG": display.MIMETypePNG,
		"PDF": display.MIMETypePDF, "SVG": display.MIMETypeSVG,
	}
	for name, f := range s.methods {
		switch f := f.(type) {
		case func() string:
			d.Data[mimes[name]] = f()
		case func() []byte:
			d.Data[mimes[name]] = f()
		case func() display.Data:
			*d = f()
		case func() map[string]any:
			if name == "JSON" {
				d.Data[mimes[name]] = f()
				continue
			}
			for mime, form := range f() {
				d.Data[mime] = form
			}
		}
	}
}
