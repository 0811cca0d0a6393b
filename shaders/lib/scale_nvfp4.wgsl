// Grid library of NVFP4: E2M1 under an E4M3 scale per block times the fp32 scale of the tensor, whose bits are
// context[0] (tensor_scale.wgsl). Needs lib/grid_e2m1_real.wgsl and lib/real_scale.wgsl. Candidate 0 scales the
// block maximum to 6, candidate 1 to 4 (four over six, arXiv 2512.02010).

const ROUNDING = 0u; // of lib/grid_e2m1_real.wgsl: half to even
const E4M3_NAN = 0x7Fu;

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  let maximum = largest_of(range);
  if (maximum >= INFINITY_BITS || context[0] >= INFINITY_BITS) {
    return grid_of_byte(E4M3_NAN);
  }
  let a = real_of(maximum);
  let tensor_scale = real_of(context[0]);
  let to_four = candidate == 1u;
  let divisor = select(3u, 1u, to_four) * tensor_scale.n; // 6 = 3 * 2 and 4 = 1 * 2^2
  let exponent = tensor_scale.exponent + select(1, 2, to_four);
  // 6 to 9 bits, and one more for what is lost
  let quotient = (a.n << 8u) / divisor;
  let lost = min((a.n << 8u) - quotient * divisor, 1u);
  return grid_of_byte(e4m3_code(Real(2u * quotient + lost, a.exponent - 9 - exponent)));
}

// The E4M3 code nearest to a real of 7 to 10 bits, or 0; half to even, saturated.
fn e4m3_code(real: Real) -> u32 {
  let exponent = max(real.exponent + 31 - i32(countLeadingZeros(real.n)), -6);
  let shift = u32(min(exponent - 3 - real.exponent, 31));
  let kept = real.n >> shift;
  let up = select(0u, 1u, real.n - (kept << shift) + (kept & 1u) > (1u << (shift - 1u)));
  return select(min((u32(exponent + 6) << 3u) + kept + up, 126u), 0u, real.n == 0u);
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  return grid_of_byte(select(stored.x & 0x7Fu, E4M3_NAN, context[0] >= INFINITY_BITS));
}

fn grid_of_byte(byte: u32) -> Grid {
  let tensor_scale = real_of(context[0]);
  let field = byte >> 3u;
  let n = (byte & 7u) | select(8u, 0u, field == 0u);
  return grid_of_real(Real(n * tensor_scale.n, i32(max(field, 1u)) - 10 + tensor_scale.exponent), byte);
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(grid.stored, 0u);
}

fn is_nan(grid: Grid) -> bool {
  return grid.stored == E4M3_NAN;
}
