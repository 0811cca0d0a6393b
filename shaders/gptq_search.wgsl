// The E8M0 scale of every block by its error: of the exponents e - 2 ... e + 1 around that of the scale rule, e, the one
// with the smallest sum of squared errors; of equals the nearest, then the lower one. Which grid: the library the kernel
// is compiled with (src/gpu/kernels/grid-plan.ts), one for E8M0 scales.
// source: [rows, stride] as f32 bits, columns cols ... stride - 1 are 0. context: read by the grid library.
// scales: [rows, scale_stride] pairs of words, one per block.
// One invocation owns one block and reads it four times. Errors are f32 sums: two candidates that agree to a few units of
// 2^-22 may compare either way.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32, // in vec4
  scale_stride: u32, // blocks per row
  unused: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> context: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<vec2<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn gptq_search(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.scale_stride) {
    return;
  }
  let row = index / params.scale_stride;
  let span = block_span(row, index - row * params.scale_stride, params.stride4);
  let maximum = largest_in(span);
  let own = stored_scale(grid_of(BlockRange(0u, maximum), row, 0u)).x;

  var kept = own;
  var least = 0x1p+126;
  for (var i = select(4u, 0u, is_searched(maximum)); i < 4u; i++) {
    // e, e - 1, e + 1, e - 2
    let byte = own + select(0u, 1u, i == 2u) - select(0u, 1u, i == 1u) - select(0u, 2u, i == 3u);
    let error = squared_error(span, grid_of_stored(vec2<u32>(byte, 0u)), unit_of(maximum));
    if (error < least) {
      least = error;
      kept = byte;
    }
  }
  scales[index] = vec2<u32>(kept, 0u);
}

// In units of the block's size; the grid is not rare where blocks are searched.
fn squared_error(span: vec2<u32>, grid: Grid, unit: f32) -> f32 {
  var total = 0.0;
  for (var i = span.x; i < span.y; i++) {
    let bits = source[i];
    let difference = bitcast<vec4<f32>>(bits) * unit - bitcast<vec4<f32>>(rounded(bits, grid)) * unit;
    total += dot(difference, difference);
  }
  return total;
}
