// The scales of the blocks of some chunks, as stored_scale has them, without codes: what GPTQ rounds to. Which grid: the
// library the kernel is compiled with (src/gpu/kernels/grid-plan.ts).
// source: [rows, stride] as f32 bits, columns cols ... stride - 1 are 0. context: read by the grid library.
// scales: [rows, scale_stride] pairs of words, one per block.
// One invocation owns one chunk of 32 columns and writes the scales of the blocks that begin in it.

override WORKGROUP_SIZE: u32 = 64u;
override ROW_SCALES: bool = false; // one scale per row: the one of its first chunk

struct Params {
  rows: u32,
  stride: u32,
  first_chunk: u32,
  chunks: u32, // of each row that this dispatch takes
  scale_stride: u32,
  unused_1: u32,
  unused_2: u32,
  unused_3: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> context: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<vec2<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn gptq_scales(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.chunks) {
    return;
  }
  let row = index / params.chunks;
  let in_row = params.first_chunk + index - row * params.chunks;
  let first = row * (params.stride / 4u) + 8u * in_row;
  let grids = grids_of(chunk_at(first), first, row);
  let at = row * params.scale_stride + 32u * in_row / BLOCK;
  if (ROW_SCALES) {
    if (in_row == 0u) {
      scales[row] = stored_scale(grids.a);
    }
  } else if (BLOCK == 8u) {
    scales[at] = stored_scale(grids.a);
    scales[at + 1u] = stored_scale(grids.b);
    scales[at + 2u] = stored_scale(grids.c);
    scales[at + 3u] = stored_scale(grids.d);
  } else if (BLOCK == 16u) {
    scales[at] = stored_scale(grids.a);
    scales[at + 1u] = stored_scale(grids.c);
  } else if (32u * in_row % BLOCK == 0u) {
    scales[at] = stored_scale(grids.a);
  }
}
