package albef

import "vlab/albef/torch"

// Patches shows the stem's output to tests.
func Patches(e *ImageEncoder, images *torch.Tensor) *torch.Tensor { return e.patches(images) }
