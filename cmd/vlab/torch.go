//go:build !front

package main

// withTorch returns what runs a command that needs libtorch. The front's build of
// this package has none of them and hands over to vlab-torch instead.
func withTorch(name string, _ []string) (runner, error) {
	return map[string]runner{
		"search":    runSearch,
		"ground":    runGround,
		"ask":       runAsk,
		"entail":    runEntail,
		"compare":   runCompare,
		"pretrain":  runPretrain,
		"retrieval": finetune("retrieval"),
		"vqa":       finetune("vqa", keyFlag{"inference", "`rank` or generate, over the config's"}),
		"grounding": finetune("grounding",
			keyFlag{"gradcam_mode", "`itm` or itc, over the config's"}, keyFlag{"block_num", "`layer` that Grad-CAM reads, over the config's"}),
		"ve":            finetune("ve"),
		"pretrain-nlvr": finetune("pretrain-nlvr"),
		"nlvr":          finetune("nlvr"),
		"inspect":       runInspect,
		"export":        runExport,
		"eval":          runEval,
		"bench":         runBench,
		"doctor":        runDoctor,
		"session-child": runSessionChild,
	}[name], nil
}
