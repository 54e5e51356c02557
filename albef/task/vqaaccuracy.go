package task

import (
	"regexp"
	"slices"
	"strings"
)

// vqaGivers is how many people answered each question of VQA v2.
const vqaGivers = 10

// RepeatAnswers makes ten of fewer answers, by counting each of them several
// times, so that an answer that is alone can be right too: for each answer the
// evaluation asks whether three of the others agree.
func RepeatAnswers(given []string) []string {
	out := slices.Clone(given)
	for len(out) > 0 && len(out) < vqaGivers {
		out = append(out, given...)
	}
	return out
}

// VQAAccuracy is how right a predicted answer is, from 0 to 1, beside the
// answers that people gave: for each of them, whether three of the others said
// the same (min(n/3, 1)), averaged. The prediction is normalised by
// [NormaliseAnswer]; people's answers are only freed of punctuation, and only
// where they don't all agree. Source: vqaTools/vqaEval.py evaluate.
func VQAAccuracy(prediction string, given []string) float64 {
	if len(given) == 0 {
		return 0
	}
	said, answers := NormaliseAnswer(prediction), slices.Clone(given)
	if slices.ContainsFunc(answers, func(a string) bool { return a != answers[0] }) {
		for i := range answers {
			answers[i] = stripPunctuation(answers[i])
		}
	}
	same := 0
	for _, a := range answers {
		if a == said {
			same++
		}
	}
	sum := 0.0
	for _, a := range answers {
		others := same
		if a == said {
			others--
		}
		sum += min(1, float64(others)/3)
	}
	return sum / float64(len(answers))
}

// NormaliseAnswer writes an answer as the VQA evaluation compares them: without
// punctuation and articles, in lower case, with digits for number words and
// apostrophes in contractions. Source: vqaTools/vqaEval.py.
func NormaliseAnswer(answer string) string {
	answer = strings.NewReplacer("\n", " ", "\t", " ").Replace(answer)
	answer = stripPunctuation(strings.TrimSpace(answer))
	said := strings.Fields(strings.ToLower(answer))
	words := said[:0]
	for _, word := range said {
		if digit, ok := numberWords[word]; ok {
			word = digit
		}
		switch word {
		case "a", "an", "the":
			continue
		}
		if with, ok := contractions[word]; ok {
			word = with
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// punctuation is what is dropped, each beside a space or in a number with
// commas, and elsewhere made a space.
var punctuation = [...]string{";", "/", "[", "]", `"`, "{", "}", "(", ")", "=", "+", `\`, "_", "-", ">", "<", "@", "`", ",", "?", "!"}

var commaInNumber = regexp.MustCompile(`\p{Nd},\p{Nd}`)

// stripPunctuation is processPunctuation of vqaEval.py. The full stops that it
// drops are those that no digit follows, the first 32 of them: the official code
// passes a flag in the place of the count.
func stripPunctuation(in string) string {
	out := in
	number := commaInNumber.MatchString(in)
	for _, p := range punctuation {
		if number || strings.Contains(in, p+" ") || strings.Contains(in, " "+p) {
			out = strings.ReplaceAll(out, p, "")
		} else {
			out = strings.ReplaceAll(out, p, " ")
		}
	}
	return stripStops(out)
}

func stripStops(in string) string {
	const most = 32
	var out strings.Builder
	runes, dropped := []rune(in), 0
	for i, r := range runes {
		if r == '.' && dropped < most && (i+1 == len(runes) || !digit.MatchString(string(runes[i+1]))) {
			dropped++
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

var digit = regexp.MustCompile(`^\p{Nd}$`)

var numberWords = map[string]string{
	"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
	"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
}

// contractions maps a contraction with one of its apostrophes missing to the
// whole: "dont" to "don't", "couldnt've" to "couldn't've". The words are those
// of vqaEval.py, which also takes the apostrophe out of one.
var contractions = func() map[string]string {
	table := map[string]string{"somebody'd": "somebodyd"}
	for whole := range strings.FieldsSeq(`
		ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mightn't mustn't needn't not've oughtn't
		shan't shouldn't wasn't weren't won't wouldn't could've might've must've should've would've couldn't've hadn't've
		mightn't've shouldn't've wouldn't've he'd he's he'd've she'd've it'd it'll it'd've that's they'd they'll they're
		they've they'd've we've we'd've you'd you'll you're you've you'd've y'all y'all'll y'all'd've how'd how'll how's
		what'll what're what's what've when's where'd where's where've who'd who'll who's who've who'd've why'll why're why's
		there'd there're there's there'd've somebody'll somebody's somebody'd've someone'd someone'll someone's someone'd've
		something'd something'll something'd've ma'am o'clock 'twas 'ow's'at`) {
		for i, r := range whole {
			if r == '\'' {
				table[whole[:i]+whole[i+1:]] = whole
			}
		}
	}
	return table
}()
