// y[row, col] = sum over k of a[row, k] * b[col, k], as matmul_nt.wgsl does it, through workgroup memory.
// a: [rows, depth], b: [cols, depth] with rows padded by zeros to stride4 vec4s; y: [rows, y_stride4 vec4s].
// A workgroup of 8 x 8 invocations owns 64 x 64 outputs, an invocation 8 x 8 of them in registers. Per step of 8 along k
// each invocation brings 2 vec4s of each operand, between two barriers, and reads 32 for 512 multiply-adds. The order of
// each sum is that of matmul_nt.wgsl. Loads clamp their row, stores are guarded. Rows row_begin … row_end − 1 are
// computed by this dispatch.

// Vec4s along k per step; stride4 is a multiple of 8.
const DEPTH4 = 2u;

// A step of one operand lies by k, then by row within its eight, then by eight, so that what neighbours read together
// lies together. A ninth word after eight and four after 72 put what neighbours write into different banks.
const EIGHT = 9u;
const LINE = 76u;

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

// One step, 4.75 KiB: software adapters compile code that zeroes it word by word.
var<workgroup> tile_a: array<vec4<f32>, DEPTH4 * LINE>;
var<workgroup> tile_b: array<vec4<f32>, DEPTH4 * LINE>;

@compute @workgroup_size(8, 8)
fn matmul_nt_workgroup(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = workgroup_index(group, groups);
  let row = params.row_begin + 64u * (tile / params.col_tiles);
  let col = 64u * (tile % params.col_tiles);

  var sums = RegisterTile();
  for (var k = 0u; k < params.stride4; k += DEPTH4) {
    bring(row, col, k, lane);
    workgroupBarrier();
    for (var i = 0u; i < DEPTH4; i++) {
      let p = i * LINE + local.y;
      let q = i * LINE + local.x;
      add_dots(
        &sums,
        mat4x4f(tile_a[p], tile_a[p + EIGHT], tile_a[p + 2u * EIGHT], tile_a[p + 3u * EIGHT]),
        mat4x4f(tile_a[p + 4u * EIGHT], tile_a[p + 5u * EIGHT], tile_a[p + 6u * EIGHT], tile_a[p + 7u * EIGHT]),
        mat4x4f(tile_b[q], tile_b[q + EIGHT], tile_b[q + 2u * EIGHT], tile_b[q + 3u * EIGHT]),
        mat4x4f(tile_b[q + 4u * EIGHT], tile_b[q + 5u * EIGHT], tile_b[q + 6u * EIGHT], tile_b[q + 7u * EIGHT]),
      );
    }
    workgroupBarrier();
  }

  store_tile(&sums, row + 8u * local.y, col / 4u + 2u * local.x);
}

// Two words of each operand: neighbours bring 32 bytes of one row.
fn bring(row: u32, col: u32, k: u32, lane: u32) {
  let at = k + lane % DEPTH4;
  for (var line = lane / DEPTH4; line < 64u; line += 64u / DEPTH4) {
    let to = (lane % DEPTH4) * LINE + (line % 8u) * EIGHT + line / 8u;
    tile_a[to] = a[min(row + line, params.row_end - 1u) * params.stride4 + at];
    tile_b[to] = b[min(col + line, params.cols - 1u) * params.stride4 + at];
  }
}
