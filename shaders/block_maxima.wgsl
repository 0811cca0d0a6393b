// cells[r, c] = max |x| over the blocks of one cell of a map, as the bits of an f32, and 1 + row · blocks + block of the
// first block that holds it. Magnitudes order like unsigned integers, infinity and NaN on top. Cell (r, c) covers rows floor(r · total_rows / map_rows) … and blocks
// floor(c · blocks / map_cols) … of a tensor of which this matrix holds rows first_row … first_row + rows − 1. Cells
// without a row of it are left as they are, so a tensor in several matrices is one dispatch for each.
// x: [rows, stride] u32; cells: [map_rows, map_cols] vec2<u32>, 0 before the first dispatch. One invocation per cell.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  block_size: u32,
  blocks: u32,       // per row
  first_row: u32,
  total_rows: u32,
  map_rows: u32,
  map_cols: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> cells: array<vec2<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_maxima(
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
  let row_start = max(r * params.total_rows / params.map_rows, params.first_row);
  let row_end = min((r + 1u) * params.total_rows / params.map_rows, params.first_row + params.rows);
  let block_start = c * params.blocks / params.map_cols;
  let block_end = (c + 1u) * params.blocks / params.map_cols;
  var best = cells[i];
  for (var row = row_start; row < row_end; row++) {
    for (var block = block_start; block < block_end; block++) {
      let first = (row - params.first_row) * params.stride;
      let col_end = min((block + 1u) * params.block_size, params.cols);
      var largest = 0u;
      for (var col = block * params.block_size; col < col_end; col++) {
        largest = max(largest, x[first + col] & 0x7FFFFFFFu);
      }
      let wins = largest > best.x || best.y == 0u;
      best = select(best, vec2<u32>(largest, 1u + row * params.blocks + block), wins);
    }
  }
  cells[i] = best;
}
