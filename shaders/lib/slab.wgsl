// Slabs of rows: an invocation takes four columns of one and walks its rows, so neighbours read neighbouring words.
// Needs the kernel's `params`: rows; stride4, vec4s per row.

override SLAB_ROWS: u32 = 64u;

struct Slab {
  col4: u32,
  first: u32, // row
  end: u32,
}

// What invocation `i` takes; slabs one after the other, each of stride4 invocations. Empty beyond the last.
fn slab_of(i: u32) -> Slab {
  let first = i / params.stride4 * SLAB_ROWS;
  return Slab(i % params.stride4, first, min(params.rows, first + SLAB_ROWS));
}
