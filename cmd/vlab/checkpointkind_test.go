package main

import (
	"testing"

	"vlab/albef/torch/weights"
)

func TestKindOfTellsTheOfficialProgramsApart(t *testing.T) {
	const image, momentum = "visual_encoder.blocks.0.norm1.weight", "visual_encoder_m.blocks.0.norm1.weight"
	tests := []struct {
		name string
		keys []string
		head []int // shape of cls_head.2.weight, nil for none
		want kind
	}{
		{"pretraining", []string{image, "text_encoder.bert.encoder.layer.0.output.dense.weight", "itm_head.weight", momentum}, nil, kindPretraining},
		{"of several processes", []string{"module." + image, "module.itm_head.weight", "module." + momentum}, nil, kindPretraining},
		{"for queries", []string{image, "text_encoder.bert.encoder.layer.0.output.dense.weight", "itm_head.weight"}, nil, kindQueries},
		{"retrieval", []string{image, "text_encoder.encoder.layer.0.output.dense.weight", "itm_head.weight", momentum}, nil, kindRetrieval},
		{"vqa", []string{image, "text_encoder.encoder.layer.0.output.dense.weight", "text_decoder.bert.encoder.layer.0.output.dense.weight"}, nil, kindVQA},
		{"entailment", []string{image, "cls_head.0.weight"}, []int{3, 8}, kindEntailment},
		{"nlvr", []string{image, "cls_head.0.weight"}, []int{2, 8}, kindNLVR},
		{"nlvr pretraining", []string{image, "ta_head.weight"}, nil, kindNLVRStart},
		{"DeiT", []string{"blocks.0.attn.qkv.weight", "head.weight"}, nil, kindViT},
		{"BERT", []string{"bert.embeddings.word_embeddings.weight"}, nil, kindBERT},
		{"something else", []string{"layer1.0.conv1.weight"}, nil, kindUnknown},
		{"nothing", nil, nil, kindUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := weights.NewDict()
			for _, key := range tt.keys {
				state.Set(key, &weights.Tensor{DType: weights.F32, Shape: []int{0}})
			}
			if tt.head != nil {
				state.Set("cls_head.2.weight", &weights.Tensor{DType: weights.F32, Shape: tt.head})
			}
			if got := kindOf(state); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
