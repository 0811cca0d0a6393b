// Grid library: any MX element under an E8M0 scale. Needs lib/e8m0.wgsl, lib/mx_element.wgsl and lib/mx_round.wgsl.
// Where one step of the smallest element is a normal number (nearly always) elements are rounded in place; the others
// go through their codes, by integers only.

override LARGEST_BITS: u32 = 0x40C00000u; // the largest element as f32

struct Grid {
  byte: u32,
  k: i32, // the scale is 2^k
  limit: i32, // bits of the largest value; 0: everything becomes zero
}

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  let maximum = largest_of(range);
  let byte = scale_byte(maximum);
  if (BEST && candidate == 1u && byte < 254u && !overflows_raised(maximum)) {
    return grid_of_byte(byte + 1u);
  }
  if (FLUSH && maximum < 0x800000u) {
    return Grid(0u, -127, 0);
  }
  return grid_of_byte(byte);
}

// Whether a block with this maximum overflows with the scale one exponent up: the maximum rounds to 2^128 there.
fn overflows_raised(maximum: u32) -> bool {
  return ROUNDING != 2u && maximum >= 0x7F800000u - (1u << (22u - MANTISSA_BITS));
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  return grid_of_byte(stored.x);
}

fn grid_of_byte(byte: u32) -> Grid {
  let k = i32(byte) - 127;
  let limit = LARGEST_BITS + (byte << 23u) - 0x3F800000u; // unsigned: up to 2^129 and more
  // exact where subnormal, at k = -127 and below 2: the last bit of a short significand is 0
  let subnormal = ((LARGEST_BITS & 0x7FFFFFu) | 0x800000u) >> 1u;
  return Grid(byte, k, i32(select(min(limit, INFINITY_BITS), subnormal, limit < 0x800000u)));
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(grid.byte, 0u);
}

fn is_nan(grid: Grid) -> bool {
  return grid.byte == NAN_BYTE;
}

fn is_rare(grid: Grid) -> bool {
  let overflows = grid.limit >= i32(INFINITY_BITS) || (TWOS_COMPLEMENT && grid.k == 127); // code -128 is -2
  return grid.byte == NAN_BYTE || !can_round_in_place(grid.k) || overflows;
}

fn magnitude_in_place(bits: vec4<u32>, grid: Grid) -> vec4<i32> {
  return round_in_place(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), grid.k, grid.limit);
}

fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let magnitude = bitcast<vec4<u32>>(magnitude_in_place(bits, grid));
  let signed = magnitude | (bits & vec4<u32>(0x80000000u));
  if (TWOS_COMPLEMENT) {
    return select(signed, vec4<u32>(0u), magnitude == vec4<u32>(0u)); // an integer has no negative zero
  }
  return signed;
}

fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let codes = codes_in_place(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), grid.k);
  return with_sign(bitcast<vec4<u32>>(codes), bits);
}

fn with_sign(magnitudes: vec4<u32>, bits: vec4<u32>) -> vec4<u32> {
  if (TWOS_COMPLEMENT) {
    let negated = -bitcast<vec4<i32>>(magnitudes) & vec4<i32>(255);
    return select(magnitudes, bitcast<vec4<u32>>(negated), bits >= vec4<u32>(0x80000000u));
  }
  return magnitudes | ((bits >> vec4<u32>(countLeadingZeros(SIGN_BIT))) & vec4<u32>(SIGN_BIT));
}

// The magnitude's bits moved to where an f32 has them, and the exponents added; a subnormal element is an integer
// times one step, which is a normal number here.
fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  let step = bitcast<f32>((grid.k + EMIN - i32(MANTISSA_BITS) + 127) << 23u);
  if (TWOS_COMPLEMENT) {
    let integers = (bitcast<vec4<i32>>(codes) << vec4<u32>(24u)) >> vec4<u32>(24u);
    return bitcast<vec4<u32>>(vec4<f32>(integers) * step);
  }
  let magnitudes = bitcast<vec4<i32>>(codes & vec4<u32>(SIGN_BIT - 1u));
  let normal = (magnitudes << vec4<u32>(23u - MANTISSA_BITS)) + vec4<i32>((grid.k + EMIN + 126) << 23u);
  let subnormal = bitcast<vec4<i32>>(vec4<f32>(magnitudes) * step);
  var values = bitcast<vec4<u32>>(select(subnormal, normal, magnitudes >= vec4<i32>(1i << MANTISSA_BITS)));
  if (MAX_CODE < SIGN_BIT - 1u) {
    values = select(values, vec4<u32>(NAN_BITS), magnitudes > vec4<i32>(i32(MAX_CODE)));
    values = select(values, vec4<u32>(INFINITY_BITS), magnitudes == vec4<i32>(i32(INFINITY_CODE)));
  }
  return values | ((codes & vec4<u32>(SIGN_BIT)) << vec4<u32>(countLeadingZeros(SIGN_BIT)));
}

fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool> {
  let limit = select(u32(grid.limit), 0x7FFFFFFFu, is_nan(grid) || grid.limit == 0);
  return (bits & vec4<u32>(0x7FFFFFFFu)) > vec4<u32>(limit);
}

fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  var values = vec4<u32>(0u);
  for (var i = 0u; i < 4u; i++) {
    values[i] = value_near(bits[i], grid);
  }
  return values;
}

fn value_near(bits: u32, grid: Grid) -> u32 {
  if (is_nan(grid)) {
    return NAN_BITS;
  }
  let code = code_near(bits & 0x7FFFFFFFu, grid);
  if (code == 0u && TWOS_COMPLEMENT) {
    return 0u;
  }
  return magnitude_of_code(code, grid.k) | (bits & 0x80000000u);
}

fn code_near(magnitude: u32, grid: Grid) -> u32 {
  return select(magnitude_code(magnitude, grid.k), 0u, grid.limit == 0);
}

fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  var codes = vec4<u32>(0u);
  for (var i = 0u; i < 4u; i++) {
    codes[i] = code_near(bits[i] & 0x7FFFFFFFu, grid);
  }
  return with_sign(codes, bits);
}

fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  var values = vec4<u32>(0u);
  for (var i = 0u; i < 4u; i++) {
    values[i] = value_of(codes[i], grid);
  }
  return values;
}

fn value_of(code: u32, grid: Grid) -> u32 {
  if (is_nan(grid)) {
    return NAN_BITS;
  }
  let is_negative = code >= SIGN_BIT;
  var magnitude = code & (SIGN_BIT - 1u);
  if (TWOS_COMPLEMENT && is_negative) {
    magnitude = 2u * SIGN_BIT - code;
  }
  return magnitude_of_code(magnitude, grid.k) | select(0u, 0x80000000u, is_negative);
}
