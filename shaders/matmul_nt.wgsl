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

  // Row i of the tile: columns 0 … 3 in lo, 4 … 7 in hi.
  var lo0 = vec4f(); var lo1 = vec4f(); var lo2 = vec4f(); var lo3 = vec4f();
  var lo4 = vec4f(); var lo5 = vec4f(); var lo6 = vec4f(); var lo7 = vec4f();
  var hi0 = vec4f(); var hi1 = vec4f(); var hi2 = vec4f(); var hi3 = vec4f();
  var hi4 = vec4f(); var hi5 = vec4f(); var hi6 = vec4f(); var hi7 = vec4f();

  for (var k = 0u; k < stride4; k++) {
    // Four rows of b as the columns of a matrix: (vector * matrix)[j] = dot(vector, row j).
    let b_lo = mat4x4f(b[q0 + k], b[q1 + k], b[q2 + k], b[q3 + k]);
    let b_hi = mat4x4f(b[q4 + k], b[q5 + k], b[q6 + k], b[q7 + k]);
    let a0 = a[p0 + k]; lo0 += a0 * b_lo; hi0 += a0 * b_hi;
    let a1 = a[p1 + k]; lo1 += a1 * b_lo; hi1 += a1 * b_hi;
    let a2 = a[p2 + k]; lo2 += a2 * b_lo; hi2 += a2 * b_hi;
    let a3 = a[p3 + k]; lo3 += a3 * b_lo; hi3 += a3 * b_hi;
    let a4 = a[p4 + k]; lo4 += a4 * b_lo; hi4 += a4 * b_hi;
    let a5 = a[p5 + k]; lo5 += a5 * b_lo; hi5 += a5 * b_hi;
    let a6 = a[p6 + k]; lo6 += a6 * b_lo; hi6 += a6 * b_hi;
    let a7 = a[p7 + k]; lo7 += a7 * b_lo; hi7 += a7 * b_hi;
  }

  store(row, col, lo0, hi0);
  store(row + 1u, col, lo1, hi1);
  store(row + 2u, col, lo2, hi2);
  store(row + 3u, col, lo3, hi3);
  store(row + 4u, col, lo4, hi4);
  store(row + 5u, col, lo5, hi5);
  store(row + 6u, col, lo6, hi6);
  store(row + 7u, col, lo7, hi7);
}

fn store(row: u32, col: u32, lo: vec4<f32>, hi: vec4<f32>) {
  let col4 = col / 4u;
  if (row < params.row_end && col4 < params.y_stride4) {
    // The stride is a multiple of 8 columns, so hi is inside whenever lo is.
    y[row * params.y_stride4 + col4] = zero_beyond(lo, col, params.cols);
    y[row * params.y_stride4 + col4 + 1u] = zero_beyond(hi, col + 4u, params.cols);
  }
}
