// y[row, col] = sum over k of a[row, k] * b[col, k], as matmul_nt.wgsl does it, with fewer registers.
// a: [rows, depth], b: [cols, depth] with rows padded by zeros to stride4 vec4s; y: [rows, y_stride4 vec4s].
// One invocation owns 4 x 4 outputs in registers, a workgroup of GROUP_ROWS x GROUP_COLS invocations as many of them in
// each direction. Per step 8 vec4 loads feed 64 multiply-adds. The order of each sum is that of matmul_nt.wgsl. Loads
// clamp their row, stores are guarded. Rows row_begin … row_end − 1 are computed by this dispatch.

override GROUP_ROWS: u32 = 8u;
override GROUP_COLS: u32 = 8u;

struct Params {
  row_begin: u32,
  row_end: u32,
  cols: u32,
  stride4: u32,
  y_stride4: u32,
  col_tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn matmul_nt_4x4(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let row = params.row_begin + 4u * (GROUP_ROWS * (tile / params.col_tiles) + local.y);
  let col = 4u * (GROUP_COLS * (tile % params.col_tiles) + local.x);
  // First word of the four rows of each operand.
  let first_four = vec4<u32>(0u, 1u, 2u, 3u);
  let p = min(vec4<u32>(row) + first_four, vec4<u32>(params.row_end - 1u)) * params.stride4;
  let q = min(vec4<u32>(col) + first_four, vec4<u32>(params.cols - 1u)) * params.stride4;

  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  for (var k = 0u; k < params.stride4; k++) {
    // Four rows of b as the columns of a matrix: (vector * matrix)[j] = dot(vector, row j).
    let rows_of_b = mat4x4f(b[q.x + k], b[q.y + k], b[q.z + k], b[q.w + k]);
    sum0 += a[p.x + k] * rows_of_b;
    sum1 += a[p.y + k] * rows_of_b;
    sum2 += a[p.z + k] * rows_of_b;
    sum3 += a[p.w + k] * rows_of_b;
  }

  let col4 = col / 4u;
  store4(row, col4, sum0);
  store4(row + 1u, col4, sum1);
  store4(row + 2u, col4, sum2);
  store4(row + 3u, col4, sum3);
}
