// Blocks along a row. Needs the kernel's `params`: stride4, vec4s per row; block4, vec4s per block; blocks, per row.

// The vec4s (first, end) of block `index`, blocks counted row by row; the last of a row may be short.
fn vec4s_of_block(index: u32) -> vec2<u32> {
  let row_start = index / params.blocks * params.stride4;
  let first = row_start + index % params.blocks * params.block4;
  return vec2<u32>(first, min(first + params.block4, row_start + params.stride4));
}
