// Rounds every block to its grid and writes the values a decoder would read back. Which grid: the library the kernel
// is compiled with (src/gpu/kernels/grid-plan.ts).
// source, destination: [rows, stride] as f32 bits, stride a multiple of 32, columns cols ... stride - 1 are 0 in both.
// context: what a scale needs beyond its block; the grid library reads it.
// One invocation owns one chunk of 32 columns (lib/chunk.wgsl), which is a part of a block, a block, or several.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  unused: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> context: array<u32>;
@group(0) @binding(3) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn fake_quantize(
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
  let first = index * 8u;
  let chunk = chunk_at(first);
  let grids = grids_of(chunk, first, row);

  destination[first] = rounded(chunk.v0, grids.a);
  destination[first + 1u] = rounded(chunk.v1, grids.a);
  destination[first + 2u] = rounded(chunk.v2, grids.b);
  destination[first + 3u] = rounded(chunk.v3, grids.b);
  destination[first + 4u] = rounded(chunk.v4, grids.c);
  destination[first + 5u] = rounded(chunk.v5, grids.c);
  destination[first + 6u] = rounded(chunk.v6, grids.d);
  destination[first + 7u] = rounded(chunk.v7, grids.d);

  // Some adapters execute both sides of an `if` and skip only empty loops.
  let first_col = (index - row * chunks_per_row) * 32u;
  for (var i = select(8u, 0u, has_rare(grids)); i < 8u; i++) {
    let values = rounded_general(source[first + i], quarter_grid(grids, i / 2u));
    let col = vec4<u32>(first_col + 4u * i) + vec4<u32>(0u, 1u, 2u, 3u);
    destination[first + i] = select(vec4<u32>(0u), values, col < vec4<u32>(params.cols));
  }
}
