// Both ends of every row's range times their shares: ranges of f32 bits without sign, as row_ranges.wgsl leaves them.
// A row with an element that is not finite keeps its range. ranges, clipped: [rows] pairs (negative, positive).
// One invocation per row.

override WORKGROUP_SIZE: u32 = 64u;

const INFINITY_BITS = 0x7F800000u;

struct Params {
  rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ranges: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> shares: array<vec2<f32>>;  // one pair (low, high)
@group(0) @binding(3) var<storage, read_write> clipped: array<vec2<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn clip_ranges(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (row >= params.rows) {
    return;
  }
  let range = ranges[row];
  let is_finite = range < vec2<u32>(INFINITY_BITS);
  let product = bitcast<vec2<f32>>(select(vec2<u32>(), range, is_finite)) * shares[0];
  clipped[row] = select(range, bitcast<vec2<u32>>(product), all(is_finite));
}
