// The grids of a chunk, 32 columns of one row. Needs a grid library (src/gpu/kernels/grid-plan.ts).

override BLOCK: u32 = 32u; // columns sharing a scale: 8, 16, 32, 64 or 128; larger ones are left to the grid library

// Of columns 0-7, 8-15, 16-23 and 24-31; equal where blocks are larger.
struct Grids {
  a: Grid,
  b: Grid,
  c: Grid,
  d: Grid,
}

fn has_rare(grids: Grids) -> bool {
  if (BLOCK == 8u) {
    return is_rare(grids.a) || is_rare(grids.b) || is_rare(grids.c) || is_rare(grids.d);
  }
  return is_rare(grids.a) || is_rare(grids.c);
}

// Of columns 8 i ... 8 i + 7.
fn quarter_grid(grids: Grids, i: u32) -> Grid {
  var grid = grids.a;
  if (BLOCK == 8u && i % 2u == 1u) {
    grid = grids.b;
  }
  if (BLOCK < 32u && i >= 2u) {
    grid = grids.c;
    if (BLOCK == 8u && i == 3u) {
      grid = grids.d;
    }
  }
  return grid;
}
