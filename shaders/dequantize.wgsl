// Decodes element codes and scales to f32. Which grid: the library the kernel is compiled with
// (src/gpu/kernels/grid-plan.ts). Layout: src/gpu/kernels/packed-matrix.ts.
// codes, scales: as the kernel quantize lays them out, or as a file has them. context: read by the grid library.
// destination: [rows, stride] f32 bits; padding elements, whose code is that of zero, become 0.
// One invocation decodes one chunk of 32 columns.

override WORKGROUP_SIZE: u32 = 64u;
override CODE_BITS: u32 = 4u;
override SCALE_BYTES: u32 = 1u;
override ROW_SCALES: bool = false; // one scale per row

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  scale_words: u32, // per row
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> codes: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> context: array<u32>;
@group(0) @binding(4) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn dequantize(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let chunks_per_row = params.stride / 32u;
  if (index >= params.rows * chunks_per_row) {
    return;
  }
  let row = index / chunks_per_row;
  let col = (index - row * chunks_per_row) * 32u;
  let grids = grids_at(row, col);
  let first = 8u * index;
  if (CODE_BITS == 4u) {
    let words = codes[index];
    store_eight(first, words.x, grids.a);
    store_eight(first + 2u, words.y, grids.b);
    store_eight(first + 4u, words.z, grids.c);
    store_eight(first + 6u, words.w, grids.d);
  } else if (CODE_BITS == 8u) {
    let low = codes[2u * index];
    let high = codes[2u * index + 1u];
    destination[first] = decoded(from_bytes(low.x), grids.a);
    destination[first + 1u] = decoded(from_bytes(low.y), grids.a);
    destination[first + 2u] = decoded(from_bytes(low.z), grids.b);
    destination[first + 3u] = decoded(from_bytes(low.w), grids.b);
    destination[first + 4u] = decoded(from_bytes(high.x), grids.c);
    destination[first + 5u] = decoded(from_bytes(high.y), grids.c);
    destination[first + 6u] = decoded(from_bytes(high.z), grids.d);
    destination[first + 7u] = decoded(from_bytes(high.w), grids.d);
  } else {
    for (var i = 0u; i < 4u; i++) {
      let words = codes[4u * index + i];
      destination[first + 2u * i] = decoded(from_halves(words.xy), grids.a);
      destination[first + 2u * i + 1u] = decoded(from_halves(words.zw), grids.a);
    }
  }
  // Some adapters execute both sides of an `if` and skip only empty loops.
  for (var i = select(8u, 0u, has_rare(grids)); i < 8u; i++) {
    let values = decoded_general(four_codes(index, i), quarter_grid(grids, i / 2u));
    let cols = vec4<u32>(col + 4u * i) + vec4<u32>(0u, 1u, 2u, 3u);
    destination[first + i] = select(vec4<u32>(0u), values, cols < vec4<u32>(params.cols));
  }
}

fn store_eight(at: u32, word: u32, grid: Grid) {
  destination[at] = decoded((vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u), grid);
  destination[at + 1u] = decoded((vec4<u32>(word) >> vec4<u32>(16u, 20u, 24u, 28u)) & vec4<u32>(15u), grid);
}

fn from_bytes(word: u32) -> vec4<u32> {
  return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
}

fn from_halves(words: vec2<u32>) -> vec4<u32> {
  return (words.xxyy >> vec4<u32>(0u, 16u, 0u, 16u)) & vec4<u32>(65535u);
}

// The codes of columns 4 i ... 4 i + 3 of chunk `index`.
fn four_codes(index: u32, i: u32) -> vec4<u32> {
  if (CODE_BITS == 4u) {
    return (vec4<u32>(codes[index][i / 2u] >> (16u * (i % 2u))) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u);
  }
  if (CODE_BITS == 8u) {
    return from_bytes(codes[2u * index + i / 4u][i % 4u]);
  }
  let words = codes[4u * index + i / 2u];
  return from_halves(select(words.xy, words.zw, i % 2u == 1u));
}

fn grids_at(row: u32, col: u32) -> Grids {
  let start = row * params.scale_words;
  if (SCALE_BYTES == 0u || ROW_SCALES) {
    let grid = grid_of_block(start, 0u);
    return Grids(grid, grid, grid, grid);
  }
  let a = grid_of_block(start, col / BLOCK);
  if (BLOCK == 8u) {
    return Grids(
      a,
      grid_of_block(start, col / BLOCK + 1u),
      grid_of_block(start, col / BLOCK + 2u),
      grid_of_block(start, col / BLOCK + 3u),
    );
  }
  if (BLOCK == 16u) {
    let c = grid_of_block(start, col / BLOCK + 1u);
    return Grids(a, a, c, c);
  }
  return Grids(a, a, a, a);
}

// The stored scale of block `block` of the row whose scales start at word `start`.
fn grid_of_block(start: u32, block: u32) -> Grid {
  if (SCALE_BYTES == 0u) {
    return grid_of_stored(vec2<u32>(0u));
  }
  if (SCALE_BYTES == 1u) {
    return grid_of_stored(vec2<u32>((scales[start + block / 4u] >> (8u * (block % 4u))) & 255u, 0u));
  }
  if (SCALE_BYTES == 8u) {
    return grid_of_stored(vec2<u32>(scales[start + 2u * block], scales[start + 2u * block + 1u]));
  }
  return grid_of_stored(vec2<u32>(scales[start + block], 0u));
}
