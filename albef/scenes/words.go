package scenes

import (
	"slices"
	"strings"
)

// AttributeWords returns the words that a picture decides: colours, shapes, sizes, textures, relations and the
// names of pictograms.
func AttributeWords() []string {
	words := []string{"left", "right", "above", "below"}
	words = append(words, shapeNames[1:]...)
	words = append(words, colourNames[1:]...)
	words = append(words, sizeNames[1:]...)
	words = append(words, textureNames[1:]...)
	return append(words, pictogramNames...)
}

// IsAttribute reports whether the word is one of [AttributeWords].
func IsAttribute(word string) bool { return slices.Contains(AttributeWords(), word) }

// AttributeMask tells for each word of a text, split at white space, whether it is one of [AttributeWords].
func AttributeMask(text string) []bool {
	words := strings.Fields(text)
	mask := make([]bool, len(words))
	for i, w := range words {
		mask[i] = IsAttribute(w)
	}
	return mask
}

// Words returns every word of every text of this package, sorted, without punctuation.
func Words() []string {
	words := append(AttributeWords(), Answers()...)
	words = append(words, strings.Fields(functionWords)...)
	for _, m := range materials {
		words = append(words, strings.Fields(m)...)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// functionWords are the words of the sentence patterns.
const functionWords = `a an and are both colour first has have how is many more object objects of
	one only picture pictures second shape size than the there three to two what`
