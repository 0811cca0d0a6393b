// Per column, over slabs of SLAB_ROWS rows: maxima[slab, col] = max |x|, squares[slab, col] = Σ x².
// x: [rows, stride4] vec4<f32>; maxima, squares: [slabs, stride4] vec4<f32>. One invocation takes four columns of one
// slab. The host combines the slabs in float64.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32,
  slabs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> maxima: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> squares: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn channel_stats(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i >= params.slabs * params.stride4) {
    return;
  }
  let slab = slab_of(i);
  var largest = vec4f();
  var energy = vec4f();
  for (var row = slab.first; row < slab.end; row++) {
    let value = x[row * params.stride4 + slab.col4];
    largest = max(largest, abs(value));
    energy += value * value;
  }
  maxima[i] = largest;
  squares[i] = energy;
}
