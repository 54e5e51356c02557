package scenes

// The records of the json files. Keys, and what is a list, are those that the official readers expect.

type captionRecord struct {
	Image   string `json:"image"`
	Caption string `json:"caption"`
	ImageID string `json:"image_id,omitempty"` // in retrieval_train.json alone
}

type galleryRecord struct {
	Image    string   `json:"image"`
	Captions []string `json:"caption"`
}

type questionRecord struct {
	QuestionID int      `json:"question_id"`
	Image      string   `json:"image"`
	Question   string   `json:"question"`
	Answers    []string `json:"answer"`
	Dataset    string   `json:"dataset"` // always "vqa"
}

type entailmentRecord struct {
	Image    string `json:"image"` // without ".jpg", which the official reader appends
	Sentence string `json:"sentence"`
	Label    Label  `json:"label"`
}

type nlvrRecord struct {
	Images   [2]string `json:"images"`
	Sentence string    `json:"sentence"`
	Label    string    `json:"label"` // "True" or "False"
}

type groundingRecord struct {
	Image string `json:"image"`
	Text  string `json:"text"`
	RefID int    `json:"ref_id"`
}

// refRecord is an entry of the official refs(unc).p: an object that texts refer to.
type refRecord struct {
	RefID      int              `json:"ref_id"`
	AnnID      int              `json:"ann_id"`
	CategoryID int              `json:"category_id"`
	ImageID    int              `json:"image_id"`
	FileName   string           `json:"file_name"`
	Split      string           `json:"split"` // "train", "val", "testA" for the test split, "testB" for held-out pairs
	SentIDs    []int            `json:"sent_ids"`
	Sentences  []sentenceRecord `json:"sentences"`
}

type sentenceRecord struct {
	SentID int      `json:"sent_id"`
	Raw    string   `json:"raw"`
	Sent   string   `json:"sent"`
	Tokens []string `json:"tokens"`
}

// instances is the part of COCO's instances.json that the referring-expression tools read.
type instances struct {
	Images      []imageRecord      `json:"images"`
	Annotations []annotationRecord `json:"annotations"`
	Categories  []categoryRecord   `json:"categories"`
}

type imageRecord struct {
	ID       int    `json:"id"`
	FileName string `json:"file_name"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
}

type annotationRecord struct {
	ID         int        `json:"id"`
	ImageID    int        `json:"image_id"`
	CategoryID int        `json:"category_id"`
	Box        [4]float64 `json:"bbox"`
	Area       float64    `json:"area"`
	IsCrowd    int        `json:"iscrowd"`
}

type categoryRecord struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// labelsRecord is labels.json: what the pictures hold, for whoever wants more than texts.
type labelsRecord struct {
	Seed    uint64        `json:"seed"`
	Size    int           `json:"size"`
	Shapes  []string      `json:"shapes"`
	Colours []string      `json:"colours"`
	Sizes   []string      `json:"sizes"`
	HeldOut [][2]string   `json:"heldout"`
	Words   []string      `json:"words"`
	Scenes  []sceneRecord `json:"scenes"`
}

type sceneRecord struct {
	Image       string         `json:"image"`
	ImageID     int            `json:"image_id"`
	Split       string         `json:"split"`
	Background  string         `json:"background"`
	Description string         `json:"description"`
	Objects     []objectRecord `json:"objects"`
}

type objectRecord struct {
	Size    string     `json:"size"`
	Texture string     `json:"texture,omitempty"`
	Colour  string     `json:"colour,omitempty"` // a pictogram has none
	Shape   string     `json:"shape"`
	Box     [4]float64 `json:"box"`
}

func (b Box) list() [4]float64 { return [4]float64{b.X, b.Y, b.W, b.H} }
