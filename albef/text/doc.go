// Package text turns captions, questions and answers into the token ids that
// ALBEF reads, and cleans them up first as the official data sets do.
//
// [Tokenizer] is a WordPiece tokenizer equal to the official ALBEF
// BertTokenizer, whose sequences start with [CLS] and have no [SEP]. [Default]
// holds the vocabulary of bert-base-uncased, [Load] reads any other. The two
// can differ from the official code only at code points that Unicode assigned
// between the version of its Python and that of Go's standard library.
//
// [PreCaption] and [PreQuestion] are the official clean-up; [Tokenizer.Words]
// says which tokens make which word of a text, for pictures that show one map
// a word. The package is pure Go.
package text
