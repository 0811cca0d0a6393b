// out[row, col] = x[row, col] · scale[col], one vec4 per invocation.
// x, out: [rows, cols] padded to stride; scale: [cols], unpadded. The padding of x is zero and stays so.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,   // in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;         // [rows, stride]
@group(0) @binding(2) var<storage, read> scale: array<f32>;           // [cols]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn scale_columns(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.rows * params.stride) {
    let col = 4u * (index % params.stride);
    out[index] = x[index] * vec4<f32>(scale_of(col), scale_of(col + 1u), scale_of(col + 2u), scale_of(col + 3u));
  }
}

fn scale_of(col: u32) -> f32 {
  return scale[min(col, params.cols - 1u)];
}
