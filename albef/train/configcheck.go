package train

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Validate checks that each value that has a range lies in it. The error names
// the file and line, or the --set, which the value is from.
func (c *Config) Validate() error {
	check := func(ok bool, key, want string, got any) error {
		if ok {
			return nil
		}
		return &configError{c.place(key), fmt.Sprintf("%s is %v", key, got), key + " must be " + want}
	}
	share := func(key string, v float64) error { return check(v >= 0 && v <= 1, key, "from 0 to 1", v) }
	count := func(key string, v int) error { return check(v >= 0, key, "0 or more", v) }
	o, s := c.Optimizer, c.Schedular
	for _, err := range []error{
		check(strings.EqualFold(o.Opt, "adamw"), "optimizer.opt", "adamW", o.Opt),
		check(o.LR > 0, "optimizer.lr", "more than 0", o.LR),
		check(o.WeightDecay >= 0, "optimizer.weight_decay", "0 or more", o.WeightDecay),
		check(o.Eps > 0, "optimizer.opt_eps", "more than 0", o.Eps),
		check(validBetas(o.Betas), "optimizer.opt_betas", "two numbers from 0 to below 1", o.Betas),
		check(s.Sched == "cosine", "schedular.sched", "cosine", s.Sched),
		check(s.Epochs >= 1, "schedular.epochs", "1 or more", s.Epochs),
		check(s.MinLR >= 0, "schedular.min_lr", "0 or more", s.MinLR),
		check(s.WarmupLR >= 0, "schedular.warmup_lr", "0 or more", s.WarmupLR),
		count("schedular.warmup_epochs", s.WarmupEpochs),
		check(c.DType == "fp32" || c.DType == "bf16", "dtype", "fp32 or bf16", c.DType),
		check(c.Temperature > 0, "temp", "more than 0", c.Temperature),
		share("mlm_probability", c.MaskProb), share("momentum", c.MomentumDecay), share("alpha", c.DistillWeight),
		check(c.GradClip >= 0, "grad_clip", "0 or more", c.GradClip),
		check(slices.Contains([]Recording{RecordAuto, RecordOn, RecordOff}, Recording(c.CUDAGraphs)), "cuda_graphs", "auto, on or off", c.CUDAGraphs),
		check(c.LogEvery >= 1, "log_every", "1 or more", c.LogEvery),
		check(c.Accumulate >= 1, "accumulate", "1 or more", c.Accumulate),
		count("image_res", c.ImageRes), count("vision_width", c.VisionWidth), count("embed_dim", c.EmbedDim),
		count("batch_size", c.BatchSize), count("batch_size_train", c.BatchSizeTrain), count("batch_size_test", c.BatchSizeTest),
		count("queue_size", c.QueueSize), count("k_test", c.KTest), count("max_steps", c.MaxSteps),
		check(c.Augment == "official" || c.Augment == "none", "augment", "official or none", c.Augment),
		check(c.Inference == "rank" || c.Inference == "generate", "inference", "rank or generate", c.Inference),
		check(c.NumBeams >= 1, "num_beams", "1 or more", c.NumBeams),
		check(c.GradcamMode == "itm" || c.GradcamMode == "itc", "gradcam_mode", "itm or itc", c.GradcamMode),
		count("block_num", c.BlockNum), count("save_every", c.SaveEvery), count("eval_every", c.EvalEvery), count("num_workers", c.NumWorkers),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// Recompute returns what of a step is run again for less memory. A batch that
// accumulate doesn't divide is an error.
func (c *Config) Recompute(batch int) (Recompute, error) {
	if batch%c.Accumulate != 0 {
		return Recompute{}, &configError{
			c.place("accumulate"), fmt.Sprintf("accumulate is %d, and %d pairs can't be cut into as many parts", c.Accumulate, batch),
			"take a number that divides the batch size, " + divisors(batch),
		}
	}
	return Recompute{Parts: c.Accumulate > 1, Layers: c.CheckpointActivations}, nil
}

// NoRecompute reports the keys of [Config.Recompute] for a task that doesn't know
// them.
func (c *Config) NoRecompute() error {
	key := "checkpoint_activations"
	if c.Accumulate > 1 {
		key = "accumulate"
	} else if !c.CheckpointActivations {
		return nil
	}
	return &configError{c.place(key), "this task has no " + key, "pretraining, retrieval and grounding have; a smaller batch_size_train takes less memory too"}
}

// place is where a key was set.
func (c *Config) place(key string) string {
	if place := c.places[key]; place != "" {
		return place
	}
	return "config"
}

// divisors lists what divides n.
func divisors(n int) string {
	var out []string
	for k := 1; k <= n; k++ {
		if n%k == 0 {
			out = append(out, strconv.Itoa(k))
		}
	}
	return strings.Join(out, ", ")
}

func validBetas(betas []float64) bool {
	return len(betas) == 2 && !slices.ContainsFunc(betas, func(b float64) bool { return b < 0 || b >= 1 })
}
