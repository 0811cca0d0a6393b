// Per column, over slabs of SLAB_ROWS rows: sums[slab, col] = Σ |x|.
// x: [rows, stride4] vec4<f32>; sums: [slabs, stride4] vec4<f32>. One invocation takes four columns of one slab. The
// host combines the slabs in float64.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32,
  slabs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn absolute_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i >= params.slabs * params.stride4) {
    return;
  }
  let slab = slab_of(i);
  var sum = vec4f();
  for (var row = slab.first; row < slab.end; row++) {
    sum += abs(x[row * params.stride4 + slab.col4]);
  }
  sums[i] = sum;
}
