// The fp32 scale of a tensor in NVFP4: maximum / DIVISOR / 2^DIVISOR_EXPONENT, rounded once, half to even.
// maximum: one word, bits of the tensor's largest magnitude (magnitude_max.wgsl); scale: one word, bits of the f32.
// 1 where the quotient is 0, NaN where the tensor holds a NaN or an infinity. One invocation does it.
// The divisor is 2688 = 21 * 2^7, or 1536 = 3 * 2^9 with four over six.

struct Params {
  unused: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> maximum: array<u32>;
@group(0) @binding(2) var<storage, read_write> scale: array<u32>;

@compute @workgroup_size(1)
fn tensor_scale() {
  let bits = maximum[0];
  let quotient = fp32_scale(bits);
  scale[0] = select(select(quotient, 0x3F800000u, quotient == 0u), NAN_BITS, bits >= INFINITY_BITS);
}
