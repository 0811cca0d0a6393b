// cells[r, c] = max |x| over rows floor(r · total / map_rows) … and columns floor(c · cols / map_cols) … of a matrix of
// `total` rows, of which x holds `rows` from first_row on: 0 for cells of other rows.
// x: [rows, stride] f32; cells: [map_rows, map_cols] f32. One invocation per cell; the map has at most as many rows and
// columns as the matrix.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  map_rows: u32,
  map_cols: u32,
  first_row: u32,
  total: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> cells: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn magnitude_map(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let r = i / params.map_cols;
  if (r >= params.map_rows) {
    return;
  }
  let c = i % params.map_cols;
  let first = params.first_row;
  let row_end = clamp((r + 1u) * params.total / params.map_rows, first, first + params.rows) - first;
  let col_end = (c + 1u) * params.cols / params.map_cols;
  var largest = 0.0;
  for (var row = max(r * params.total / params.map_rows, first) - first; row < row_end; row++) {
    for (var col = c * params.cols / params.map_cols; col < col_end; col++) {
      largest = max(largest, abs(x[row * params.stride + col]));
    }
  }
  cells[i] = largest;
}
