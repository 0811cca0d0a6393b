// The diagonal blocks of leftᵀ · right: out[k, j] = Σ over rows of left[row, k] · right[row, first column of k's block + j].
// left, right: [rows, stride4 vec4s], padding zero; out: [4 · stride4, block4 vec4s], zero beyond the end of a row.
// One invocation owns 4 x 4 elements, so two loads feed four vec4 multiply-adds.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<vec4<f32>>;       // [rows, stride4]
@group(0) @binding(2) var<storage, read> right: array<vec4<f32>>;      // [rows, stride4]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;  // [4 · stride4, block4]

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_cross(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let k4 = index / params.block4;
  if (k4 >= params.stride4) {
    return;
  }
  let j4 = index % params.block4;
  let col4 = k4 / params.block4 * params.block4 + j4;
  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  // Empty where the block reaches beyond the row.
  let rows = select(0u, params.rows, col4 < params.stride4);
  for (var row = 0u; row < rows; row++) {
    let a = left[row * params.stride4 + k4];
    let b = right[row * params.stride4 + col4];
    s0 += a.x * b;
    s1 += a.y * b;
    s2 += a.z * b;
    s3 += a.w * b;
  }
  let at = 4u * k4 * params.block4 + j4;
  out[at] = s0;
  out[at + params.block4] = s1;
  out[at + 2u * params.block4] = s2;
  out[at + 3u * params.block4] = s3;
}
