package main

// commands lists the subcommands in the order of the help text; one without a
// summary is not shown.
func commands() []command {
	return []command{
		{name: "repl", summary: "the terminal: Go cells over the lab", run: runREPL},
		{name: "run", summary: "run a .go script of cells or a notebook with nobody there", run: runScript},
		{name: "kernel", summary: "install or run the Jupyter kernel", run: runKernel, ownSIGINT: true},
		{name: "demo", summary: "a tour: train a few steps, retrieve, ground, with figures and pictures", run: runDemo},
		{name: "search", summary: "find pictures by text", run: runSearch},
		{name: "ground", summary: "show where each word of a text looks in a picture", run: runGround},
		{name: "ask", summary: "answer a question about a picture", run: runAsk},
		{name: "entail", summary: "tell whether a picture shows what a sentence says", run: runEntail},
		{name: "compare", summary: "tell whether a sentence is true of two pictures", run: runCompare},
		{name: "pretrain", summary: "train ALBEF's three losses on images with captions, or on drawn scenes", run: runPretrain},
		{name: "retrieval", summary: "finetune and measure finding pictures by text and texts by picture", run: finetune("retrieval")},
		{
			name: "vqa", summary: "finetune and measure answering questions about pictures",
			run: finetune("vqa", keyFlag{"inference", "`rank` or generate, over the config's"}),
		},
		{
			name: "grounding", summary: "finetune without boxes and measure where texts lead to in pictures",
			run: finetune("grounding",
				keyFlag{"gradcam_mode", "`itm` or itc, over the config's"}, keyFlag{"block_num", "`layer` that Grad-CAM reads, over the config's"}),
		},
		{name: "ve", summary: "finetune and measure whether pictures show what sentences say", run: finetune("ve")},
		{name: "pretrain-nlvr", summary: "make a pretrained model one for pairs of pictures: text assignment", run: finetune("pretrain-nlvr")},
		{name: "nlvr", summary: "finetune and measure whether sentences are true of pairs of pictures", run: finetune("nlvr")},
		{name: "scenes", summary: "write the drawn corpus to disk in the official formats", run: runScenes},
		{name: "inspect", summary: "tell what a checkpoint is and holds", run: runInspect},
		{name: "export", summary: "write what queries need of a checkpoint as .safetensors", run: runExport},
		{name: "eval", summary: "measure a model on held-out scenes, beside an untrained one", run: runEval},
		{name: "bench", summary: "time the work on this machine", run: runBench},
		{name: "doctor", summary: "tell what works on this machine, and what to do about the rest", run: runDoctor},
		{name: "session-child", run: runSessionChild, ownSIGINT: true},
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
