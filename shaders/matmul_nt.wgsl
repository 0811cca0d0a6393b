// y[row, col] = sum over k of a[row, k] * b[col, k]: both operands contiguous along the contraction.
// a: [rows, depth], b: [cols, depth] with rows padded by zeros to stride4 vec4s; y: [rows, y_stride4 vec4s].
// One invocation owns 8 x 8 outputs in registers, a workgroup of 8 x 8 invocations 64 x 64: no workgroup memory, no
// barrier. Per step 16 vec4 loads feed 256 multiply-adds. Loads clamp their row, stores are guarded; columns between
// cols and the stride are written as zeros. Rows row_begin … row_end − 1 are computed by this dispatch.

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

@compute @workgroup_size(8, 8)
fn matmul_nt(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let row = params.row_begin + 64u * (tile / params.col_tiles) + 8u * local.y;
  let col = 64u * (tile % params.col_tiles) + 8u * local.x;
  let last_row = params.row_end - 1u;
  let last_col = params.cols - 1u;
  let stride4 = params.stride4;

  // First word of the eight rows of each operand.
  let p0 = min(row, last_row) * stride4;
  let p1 = min(row + 1u, last_row) * stride4;
  let p2 = min(row + 2u, last_row) * stride4;
  let p3 = min(row + 3u, last_row) * stride4;
  let p4 = min(row + 4u, last_row) * stride4;
  let p5 = min(row + 5u, last_row) * stride4;
  let p6 = min(row + 6u, last_row) * stride4;
  let p7 = min(row + 7u, last_row) * stride4;
  let q0 = min(col, last_col) * stride4;
  let q1 = min(col + 1u, last_col) * stride4;
  let q2 = min(col + 2u, last_col) * stride4;
  let q3 = min(col + 3u, last_col) * stride4;
  let q4 = min(col + 4u, last_col) * stride4;
  let q5 = min(col + 5u, last_col) * stride4;
  let q6 = min(col + 6u, last_col) * stride4;
  let q7 = min(col + 7u, last_col) * stride4;

  var sums = RegisterTile();
  for (var k = 0u; k < stride4; k++) {
    add_dots(
      &sums,
      mat4x4f(a[p0 + k], a[p1 + k], a[p2 + k], a[p3 + k]),
      mat4x4f(a[p4 + k], a[p5 + k], a[p6 + k], a[p7 + k]),
      mat4x4f(b[q0 + k], b[q1 + k], b[q2 + k], b[q3 + k]),
      mat4x4f(b[q4 + k], b[q5 + k], b[q6 + k], b[q7 + k]),
    );
  }

  store_tile(&sums, row, col / 4u);
}
