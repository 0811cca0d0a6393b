// Quantizes a matrix to element codes and scales. Which grid: the library the kernel is compiled with
// (src/gpu/kernels/grid-plan.ts). Layout: src/gpu/kernels/packed-matrix.ts.
// source: [rows, stride] as f32 bits, columns cols ... stride - 1 are 0.
// context: what a scale needs beyond its block; the grid library reads it.
// given: with GIVEN the scale of every block instead of one found here, [rows, given_stride] pairs of words as the
// library stores them, that of block b of a row at given_blocks[b].
// codes: [rows, code_stride] bytes, lowest column in the lowest bits.
// scales: [rows, scale_words] words, four bytes, one f32 or half a pair each; zeros after the last block.
// One invocation owns CHUNKS chunks of 32 columns, so many that no two write to one word of `scales`.

override WORKGROUP_SIZE: u32 = 64u;
override CODE_BITS: u32 = 4u;
override SCALE_BYTES: u32 = 1u;
override CHUNKS: u32 = 4u;
override ROW_SCALES: bool = false; // one scale per row: the one of its first chunk
override GIVEN: bool = false;

struct Params {
  rows: u32,
  stride: u32,
  scale_words: u32, // per row
  given_stride: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> context: array<u32>;
@group(0) @binding(3) var<storage, read> given: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> given_blocks: array<u32>;
@group(0) @binding(5) var<storage, read_write> codes: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> scales: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn quantize(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let chunks_per_row = params.stride / 32u;
  let parts = (chunks_per_row + CHUNKS - 1u) / CHUNKS;
  if (index >= params.rows * parts) {
    return;
  }
  let row = index / parts;
  let part = index - row * parts;
  let end = min(CHUNKS, chunks_per_row - part * CHUNKS);
  var bytes = 0u;
  for (var i = 0u; i < end; i++) {
    let in_row = part * CHUNKS + i;
    let at = row * chunks_per_row + in_row;
    let chunk = chunk_at(8u * at);
    let grids = grids_at(chunk, 8u * at, row, in_row);
    store_codes(at, chunk, grids);
    if (SCALE_BYTES == 1u) {
      bytes |= chunk_bytes(grids, i);
    } else if (SCALE_BYTES > 1u) {
      store_scales(row * params.scale_words, in_row, grids);
    }
  }
  if (SCALE_BYTES == 1u) {
    scales[row * params.scale_words + part] = bytes;
  }
}

// Those of the chunk itself, or the given ones.
fn grids_at(chunk: Chunk, first: u32, row: u32, in_row: u32) -> Grids {
  if (!GIVEN) {
    return grids_of(chunk, first, row);
  }
  let a = given_grid(row, 32u * in_row);
  if (BLOCK == 8u) {
    let b = given_grid(row, 32u * in_row + 8u);
    return Grids(a, b, given_grid(row, 32u * in_row + 16u), given_grid(row, 32u * in_row + 24u));
  }
  if (BLOCK == 16u) {
    let c = given_grid(row, 32u * in_row + 16u);
    return Grids(a, a, c, c);
  }
  return Grids(a, a, a, a);
}

fn given_grid(row: u32, col: u32) -> Grid {
  let block = select(col / BLOCK, 0u, ROW_SCALES);
  return grid_of_stored(given[row * params.given_stride + given_blocks[block]]);
}

// The scale bytes of chunk `i` of this invocation, where they stand in its word.
fn chunk_bytes(grids: Grids, i: u32) -> u32 {
  let a = stored_scale(grids.a).x;
  if (BLOCK == 8u) {
    let b = stored_scale(grids.b).x;
    let c = stored_scale(grids.c).x;
    return a | (b << 8u) | (c << 16u) | (stored_scale(grids.d).x << 24u);
  }
  if (BLOCK == 16u) {
    return (a | (stored_scale(grids.c).x << 8u)) << (16u * i);
  }
  return a << (8u * (32u * i / BLOCK));
}

// Scales of 4 or 8 bytes. Chunks of one block write the same words, so only the first one writes.
fn store_scales(row_start: u32, in_row: u32, grids: Grids) {
  if (ROW_SCALES) {
    if (in_row == 0u) {
      store_scale(row_start, 0u, grids.a);
    }
  } else if (BLOCK == 8u) {
    store_scale(row_start, 4u * in_row, grids.a);
    store_scale(row_start, 4u * in_row + 1u, grids.b);
    store_scale(row_start, 4u * in_row + 2u, grids.c);
    store_scale(row_start, 4u * in_row + 3u, grids.d);
  } else if (BLOCK == 16u) {
    store_scale(row_start, 2u * in_row, grids.a);
    store_scale(row_start, 2u * in_row + 1u, grids.c);
  } else if (32u * in_row % BLOCK == 0u) {
    store_scale(row_start, 32u * in_row / BLOCK, grids.a);
  }
}

fn store_scale(row_start: u32, block: u32, grid: Grid) {
  let stored = stored_scale(grid);
  if (SCALE_BYTES == 8u) {
    scales[row_start + 2u * block] = stored.x;
    scales[row_start + 2u * block + 1u] = stored.y;
  } else {
    scales[row_start + block] = stored.x;
  }
}

fn store_codes(at: u32, chunk: Chunk, grids: Grids) {
  let c0 = codes_of(chunk.v0, grids.a);
  let c1 = codes_of(chunk.v1, grids.a);
  let c2 = codes_of(chunk.v2, grids.b);
  let c3 = codes_of(chunk.v3, grids.b);
  let c4 = codes_of(chunk.v4, grids.c);
  let c5 = codes_of(chunk.v5, grids.c);
  let c6 = codes_of(chunk.v6, grids.d);
  let c7 = codes_of(chunk.v7, grids.d);
  if (CODE_BITS == 4u) {
    codes[at] = vec4<u32>(eight_nibbles(c0, c1), eight_nibbles(c2, c3), eight_nibbles(c4, c5), eight_nibbles(c6, c7));
  } else if (CODE_BITS == 8u) {
    codes[2u * at] = vec4<u32>(four_bytes(c0), four_bytes(c1), four_bytes(c2), four_bytes(c3));
    codes[2u * at + 1u] = vec4<u32>(four_bytes(c4), four_bytes(c5), four_bytes(c6), four_bytes(c7));
  } else {
    codes[4u * at] = vec4<u32>(four_halves(c0), four_halves(c1));
    codes[4u * at + 1u] = vec4<u32>(four_halves(c2), four_halves(c3));
    codes[4u * at + 2u] = vec4<u32>(four_halves(c4), four_halves(c5));
    codes[4u * at + 3u] = vec4<u32>(four_halves(c6), four_halves(c7));
  }
  // Some adapters execute both sides of an `if` and skip only empty loops.
  for (var i = select(4u, 0u, has_rare(grids)); i < 4u; i++) {
    let grid = quarter_grid(grids, i);
    let low = general_codes(source[8u * at + 2u * i], grid);
    let high = general_codes(source[8u * at + 2u * i + 1u], grid);
    if (CODE_BITS == 4u) {
      codes[at][i] = eight_nibbles(low, high);
    } else if (CODE_BITS == 8u) {
      codes[2u * at + i / 2u][2u * i % 4u] = four_bytes(low);
      codes[2u * at + i / 2u][2u * i % 4u + 1u] = four_bytes(high);
    } else {
      codes[4u * at + i] = vec4<u32>(four_halves(low), four_halves(high));
    }
  }
}

fn general_codes(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return select(codes_of_general(bits, grid), vec4<u32>(0u), is_nan(grid));
}
