// The shared exponent of an MX block as its E8M0 byte (docs/formats.md, scale rules; OCP MX v1.0, conversion).

override EMAX: i32 = 2; // exponent of the largest element, what the shared exponent subtracts
override BUMP_AT: u32 = 0x800000u; // scale rule: mantissa of the block maximum from which the exponent is one higher
override BEST: bool = false; // the second candidate is the scale one exponent up
override FLUSH: bool = false; // blocks whose maximum is an f32 subnormal become zero

const NAN_BYTE = 255u;

// The E8M0 byte for a block whose largest magnitude is `maximum`.
fn scale_byte(maximum: u32) -> u32 {
  let field = maximum >> 23u;
  if (field == 255u) {
    return NAN_BYTE;
  }
  let bump = select(0, 1, (maximum & 0x7FFFFFu) >= BUMP_AT);
  return u32(clamp(i32(field) - EMAX + bump, 0, 254));
}
