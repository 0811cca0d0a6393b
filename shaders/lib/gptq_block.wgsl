// One block of a weight as the kernels that choose its E8M0 scale by error read it, and its errors relative to its size.
// Needs lib/grids.wgsl and the kernel's `source`: array<vec4<u32>>, the f32 bits of [rows, stride] elements, padding 0.

// The block in vec4s of `source`, as (first, end); stride4: vec4s per row.
fn block_span(row: u32, block: u32, stride4: u32) -> vec2<u32> {
  let row_start = row * stride4;
  let start = row_start + block * (BLOCK / 4u);
  return vec2<u32>(start, min(start + BLOCK / 4u, row_start + stride4));
}

// Bits of the largest magnitude.
fn largest_in(span: vec2<u32>) -> u32 {
  var largest = vec4<u32>(0u);
  for (var i = span.x; i < span.y; i++) {
    largest = max(largest, source[i] & vec4<u32>(0x7FFFFFFFu));
  }
  return max(max(largest.x, largest.y), max(largest.z, largest.w));
}

// Blocks with a maximum from 2^-63 to 2^113: what is subnormal in them is too small to matter, and neither a lower nor a
// higher exponent leaves the range of f32. The others keep the scale of their format.
fn is_searched(maximum: u32) -> bool {
  return maximum >= 0x20000000u && maximum < 0x78000000u;
}

// 2^(127 - field), which brings the block's maximum into [1, 2).
fn unit_of(maximum: u32) -> f32 {
  return bitcast<f32>((254u - (maximum >> 23u)) << 23u);
}
