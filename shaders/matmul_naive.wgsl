// y[row, col] = sum over k of a[row, k] * b[col, k], the obvious way: one invocation per output, one product per step.
// The yardstick matmul_nt is measured against; nothing else uses it.
// a: [rows, stride], b: [cols, stride], y: [rows, y_stride] f32, rows padded by zeros. Workgroups of 8 x 8 outputs;
// columns between cols and the stride are written as zeros.

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  y_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(8, 8)
fn matmul_naive(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let col_tiles = params.y_stride / 8u;
  let row = 8u * (tile / col_tiles) + local.y;
  let col = 8u * (tile % col_tiles) + local.x;
  if (row >= params.rows) {
    return;
  }
  var sum = 0.0;
  if (col < params.cols) {
    for (var k = 0u; k < params.stride; k++) {
      sum += a[row * params.stride + k] * b[col * params.stride + k];
    }
  }
  y[row * params.y_stride + col] = sum;
}
