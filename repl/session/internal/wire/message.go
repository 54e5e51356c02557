package wire

// Operations of requests, which the front sends.
const (
	Eval     = "eval"     // run Cell as number Count; answered by Result
	Cancel   = "cancel"   // cancel the running cell; not answered
	Complete = "complete" // what may stand at Pos of Cell
	Inspect  = "inspect"  // what stands at Pos of Cell
	Signed   = "signed"   // the signature of the function whose arguments are at Pos of Cell
	Reply    = "reply"    // answers the child's message of the same ID
	Comm     = "comm"     // Comm is for a widget; not answered. The child sends such, too
	Recall   = "recall"   // Inputs are what earlier children have run; not answered
)

// Operations of messages, which the child sends.
const (
	Hello   = "hello"   // the child is ready
	Result  = "result"  // answers a request of the same ID
	Display = "display" // answered by Reply, as are Clear and Input
	Clear   = "clear"
	Input   = "input"
)

// Request goes from the front to the child.
type Request struct {
	ID    uint64 `json:"id"`
	Op    string `json:"op"`
	Cell  string `json:"cell,omitempty"`
	Pos   int    `json:"pos,omitempty"`
	Count int    `json:"count,omitempty"`
	Live  bool   `json:"live,omitempty"` // the front end has widgets
	Text  string `json:"text,omitempty"`
	Err   string `json:"err,omitempty"`

	Inputs []Ran        `json:"inputs,omitempty"`
	Comm   *CommMessage `json:"comm,omitempty"`
}

// Ran is a cell that was run.
type Ran struct {
	Count int    `json:"count"`
	Cell  string `json:"cell"`
	OK    bool   `json:"ok"` // it has ended without an error
}

// Message goes from the child to the front.
type Message struct {
	ID       uint64         `json:"id"`
	Op       string         `json:"op"`
	About    string         `json:"about,omitempty"` // what the child runs on
	Data     Bundle         `json:"data,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
	Page     bool           `json:"page,omitempty"` // Data is for a pager
	Display  string         `json:"display,omitempty"`
	Update   bool           `json:"update,omitempty"`
	Wait     bool           `json:"wait,omitempty"`
	Prompt   string         `json:"prompt,omitempty"`
	Password bool           `json:"password,omitempty"`
	Error    *Error         `json:"error,omitempty"`
	Names    []string       `json:"names,omitempty"` // variables that are new
	Gone     []string       `json:"gone,omitempty"`  // and those that are no more
	Matches  []Match        `json:"matches,omitempty"`
	Sig      *Signature     `json:"sig,omitempty"`
	Comm     *CommMessage   `json:"comm,omitempty"`
	Start    int            `json:"start,omitempty"`
	End      int            `json:"end,omitempty"`
	Found    bool           `json:"found,omitempty"`
}

// CommMessage is one of a comm, between a widget and a front end.
type CommMessage struct {
	Kind     string         `json:"kind"`
	ID       string         `json:"id"`
	Target   string         `json:"target,omitempty"`
	Data     map[string]any `json:"data,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
	Buffers  [][]byte       `json:"buffers,omitempty"`
}

// Match is what may stand at a place.
type Match struct {
	Text string `json:"text"`
	Kind string `json:"kind"`
	Type string `json:"type,omitempty"`
	Doc  string `json:"doc,omitempty"`
}

// Signature is that of a function, with the parameter at hand from Start to End.
type Signature struct {
	Text  string `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	Doc   string `json:"doc,omitempty"`
}

// Error is a cell's error on its way to the front.
type Error struct {
	Name      string   `json:"name"`
	Value     string   `json:"value"`
	Traceback []string `json:"traceback,omitempty"`
	Line      int      `json:"line,omitempty"`
	Col       int      `json:"col,omitempty"`
}

// Bundle is a value in one or more forms, by mime type.
type Bundle map[string]Value

// Value is a string or, where Binary says so, bytes.
type Value struct {
	Text   string `json:"text,omitempty"`
	Bytes  []byte `json:"bytes,omitempty"`
	Binary bool   `json:"binary,omitempty"`
}

// Pack turns mime data of strings and byte slices into a bundle. Nil stays nil;
// a value of another type is left out.
func Pack(data map[string]any) Bundle {
	if data == nil {
		return nil
	}
	b := make(Bundle, len(data))
	for mime, v := range data {
		switch v := v.(type) {
		case string:
			b[mime] = Value{Text: v}
		case []byte:
			b[mime] = Value{Bytes: v, Binary: true}
		}
	}
	return b
}

// Unpack undoes [Pack].
func (b Bundle) Unpack() map[string]any {
	if b == nil {
		return nil
	}
	data := make(map[string]any, len(b))
	for mime, v := range b {
		if v.Binary {
			data[mime] = v.Bytes
		} else {
			data[mime] = v.Text
		}
	}
	return data
}
