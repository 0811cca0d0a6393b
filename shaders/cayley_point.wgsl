// out = keep · a + factor · step[0] · b, one vec4 per invocation: the next point of a Cayley step whose length the GPU
// found (cayley_rate.wgsl). a, b, out: [count4] vec4<f32>, padding zero and left so.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  count4: u32,
  keep: f32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<f32>;      // [1]
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cayley_point(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.count4) {
    out[index] = params.keep * a[index] + (params.factor * step[0]) * b[index];
  }
}
