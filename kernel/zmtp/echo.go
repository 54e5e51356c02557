package zmtp

// Echo is a bound REP socket that answers every request with itself.
type Echo struct {
	*server
}

// NewEcho binds an echo to an endpoint.
func NewEcho(endpoint string, o Options) (*Echo, error) {
	s, err := serve(endpoint, role{
		socketType: "REP",
		accepts:    []string{"REQ", "DEALER"},
		joined:     func(*peer) {},
		message:    func(p *peer, m Message) { p.out.push(encodeMessage(m), 0) },
		command:    func(*peer, string, []byte) {},
		left:       func(*peer) {},
	}, o)
	if err != nil {
		return nil, err
	}
	return &Echo{server: s}, nil
}
