// Grid library of E2M1 under an fp32 scale, the block maximum over 6 rounded once; 0 makes all codes 0.
// Needs lib/grid_e2m1_real.wgsl and lib/fp32_scale.wgsl.

override ROUNDING: u32 = 0u; // 0 half to even, 1 half away from zero, 2 toward zero
override FLUSH: bool = false; // blocks whose maximum is an f32 subnormal become zero

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  let maximum = largest_of(range);
  if (maximum >= INFINITY_BITS) {
    return grid_of_stored(vec2<u32>(NAN_BITS, 0u));
  }
  let kept = select(maximum, 0u, FLUSH && maximum < 0x800000u);
  return grid_of_stored(vec2<u32>(fp32_scale(kept), 0u));
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  let a = extended_of(stored.x);
  let significand = a & 0x7FFFFF;
  let n = select(u32(significand | 0x800000) << 4u, 0u, stored.x == 0u);
  return grid_of_real(BlockScale(n, a - significand - ONE_UP), stored.x);
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(grid.stored, 0u);
}

fn is_nan(grid: Grid) -> bool {
  return grid.stored >= INFINITY_BITS;
}
