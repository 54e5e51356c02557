//go:build !front

package main

import (
	"strings"

	"vlab/albef/torch/weights"
)

// kind is which of the official programs, or of ours, a checkpoint is from.
type kind string

// The kinds. Retrieval and grounding finetune the same model, so their files
// can't be told apart. Queries is what vlab export writes: pretraining without
// momentum model and queues.
const (
	kindPretraining kind = "pretraining"
	kindQueries     kind = "queries"
	kindRetrieval   kind = "retrieval or grounding"
	kindVQA         kind = "vqa"
	kindEntailment  kind = "visual entailment"
	kindNLVR        kind = "nlvr"
	kindNLVRStart   kind = "nlvr pretraining"
	kindViT         kind = "image encoder alone"
	kindBERT        kind = "text encoder alone"
	kindUnknown     kind = "not a kind that is known here"
)

// entailmentLabels is how many classes the head of visual entailment has; that
// of NLVR has two.
const entailmentLabels = 3

// pretrainTask is the command that isn't a finetuning one.
const pretrainTask = "pretrain"

// task is the command whose model a checkpoint of the kind is, "" where there is
// none.
func (k kind) task() string {
	switch k {
	case kindPretraining, kindQueries:
		return pretrainTask
	case kindRetrieval:
		return "retrieval"
	case kindVQA:
		return "vqa"
	case kindEntailment:
		return "ve"
	case kindNLVR:
		return "nlvr"
	case kindNLVRStart:
		return "pretrain-nlvr"
	case kindViT, kindBERT, kindUnknown:
	}
	return ""
}

// kindOf tells a checkpoint's kind by the names and shapes that only that kind
// has.
func kindOf(state *weights.Dict) kind {
	has := func(prefix string) bool {
		for _, key := range state.Keys() {
			if strings.HasPrefix(strings.TrimPrefix(key, "module."), prefix) {
				return true
			}
		}
		return false
	}
	switch {
	case has("text_decoder."):
		return kindVQA
	case has("ta_head."):
		return kindNLVRStart
	case has("cls_head."):
		if t, ok := state.Get("cls_head.2.weight"); ok && len(t.Shape) == 2 && t.Shape[0] == entailmentLabels {
			return kindEntailment
		}
		return kindNLVR
	case has("itm_head.") && has("text_encoder.encoder."):
		return kindRetrieval
	case has("itm_head.") && has("visual_encoder_m."):
		return kindPretraining
	case has("itm_head."):
		return kindQueries
	case has("blocks.0.attn.") || has("visual_encoder."):
		return kindViT
	case has("bert.") || has("text_encoder.") || has("embeddings.word_embeddings"):
		return kindBERT
	}
	return kindUnknown
}
