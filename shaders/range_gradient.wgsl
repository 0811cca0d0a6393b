// Straight-through gradient of symmetric integers whose scale comes from a clipped range, y = Q(x; R) with R the larger
// end of a row's range. With g = ∂L/∂y:
//   g_i ← 0 where x_i lies beyond the outermost code by more than half a step
//   sums(block) = Σ_i g_i (y_i − [not saturated] x_i) / R, for the end that rules: (below, above), below with sign −
// which clip_gradient.wgsl passes on to that end and to its share. A row with R = 0 passes its gradient on as it is.
// x, y, gradient: [rows, stride]; ranges: [rows] pairs (negative, positive) of f32 bits; sums: [rows, blocks] pairs.
// One invocation per BLOCK vec4 of a row.

override WORKGROUP_SIZE: u32 = 64u;
override BLOCK: u32 = 8u; // in vec4

const INFINITY_BITS = 0x7F800000u;

struct Params {
  rows: u32,
  stride: u32,    // in vec4
  blocks: u32,    // per row
  lowest: f32,    // where saturation begins on either side, in units of R
  highest: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> ranges: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec2<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn range_gradient(
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
  let larger = max(ranges[row].x, ranges[row].y);
  let is_usable = larger > 0u && larger < INFINITY_BITS;
  let size = bitcast<f32>(select(0x3F800000u, larger, is_usable));
  let lowest = vec4<f32>(params.lowest * size);
  let highest = vec4<f32>(params.highest * size);
  var sum = 0.0;
  for (var i = start; i < end; i++) {
    let is_saturated = (x[i] < lowest) | (x[i] > highest);
    sum += dot(gradient[i], y[i] - select(x[i], vec4<f32>(), is_saturated));
    gradient[i] = select(gradient[i], vec4<f32>(), is_saturated & vec4<bool>(is_usable));
  }
  let through = select(0.0, sum / size, is_usable);
  sums[index] = select(vec2<f32>(-through, 0.0), vec2<f32>(0.0, through), ranges[row].y >= ranges[row].x);
}
