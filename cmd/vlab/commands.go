package main

// commands lists the subcommands in the order of the help text; one without a
// summary is not shown. Those without a run need libtorch, see [withTorch].
func commands() []command {
	return []command{
		{name: "repl", summary: "the terminal: Go cells over the lab", run: runREPL},
		{name: "run", summary: "run a .go script of cells or a notebook with nobody there", run: runScript},
		{name: "kernel", summary: "install or run the Jupyter kernel", run: runKernel, ownSIGINT: true},
		{name: "demo", summary: "a tour: train a few steps, retrieve, ground, with figures and pictures", run: runDemo},
		{name: "search", summary: "find pictures by text"},
		{name: "ground", summary: "show where each word of a text looks in a picture"},
		{name: "ask", summary: "answer a question about a picture"},
		{name: "entail", summary: "tell whether a picture shows what a sentence says"},
		{name: "compare", summary: "tell whether a sentence is true of two pictures"},
		{name: "pretrain", summary: "train ALBEF's three losses on images with captions, or on drawn scenes"},
		{name: "retrieval", summary: "finetune and measure finding pictures by text and texts by picture"},
		{name: "vqa", summary: "finetune and measure answering questions about pictures"},
		{name: "grounding", summary: "finetune without boxes and measure where texts lead to in pictures"},
		{name: "ve", summary: "finetune and measure whether pictures show what sentences say"},
		{name: "pretrain-nlvr", summary: "make a pretrained model one for pairs of pictures: text assignment"},
		{name: "nlvr", summary: "finetune and measure whether sentences are true of pairs of pictures"},
		{name: "scenes", summary: "write the drawn corpus to disk in the official formats", run: runScenes},
		{name: "inspect", summary: "tell what a checkpoint is and holds"},
		{name: "export", summary: "write what queries need of a checkpoint as .safetensors"},
		{name: "eval", summary: "measure a model on held-out scenes, beside an untrained one"},
		{name: "bench", summary: "time the work on this machine"},
		{name: "doctor", summary: "tell what works on this machine, and what to do about the rest"},
		{name: "version", summary: "tell which vlab this is", run: runVersion},
		{name: "session-child", ownSIGINT: true},
	}
}

// near guesses which command was meant.
func near(name string) string {
	var names []string
	for _, c := range commands() {
		if c.summary != "" {
			names = append(names, c.name)
		}
	}
	if best := nearest(name, names); best != "" {
		return "did you mean vlab " + best + "?"
	}
	return "vlab help lists the commands"
}
