// out = x * f, or out = x / f for the numbers of E2M1 under powers of two: rounded once to nearest even, by integers.
// x, out: [count] vec4 of f32 bits. f = factor / 2^64 is a 64-bit fraction in [0.5, 1), low word first; quotients are
// 2^28 / f and 3 * 2^27 / f cut to integers, lowest bit set where a fraction was cut.
// Dividing, x must be 0, infinite, NaN or have one of the significands 1 and 1.5.

override WORKGROUP_SIZE: u32 = 64u;
override DIVIDE: bool = false;

struct Params {
  count: u32,
  unused: u32,
  factor: vec2<u32>,
  quotients: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn pre_scale(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.count) {
    return;
  }
  let bits = x[index];
  out[index] = vec4<u32>(scaled(bits.x), scaled(bits.y), scaled(bits.z), scaled(bits.w));
}

fn scaled(bits: u32) -> u32 {
  let magnitude = bits & 0x7FFFFFFFu;
  if (magnitude == 0u || magnitude >= INFINITY_BITS) {
    return bits;
  }
  let sign = bits & 0x80000000u;
  let shift = max(countLeadingZeros(magnitude), 8u) - 8u; // of a subnormal, to 2^23
  let significand = select((magnitude & 0x7FFFFFu) | 0x800000u, magnitude << shift, magnitude < 0x800000u);
  let exponent = max(i32(magnitude >> 23u), 1) - 150 - i32(shift); // x is significand * 2^exponent
  if (DIVIDE) {
    let quotient = select(params.quotients.x, params.quotients.y, significand != 0x800000u);
    return sign | assemble_f32(quotient, exponent - 5);
  }
  return sign | assemble_f32(product(significand), exponent - 4);
}

// significand * f * 2^4, cut to an integer whose lowest bit is set where a fraction was cut. Below 2^28.
fn product(significand: u32) -> u32 {
  let n = significand << 8u;
  let low = wide(n, params.factor.x);
  let high = wide(n, params.factor.y);
  let middle = high.x + low.y;
  let top = high.y + select(0u, 1u, middle < low.y);
  return (top >> 4u) | select(0u, 1u, ((top & 15u) | middle | low.x) != 0u);
}

// The 64-bit product, low word first.
fn wide(a: u32, b: u32) -> vec2<u32> {
  let a0 = a & 0xFFFFu;
  let a1 = a >> 16u;
  let b0 = b & 0xFFFFu;
  let b1 = b >> 16u;
  let cross = a1 * b0 + ((a0 * b0) >> 16u);
  let other = a0 * b1 + (cross & 0xFFFFu);
  return vec2<u32>(a * b, a1 * b1 + (cross >> 16u) + (other >> 16u));
}
