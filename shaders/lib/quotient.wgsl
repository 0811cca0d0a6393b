// x / s rounded to an element, for a scale s that is not a power of two. Needs lib/real_scale.wgsl, and of the
// element MANTISSA_BITS, EMIN (the exponent below which its steps stop shrinking) and ROUNDING. An estimate in f32
// decides where it must be right: it is within 2^-21 of x / s, relatively (an inverse to 2.5 units in the last
// place, one product to 1). Only for quotients that close to a rounding boundary it may be wrong: then `unsure` is
// raised, and the kernel takes its chunk again by the general functions, which go through nearest_steps, exact.

// Raised by the fast functions of the grid library, and for good: later chunks of the invocation are right either way.
var<private> unsure: bool = false;

struct Divisor {
  bits: u32, // of the scale, an f32 >= 0 or NaN
  value: f32,
  inverse: f32,
}

// Scales for which neither their inverse nor a quotient or product that matters leaves the normal numbers.
const PLAIN_FROM = 0x0D800000u; // 2^-100
const PLAIN_TO = 0x71800000u; // 2^100

fn divisor_of(bits: u32) -> Divisor {
  let value = bitcast<f32>(clamp(bits, PLAIN_FROM, PLAIN_TO));
  return Divisor(bits, value, 1.0 / value);
}

fn is_plain(divisor: Divisor) -> bool {
  return divisor.bits >= PLAIN_FROM && divisor.bits <= PLAIN_TO;
}

struct Steps {
  count: vec4<i32>, // at most 2^(MANTISSA_BITS + 1)
  exponent: vec4<i32>, // of one step
}

// Finite magnitudes over the scale, in steps of the element, each rounded once; the scale is finite and not 0.
// With N / 2s the quotient in steps, the estimate is off by one at most, and 2r = N - 2s * count says whether it is.
fn nearest_steps(magnitudes: vec4<i32>, divisor: Divisor) -> Steps {
  const ZERO = vec4<i32>(0);
  const ONE = vec4<i32>(1);
  let mantissa_bits = i32(MANTISSA_BITS);
  let scale = real_of(divisor.bits);
  let s = i32(scale.n);
  let a = extended(magnitudes);
  let n = (a & vec4<i32>(0x7FFFFF)) | vec4<i32>(0x800000);
  let below = select(ZERO, ONE, n < vec4<i32>(s)); // the significands' quotient is in [0.5, 1)
  let exponent = (a >> vec4<u32>(23u)) - vec4<i32>(scale.exponent + 150) - below;
  let depth = min(exponent - vec4<i32>(EMIN), ZERO) + vec4<i32>(mantissa_bits + 1);
  let shift = max(depth, ZERO) + below;
  let two_s = 2 * s;
  // bits above the 32nd may be lost in both terms: the difference is small
  let numerator = n << bitcast<vec4<u32>>(shift);
  let power = bitcast<vec4<f32>>((shift + vec4<i32>(126)) << vec4<u32>(23u));
  let estimate = vec4<f32>(n) * power * (1.0 / f32(s));
  var count = vec4<i32>(estimate + vec4<f32>(select(0.5, 0.0, ROUNDING == 2u)));
  let twice_rest = numerator - count * two_s;
  var up = vec4<bool>();
  var down = vec4<bool>();
  if (ROUNDING == 0u) {
    let odd = count & ONE;
    up = twice_rest + odd > vec4<i32>(s);
    down = odd - twice_rest > vec4<i32>(s);
  } else if (ROUNDING == 1u) {
    up = twice_rest >= vec4<i32>(s);
    down = -twice_rest > vec4<i32>(s);
  } else {
    up = twice_rest >= vec4<i32>(two_s);
    down = twice_rest < ZERO;
  }
  count += select(ZERO, ONE, up) - select(ZERO, ONE, down);
  count = select(count, ZERO, depth < ZERO); // below half a step
  return Steps(count, max(exponent, vec4<i32>(EMIN)) - vec4<i32>(mantissa_bits));
}

// The bits of unscaled values times the scale, rounded once. Values: f32 bits with at most 8 significant bits.
fn scaled(values: vec4<u32>, divisor: Divisor) -> vec4<u32> {
  return vec4<u32>(
    scaled_value(values.x, divisor),
    scaled_value(values.y, divisor),
    scaled_value(values.z, divisor),
    scaled_value(values.w, divisor),
  );
}

fn scaled_value(value: u32, divisor: Divisor) -> u32 {
  let unscaled = real_of(value & 0x7FFFFFFFu);
  let scale = real_of(divisor.bits);
  let product = nearest_f32(Real((unscaled.n >> 16u) * scale.n, unscaled.exponent + 16 + scale.exponent));
  return product | (value & 0x80000000u);
}
