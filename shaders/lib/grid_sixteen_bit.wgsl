// Grid library: 16-bit floats without a scale, half to even, saturating at the largest finite number. An infinity
// stays what it is and a NaN stays a NaN; neither touches its neighbours.
// BF16 has the exponents of f32, so its grid is every 2^16-th bit pattern; FP16 numbers are normal numbers of f32.

override BF16: bool = true;

struct Grid {
  unused: u32,
}

const MAX_BF16 = 0x7F7F0000u;
const MAX_FP16 = 0x477FE000u; // 65504
const SMALLEST_NORMAL_FP16 = 0x38800000u; // 2^-14

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  return Grid(0u);
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  return Grid(0u);
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(0u);
}

fn is_nan(grid: Grid) -> bool {
  return false;
}

fn is_rare(grid: Grid) -> bool {
  return false;
}

fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let m = bits & vec4<u32>(0x7FFFFFFFu);
  let finite = select(fp16_magnitudes(m), bf16_magnitudes(m), vec4<bool>(BF16));
  let special = select(m, vec4<u32>(NAN_BITS), m > vec4<u32>(INFINITY_BITS));
  return select(finite, special, m >= vec4<u32>(INFINITY_BITS)) | (bits & vec4<u32>(0x80000000u));
}

fn bf16_magnitudes(m: vec4<u32>) -> vec4<u32> {
  let even = m + vec4<u32>(0x7FFFu) + ((m >> vec4<u32>(16u)) & vec4<u32>(1u));
  return min(even & vec4<u32>(0xFFFF0000u), vec4<u32>(MAX_BF16));
}

// Below 2^-14 the step doubles, in units of the last place, with every binade down; below 2^-25 nothing is left.
fn fp16_magnitudes(m: vec4<u32>) -> vec4<u32> {
  let field = m >> vec4<u32>(23u);
  let step = vec4<u32>(1u) << min(max(field, vec4<u32>(113u)) - field + vec4<u32>(13u), vec4<u32>(25u));
  let significand = (m & vec4<u32>(0x7FFFFFu)) | vec4<u32>(0x800000u);
  let odd = min(significand & step, vec4<u32>(1u));
  let kept = (significand + (step >> vec4<u32>(1u)) - vec4<u32>(1u) + odd) & (vec4<u32>(0u) - step);
  let moved = (m & vec4<u32>(0x7F800000u)) + kept - vec4<u32>(0x800000u);
  return select(min(moved, vec4<u32>(MAX_FP16)), vec4<u32>(0u), kept == vec4<u32>(0u));
}

fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let values = rounded(bits, grid);
  if (BF16) {
    return values >> vec4<u32>(16u);
  }
  let m = values & vec4<u32>(0x7FFFFFFFu);
  let normal = (m - vec4<u32>(112u << 23u)) >> vec4<u32>(13u);
  let subnormal = vec4<u32>(bitcast<vec4<f32>>(min(m, vec4<u32>(SMALLEST_NORMAL_FP16))) * 16777216.0); // steps of 2^-24
  let finite = select(subnormal, normal, m >= vec4<u32>(SMALLEST_NORMAL_FP16));
  let special = select(vec4<u32>(0x7C00u), vec4<u32>(0x7E00u), m > vec4<u32>(INFINITY_BITS));
  return select(finite, special, m >= vec4<u32>(INFINITY_BITS)) | ((values >> vec4<u32>(16u)) & vec4<u32>(0x8000u));
}

fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  if (BF16) {
    return codes << vec4<u32>(16u);
  }
  let m = codes & vec4<u32>(0x7FFFu);
  let normal = (m << vec4<u32>(13u)) + vec4<u32>(112u << 23u);
  let subnormal = bitcast<vec4<u32>>(vec4<f32>(m) * bitcast<f32>(0x33800000u)); // 2^-24
  let finite = select(subnormal, normal, m >= vec4<u32>(0x400u));
  let special = select(vec4<u32>(INFINITY_BITS), vec4<u32>(NAN_BITS), m > vec4<u32>(0x7C00u));
  return select(finite, special, m >= vec4<u32>(0x7C00u)) | ((codes & vec4<u32>(0x8000u)) << vec4<u32>(16u));
}

fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool> {
  let m = bits & vec4<u32>(0x7FFFFFFFu);
  return (m < vec4<u32>(INFINITY_BITS)) & (m > vec4<u32>(select(MAX_FP16, MAX_BF16, BF16)));
}

fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return rounded(bits, grid);
}

fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return codes_of(bits, grid);
}

fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return decoded(codes, grid);
}
