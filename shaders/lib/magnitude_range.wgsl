// The range of a tensor: the power of two strictly above max |x|, as the f32 exponent field e of the maximum, so that
// range = 2^(e − 126). An all-zero tensor has range 1. Below e = 7 (range 2^-119) the factors by which kernels scale
// into the range would leave f32, so the range stops there. Mirrored by rangeOf in src/gpu/kernels/magnitude-max.ts.
fn range_exponent(max_bits: u32) -> u32 {
  return select(clamp(max_bits >> 23u, 7u, 254u), 126u, max_bits == 0u);
}
