package bench

// RerankFLOPs lets a test count.
var RerankFLOPs = rerankFLOPs
