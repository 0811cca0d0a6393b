// target[row, col] -= sum over k < depth of left[row, left_first + k] * right[right_first + k, col - right_col], for the
// columns from first_col to end_col - 1.
// left: [rows, left_stride4 vec4s], right: [.., right_stride4 vec4s], target: [rows, stride4 vec4s]. first_col, end_col and
// right_col are multiples of 8 columns, left_first and depth of 4.
// One invocation owns 8 x 8 outputs in registers, a workgroup of 8 x 8 invocations 64 x 64: no workgroup memory, no
// barrier. Per step of four along k, 8 vec4 loads of each operand feed 256 multiply-adds. Loads clamp their row and column
// group, stores are guarded; padding stays zero because right is zero there.
// Rows row_begin … row_end − 1 are updated by this dispatch.

struct Params {
  row_begin: u32,
  row_end: u32,
  first_col4: u32,
  end_col4: u32,
  depth4: u32,
  left_first4: u32,
  right_first: u32,
  left_stride4: u32,
  stride4: u32,
  col_tiles: u32,
  right_stride4: u32,
  right_col4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> right: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> destination: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn subtract_product(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let row = params.row_begin + 64u * (tile / params.col_tiles) + 8u * local.y;
  let col4 = params.first_col4 + 16u * (tile % params.col_tiles) + 2u * local.x;
  // Strides are even numbers of vec4s: the second group of a pair is inside whenever the first is.
  let right_col = min(col4 - params.right_col4, params.right_stride4 - 2u);
  let last_row = params.row_end - 1u;
  let stride4 = params.left_stride4;

  let p0 = min(row, last_row) * stride4 + params.left_first4;
  let p1 = min(row + 1u, last_row) * stride4 + params.left_first4;
  let p2 = min(row + 2u, last_row) * stride4 + params.left_first4;
  let p3 = min(row + 3u, last_row) * stride4 + params.left_first4;
  let p4 = min(row + 4u, last_row) * stride4 + params.left_first4;
  let p5 = min(row + 5u, last_row) * stride4 + params.left_first4;
  let p6 = min(row + 6u, last_row) * stride4 + params.left_first4;
  let p7 = min(row + 7u, last_row) * stride4 + params.left_first4;

  // Row i of the tile: columns 0 … 3 in lo, 4 … 7 in hi.
  var lo0 = vec4f(); var lo1 = vec4f(); var lo2 = vec4f(); var lo3 = vec4f();
  var lo4 = vec4f(); var lo5 = vec4f(); var lo6 = vec4f(); var lo7 = vec4f();
  var hi0 = vec4f(); var hi1 = vec4f(); var hi2 = vec4f(); var hi3 = vec4f();
  var hi4 = vec4f(); var hi5 = vec4f(); var hi6 = vec4f(); var hi7 = vec4f();

  for (var k4 = 0u; k4 < params.depth4; k4++) {
    // Four rows of the right side as the columns of a matrix: matrix * vector = sum of rows, weighted.
    let q0 = (params.right_first + 4u * k4) * params.right_stride4 + right_col;
    let q1 = q0 + params.right_stride4;
    let q2 = q1 + params.right_stride4;
    let q3 = q2 + params.right_stride4;
    let b_lo = mat4x4f(right[q0], right[q1], right[q2], right[q3]);
    let b_hi = mat4x4f(right[q0 + 1u], right[q1 + 1u], right[q2 + 1u], right[q3 + 1u]);
    let a0 = left[p0 + k4]; lo0 += b_lo * a0; hi0 += b_hi * a0;
    let a1 = left[p1 + k4]; lo1 += b_lo * a1; hi1 += b_hi * a1;
    let a2 = left[p2 + k4]; lo2 += b_lo * a2; hi2 += b_hi * a2;
    let a3 = left[p3 + k4]; lo3 += b_lo * a3; hi3 += b_hi * a3;
    let a4 = left[p4 + k4]; lo4 += b_lo * a4; hi4 += b_hi * a4;
    let a5 = left[p5 + k4]; lo5 += b_lo * a5; hi5 += b_hi * a5;
    let a6 = left[p6 + k4]; lo6 += b_lo * a6; hi6 += b_hi * a6;
    let a7 = left[p7 + k4]; lo7 += b_lo * a7; hi7 += b_hi * a7;
  }

  subtract(row, col4, lo0, hi0);
  subtract(row + 1u, col4, lo1, hi1);
  subtract(row + 2u, col4, lo2, hi2);
  subtract(row + 3u, col4, lo3, hi3);
  subtract(row + 4u, col4, lo4, hi4);
  subtract(row + 5u, col4, lo5, hi5);
  subtract(row + 6u, col4, lo6, hi6);
  subtract(row + 7u, col4, lo7, hi7);
}

fn subtract(row: u32, col4: u32, lo: vec4<f32>, hi: vec4<f32>) {
  if (row < params.row_end && col4 < params.end_col4) {
    let index = row * params.stride4 + col4;
    destination[index] = destination[index] - lo;
    destination[index + 1u] = destination[index + 1u] - hi;
  }
}
