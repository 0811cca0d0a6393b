// out = a · G for a block-diagonal G: out[row, col] = Σ over k in col's block of a[row, k] · G[k, col].
// a, out: [rows, stride4 vec4s], padding zero in both; blocks: [4 · stride4, block4 vec4s], block under block.
// One invocation owns one vec4 of four rows, so eight loads feed sixteen vec4 multiply-adds. Loads clamp their row.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;          // [rows, stride4]
@group(0) @binding(2) var<storage, read> blocks: array<vec4<f32>>;     // [4 · stride4, block4]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;  // [rows, stride4]

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_product(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let row = 4u * (index / params.stride4);
  if (row >= params.rows) {
    return;
  }
  let col4 = index % params.stride4;
  let start = col4 / params.block4 * params.block4;
  let end = min(start + params.block4, params.stride4);
  let p0 = row * params.stride4;
  let p1 = min(row + 1u, params.rows - 1u) * params.stride4;
  let p2 = min(row + 2u, params.rows - 1u) * params.stride4;
  let p3 = min(row + 3u, params.rows - 1u) * params.stride4;
  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  for (var k4 = start; k4 < end; k4++) {
    let at = 4u * k4 * params.block4 + (col4 - start);
    let g = mat4x4<f32>(
      blocks[at],
      blocks[at + params.block4],
      blocks[at + 2u * params.block4],
      blocks[at + 3u * params.block4],
    );
    s0 += g * a[p0 + k4];
    s1 += g * a[p1 + k4];
    s2 += g * a[p2 + k4];
    s3 += g * a[p3 + k4];
  }
  // Clamped rows repeat the last one, with the same result.
  out[p0 + col4] = s0;
  out[p1 + col4] = s1;
  out[p2 + col4] = s2;
  out[p3 + col4] = s3;
}
