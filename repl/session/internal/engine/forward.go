package engine

import (
	"fmt"
	"go/ast"
	"strings"
)

// forward is how the versions of a function that a session has under one name, and
// with one signature, know of the newest: each begins with a look at its number, and
// hands its call over where it is older. So methods, literals and compiled code that
// hold an old version call the new one.
type forward struct {
	key string
	id  int // of the interpreter's variables: vlabNewN is the newest, vlabGenN its number
	gen int
}

// forwards writes what lets a function hand its calls over to later versions, and the
// earlier ones theirs to it.
func (r *rewriter) forwards(f *ast.FuncDecl, n *names) (string, *forward) {
	at := r.p.offset(f.Name.NamePos)
	name := identAt(r.p.src[at:])
	s := n.get(name)
	if f.Name.Name != "_" || f.Body == nil || r.p.receivers[f] != nil || s == nil || name == "main" {
		return "", nil
	}
	typ, ok := r.types.write(s.obj.Type())
	if !ok {
		return "", nil
	}
	fw := forward{key: name + " " + typ}
	declare := ""
	if old, ok := r.e.forward[fw.key]; ok {
		fw.id, fw.gen = old.id, old.gen+1
	} else {
		fw.id = r.e.next()
		declare = fmt.Sprintf("var vlabGen%d int\nvar vlabNew%d %s\n", fw.id, fw.id, typ)
	}
	args := r.namedParams(f.Type)
	call := fmt.Sprintf("vlabNew%d(%s)", fw.id, strings.Join(args, ", "))
	if f.Type.Results != nil && len(f.Type.Results.List) > 0 {
		call = "return " + call
	} else {
		call += "; return"
	}
	r.edits.Insert(r.p.offset(f.Body.Lbrace)+1, fmt.Sprintf("if vlabGen%d > %d { %s }; ", fw.id, fw.gen, call))
	return declare + fmt.Sprintf("func init() { vlabNew%d, vlabGen%d = %s, %d }\n", fw.id, fw.id, s.internal, fw.gen), &fw
}

// namedParams returns the names of a function's parameters as arguments, and gives
// those names that have none.
func (r *rewriter) namedParams(f *ast.FuncType) []string {
	var args []string
	for i, field := range f.Params.List {
		before := len(args)
		for _, id := range field.Names {
			name := id.Name
			if name == "_" {
				name = r.made("vlabU")
				r.edits.Replace(r.p.offset(id.Pos()), r.p.offset(id.End()), name)
			}
			args = append(args, name)
		}
		if len(args) == before {
			args = append(args, r.made("vlabU"))
			r.edits.Insert(r.p.offset(field.Type.Pos()), args[before]+" ")
		}
		if _, variadic := field.Type.(*ast.Ellipsis); variadic && i == len(f.Params.List)-1 {
			args[len(args)-1] += "..."
		}
	}
	return args
}
