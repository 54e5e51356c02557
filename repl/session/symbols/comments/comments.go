// Package comments holds what packages say of their names: doc comments, and the
// names of parameters, both of which compiled code has no more.
package comments

// Comment is of one name.
type Comment struct {
	Text   string   `json:"text,omitempty"`
	Params []string `json:"params,omitempty"` // of a function or a method
}

// Package has the comments of a package: of its names, of methods and fields as
// Type.Name, and of itself under "".
type Package map[string]Comment
