package lab

// Encoded is how often a picture was encoded to be asked about.
func (m *Model) Encoded() int { return m.pictures.encoded }

// KeptPictures is how many pictures are kept, and in how many bytes.
func (m *Model) KeptPictures() (n, bytes int) { return len(m.pictures.list), m.pictures.bytes }

// KeepPictures sets how many bytes of pictures are kept.
func (m *Model) KeepPictures(bytes int) { m.pictures.most = bytes }

// Train makes the weights count as changing, or goes back.
func (m *Model) Train(on bool) { m.live = on }

// FeatureHash is [Model.featureHash].
func (m *Model) FeatureHash() string {
	h, err := m.featureHash()
	if err != nil {
		panic(err)
	}
	return h.String()
}
