// Grid library of NVFP4: E2M1 under an E4M3 scale per block times the fp32 scale of the tensor, whose bits are
// context[0] (tensor_scale.wgsl). Needs lib/grid_e2m1_real.wgsl and lib/real_scale.wgsl. Candidate 0 scales the
// block maximum to 6, candidate 1 to 4 (four over six, arXiv 2512.02010).

const ROUNDING = 0u; // of lib/grid_e2m1_real.wgsl: half to even
const E4M3_NAN = 0x7Fu;

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  let maximum = largest_of(range);
  let is_finite = maximum < INFINITY_BITS && context[0] < INFINITY_BITS;
  let byte = block_byte(extended_of(maximum), extended_of(context[0]), candidate == 1u);
  return grid_of_byte(select(E4M3_NAN, byte, is_finite));
}

const SIGNIFICAND = 0x7FFFFF;
const SMALLEST_NORMAL_E4M3 = 0x3C800000; // 2^-6

// The E4M3 code nearest to maximum / 6 or maximum / 4 over the scale of the tensor, half to even, saturated. An f32 quotient
// names the code below, or the one above where it is next to a code; the number halfway to the code that follows, times
// the divisor, is an integer of 31 bits and decides exactly.
fn block_byte(maximum: i32, tensor: i32, to_four: bool) -> u32 {
  let one_to_two = bitcast<f32>((maximum & SIGNIFICAND) | 0x3F800000);
  let divisor = bitcast<f32>((tensor & SIGNIFICAND) | 0x3F800000) * select(1.5, 1.0, to_four);
  let lead = (maximum >> 23u) - (tensor >> 23u);
  let quotient = bitcast<i32>(one_to_two / divisor) + (clamp(lead, -99, 99) - 2) * 0x800000;
  let subnormal = i32(bitcast<f32>(clamp(quotient, 0x30000000, SMALLEST_NORMAL_E4M3)) * 512.0);
  let normal = (quotient >> 20u) - (120 << 3u);
  let below = min(select(normal, subnormal, quotient < SMALLEST_NORMAL_E4M3), 126);
  let halfway = 2u * u32(select((below & 7) | 8, below, below < 8)) + 1u; // times 2^(max(below / 8, 1) - 11)
  let product = halfway * select(3u, 1u, to_four) * u32((tensor & SIGNIFICAND) | 0x800000);
  let shift = lead - max(below >> 3u, 1) + 11 - select(1, 2, to_four);
  let n = select(u32((maximum & SIGNIFICAND) | 0x800000) << (bitcast<u32>(shift) & 31u), 0u, shift < 0);
  let up = n > product || (n == product && (below & 1) == 1);
  return u32(min(below + select(0, 1, up), 126));
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  return grid_of_byte(select(stored.x & 0x7Fu, E4M3_NAN, context[0] >= INFINITY_BITS));
}

// The byte as the f32 bits of its value, which has four bits, times the scale of the tensor.
fn grid_of_byte(byte: u32) -> Grid {
  let tensor = extended_of(context[0]);
  let significand = tensor & 0x7FFFFF;
  let subnormal = bitcast<u32>(f32(byte) * 0x1p-9);
  let value = select(byte * 0x100000u + (120u << 23u), subnormal, byte < 8u);
  let digit = select(((value >> 20u) & 7u) | 8u, 0u, byte == 0u || context[0] == 0u);
  let product = aligned(digit * u32(significand | 0x800000), 0x8000000u);
  let exponents = tensor - significand + i32(value & 0x7F800000u) - (127 << 23u);
  return grid_of_real(BlockScale(product.n, exponents - product.lift), byte);
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(grid.stored, 0u);
}

fn is_nan(grid: Grid) -> bool {
  return grid.stored == E4M3_NAN;
}
