// out[row, col] = min(max(x[row, col], low · minimum(row)), high · maximum(row)).
// Where SHARED, one pair (low, high) serves all rows and the extremes are taken together with 0, so that a row of one
// sign keeps its zero; else every row has its pair. If the bounds cross, the upper one wins.
// x, out: [rows, cols] padded to stride; extremes: [rows] as row_extremes leaves them. Padding is written as zeros.
// One invocation per 32 columns of one row.

override WORKGROUP_SIZE: u32 = 64u;
override SHARED: u32 = 0u;

struct Params {
  rows: u32,
  cols: u32,
  blocks: u32,   // per row; the stride is 8 vec4 for each
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;         // [rows, 8 · blocks]
@group(0) @binding(2) var<storage, read> extremes: array<vec4<u32>>;  // [rows]: bits of minimum and maximum first
@group(0) @binding(3) var<storage, read> bounds: array<vec2<f32>>;    // [rows] pairs (low, high); [1] where SHARED
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>; // [rows, 8 · blocks]

@compute @workgroup_size(WORKGROUP_SIZE)
fn clip_rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let row = index / params.blocks;
  if (row >= params.rows) {
    return;
  }
  var range = bitcast<vec2<f32>>(extremes[row].xy);
  var pair = bounds[0];
  if (SHARED == 1u) {
    range = vec2<f32>(min(range.x, 0.0), max(range.y, 0.0));
  } else {
    pair = bounds[row];
  }
  let low = vec4<f32>(pair.x * range.x);
  let high = vec4<f32>(pair.y * range.y);
  let col = 32u * (index % params.blocks);
  for (var i = 0u; i < 8u; i++) {
    let cols = vec4<u32>(col + 4u * i) + vec4<u32>(0u, 1u, 2u, 3u);
    let clipped = min(max(x[8u * index + i], low), high);
    out[8u * index + i] = select(vec4<f32>(), clipped, cols < vec4<u32>(params.cols));
  }
}
