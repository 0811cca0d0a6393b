// Second half of a row clip's gradient (first: clip_sums.wgsl or range_gradient.wgsl). With g_low, g_high the gradients summed over
// the elements below and above a row's bounds s(c⁻)·min and s(c⁺)·max, s the logistic function:
//   ∂L/∂c⁻ = g_low · min · s(1 − s),  ∂L/∂c⁺ = g_high · max · s(1 − s)
//   the row's smallest element receives g_low · s(c⁻), its largest g_high · s(c⁺)
// When SHARED, extremes are clamped at 0, and an extreme on the wrong side of 0 receives nothing.
// sums: [rows, blocks] (below, above); row_gradient: [rows] (∂c⁻, ∂c⁺). One invocation per row, blocks in order.

override WORKGROUP_SIZE: u32 = 64u;
override SHARED: u32 = 0u;

struct Params {
  rows: u32,
  stride: u32,   // in floats
  blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> extremes: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> bounds: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> sums: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> row_gradient: array<vec2<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn clip_gradient(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (row >= params.rows) {
    return;
  }
  var cut = vec2<f32>();
  for (var block = 0u; block < params.blocks; block++) {
    cut += sums[row * params.blocks + block];
  }
  let record = extremes[row];
  var extreme = bitcast<vec2<f32>>(record.xy);
  var share = bounds[row * (1u - SHARED)];
  let slope = share * (vec2(1.0) - share);
  if (SHARED == 1u) {
    let used = extreme * vec2(-1.0, 1.0) > vec2(0.0);
    extreme = select(vec2<f32>(), extreme, used);
    share = select(vec2<f32>(), share, used);
  }
  gradient[row * params.stride + record.z] += cut.x * share.x;
  gradient[row * params.stride + record.w] += cut.y * share.y;
  row_gradient[row] = cut * extreme * slope;
}
