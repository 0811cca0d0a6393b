// Positive real numbers as n * 2^exponent, for scales that are not powers of two; every rounding on integers.
// "magnitude" is the bit pattern of an f32 without its sign, subnormals included. An "extended" magnitude is the same
// with an exponent field of any sign and no subnormals, as an i32: 2^(field - 127) * 1.mantissa, ordered like i32s.

struct Real {
  n: u32,
  exponent: i32,
}

// The value of a finite magnitude; n in [2^23, 2^24), or 0 for zero.
fn real_of(magnitude: u32) -> Real {
  let lift = max(countLeadingZeros(magnitude), 8u) - 8u; // of a subnormal
  let subnormal = magnitude < 0x800000u;
  let n = select((magnitude & 0x7FFFFFu) | 0x800000u, magnitude << (lift & 31u), subnormal);
  return Real(n, select(i32(magnitude >> 23u) - 150, -149 - i32(lift), subnormal));
}

// a + b rounded half to even to 24 bits; a.n in [2^23, 2^24), b.n the same or 0, a >= b.
fn real_sum(a: Real, b: Real) -> Real {
  let lag = u32(clamp(a.exponent - b.exponent, 0, 31));
  let small = b.n << 7u;
  let lost = select(0u, 1u, ((small >> lag) << lag) != small); // below what is kept, one set bit stands for all
  let sum = (a.n << 7u) + ((small >> lag) | lost);
  let lift = countLeadingZeros(sum) & 1u;
  let n = sum << lift;
  let kept = n >> 8u;
  let up = select(0u, 1u, (n & 255u) + (kept & 1u) > 128u);
  return Real(kept + up, a.exponent + 1 - i32(lift));
}

// a / divisor with 30 or 31 bits, the last one set where bits below it are lost. a.n in [2^23, 2^24], divisor in
// 1 ... 255. Long division in digits of 24 bits.
fn real_quotient(a: Real, divisor: u32) -> Real {
  let high = a.n / divisor;
  let rest = (a.n - high * divisor) << 24u;
  let low = rest / divisor;
  let room = countLeadingZeros(high) - 1u; // 6 ... 16 bits of the second digit still fit
  let lost = (low << (8u + room)) | (rest - low * divisor);
  return Real((high << room) | (low >> (24u - room)) | min(lost, 1u), a.exponent - i32(room));
}

// The bits of the f32 nearest to a real, half to even, subnormals and infinity included.
fn nearest_f32(real: Real) -> u32 {
  let lift = countLeadingZeros(real.n) & 31u;
  let n = real.n << lift;
  let exponent = real.exponent - i32(lift);
  let field = max(exponent + 158, 1);
  let drop = field - 150 - exponent; // 8 where the result is normal
  let shift = u32(min(drop, 31));
  let kept = n >> shift;
  let up = select(0u, 1u, n - (kept << shift) + (kept & 1u) > (1u << (shift - 1u)));
  let bits = u32(min(field, 256) - 1) * 0x800000u + kept + up;
  let tiny = select(0u, 1u, drop == 32 && n > 0x80000000u); // above half the smallest subnormal
  return select(min(bits, INFINITY_BITS), tiny, drop > 31 || n == 0u);
}

// The same real with the top bit of n set, where n has `zeros` or zeros + 1 leading zeros: cheaper than counting them.
fn aligned(real: Real, zeros: u32) -> Real {
  let lift = zeros + select(1u, 0u, real.n >= (0x80000000u >> zeros));
  return Real(real.n << lift, real.exponent - i32(lift));
}

// The extended magnitude of the number of 24 bits nearest to an aligned real, half to even.
fn nearest_extended(real: Real) -> i32 {
  let kept = real.n >> 8u;
  let up = select(0u, 1u, (real.n & 255u) + (kept & 1u) > 128u);
  return (real.exponent + 157) * 0x800000 + i32(kept + up);
}

// The extended magnitude of the smallest number of 24 bits that is >= an aligned real, or > it where `beyond` is 1.
fn least_extended(real: Real, beyond: u32) -> i32 {
  return (real.exponent + 157) * 0x800000 + i32((real.n - 1u + beyond) >> 8u) + 1;
}

// Finite magnitudes as extended ones; zero becomes smaller than any real formed here.
fn extended(magnitudes: vec4<i32>) -> vec4<i32> {
  let lifted = bitcast<vec4<i32>>(vec4<f32>(magnitudes)) - vec4<i32>(149 << 23u); // the conversion is exact below 2^24
  return select(magnitudes, lifted, magnitudes < vec4<i32>(0x800000));
}
