// Positive real numbers as n * 2^exponent, for scales that are not powers of two; every rounding on integers.
// "magnitude" is the bit pattern of an f32 without its sign, subnormals included. An "extended" magnitude is the same
// with an exponent field of any sign and no subnormals, as an i32: 2^(field - 127) * 1.mantissa, ordered like i32s.

struct Real {
  n: u32,
  exponent: i32,
}

// The value of a finite magnitude; n in [2^23, 2^24), or 0 for zero.
fn real_of(magnitude: u32) -> Real {
  let a = extended_of(magnitude);
  let n = u32(a & 0x7FFFFF) | 0x800000u;
  return Real(select(n, 0u, magnitude == 0u), (a >> 23u) - 150);
}

// a + b rounded half to even to 24 bits; a.n in [2^23, 2^24), b.n the same or 0, a >= b.
fn real_sum(a: Real, b: Real) -> Real {
  let lag = u32(clamp(a.exponent - b.exponent, 0, 31));
  let small = b.n << 7u;
  let lost = select(0u, 1u, ((small >> lag) << lag) != small); // below what is kept, one set bit stands for all
  let sum = (a.n << 7u) + ((small >> lag) | lost);
  let lift = select(0u, 1u, sum < 0x80000000u);
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

// A finite magnitude as an extended one.
fn extended_of(magnitude: u32) -> i32 {
  let lifted = bitcast<i32>(f32(i32(magnitude))) - (149 << 23u); // the conversion is exact below 2^24
  return select(i32(magnitude), lifted, magnitude < 0x800000u);
}

// Finite magnitudes as extended ones; zero becomes smaller than any real formed here.
fn extended(magnitudes: vec4<i32>) -> vec4<i32> {
  let lifted = bitcast<vec4<i32>>(vec4<f32>(magnitudes)) - vec4<i32>(149 << 23u); // the conversion is exact below 2^24
  return select(magnitudes, lifted, magnitudes < vec4<i32>(0x800000));
}
