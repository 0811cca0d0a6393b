// First half of the row clip's gradient (second: clip_gradient.wgsl): with bounds low · min(row) and high · max(row), as
// clip_rows.wgsl takes them, elements outside keep no gradient, and its sums go to `sums` (below, above).
// gradient holds ∂L/∂(clamped x) on entry, and what passes the clip on exit.
// x, gradient: [rows, stride]; sums: [rows, blocks] pairs. One invocation per BLOCK vec4 of a row.

override WORKGROUP_SIZE: u32 = 64u;
override SHARED: u32 = 0u;
override BLOCK: u32 = 8u; // in vec4

struct Params {
  rows: u32,
  stride: u32,   // in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> extremes: array<vec4<u32>>;  // [rows]: bits of minimum and maximum first
@group(0) @binding(3) var<storage, read> bounds: array<vec2<f32>>;    // [rows] pairs (low, high); [1] where SHARED
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec2<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn clip_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.blocks) {
    return;
  }
  let row = index / params.blocks;
  let first = (index % params.blocks) * BLOCK;
  let start = row * params.stride + first;
  let end = start + min(BLOCK, params.stride - first);
  var extreme = bitcast<vec2<f32>>(extremes[row].xy);
  if (SHARED == 1u) {
    extreme = vec2<f32>(min(extreme.x, 0.0), max(extreme.y, 0.0));
  }
  let limits = bounds[row * (1u - SHARED)] * extreme;
  var below = 0.0;
  var above = 0.0;
  for (var i = start; i < end; i++) {
    let g = gradient[i];
    let is_below = x[i] < vec4(limits.x);
    let is_above = x[i] > vec4(limits.y);
    below += dot(select(vec4<f32>(), g, is_below), vec4(1.0));
    above += dot(select(vec4<f32>(), g, is_above), vec4(1.0));
    gradient[i] = select(g, vec4<f32>(), is_below | is_above);
  }
  sums[index] = vec2<f32>(below, above);
}
