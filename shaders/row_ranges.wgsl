// The largest magnitudes of every row on either side of zero, as f32 bits: NaN above infinity, 0 without such elements.
// x: [rows, stride] f32 bits, zero beyond cols; ranges: [rows] pairs (negative, positive), zero before the dispatch.
// An invocation takes SEGMENT columns of a row and does one atomicMax per side; a maximum does not depend on order.

override WORKGROUP_SIZE: u32 = 64u;
override SEGMENT: u32 = 512u;

struct Params {
  rows: u32,
  stride: u32,
  segments: u32, // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> ranges: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn row_ranges(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.segments) {
    return;
  }
  let row = index / params.segments;
  let first = (index - row * params.segments) * SEGMENT;
  let start = (row * params.stride + first) / 4u;
  let end = start + min(SEGMENT, params.stride - first) / 4u;
  // As unsigned numbers the largest negative f32 is largest, as signed ones the largest positive.
  var n = vec4<u32>(0x80000000u);
  var p = vec4<i32>(0);
  for (var i = start; i < end; i++) {
    n = max(n, x[i]);
    p = max(p, bitcast<vec4<i32>>(x[i]));
  }
  atomicMax(&ranges[2u * row], max(max(n.x, n.y), max(n.z, n.w)) & 0x7FFFFFFFu);
  atomicMax(&ranges[2u * row + 1u], u32(max(max(p.x, p.y), max(p.z, p.w))));
}
