// Smallest and largest element of every row, and where they stand (first index on ties).
// x: [rows, cols] padded to stride; extremes: [rows] of (bits of minimum, bits of maximum, its columns in that order).
// One invocation per row. Padding columns do not count. The host guarantees cols ≥ 1 and finite elements.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,   // in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;               // [rows, stride]
@group(0) @binding(2) var<storage, read_write> extremes: array<vec4<u32>>;  // [rows]

@compute @workgroup_size(WORKGROUP_SIZE)
fn row_extremes(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (row >= params.rows) {
    return;
  }
  let start = row * params.stride;
  let whole = params.cols / 4u;
  var minimum = x[start].x;
  var maximum = minimum;
  var minimum_at = 0u; // vec4 that holds the extreme; its component is found afterwards
  var maximum_at = 0u;
  for (var k = 0u; k < whole; k++) {
    let values = x[start + k];
    let low = min(min(values.x, values.y), min(values.z, values.w));
    let high = max(max(values.x, values.y), max(values.z, values.w));
    if (low < minimum) {
      minimum = low;
      minimum_at = k;
    }
    if (high > maximum) {
      maximum = high;
      maximum_at = k;
    }
  }
  let tail = x[start + min(whole, params.stride - 1u)];
  for (var component = 0u; component < params.cols % 4u; component++) {
    if (tail[component] < minimum) {
      minimum = tail[component];
      minimum_at = whole;
    }
    if (tail[component] > maximum) {
      maximum = tail[component];
      maximum_at = whole;
    }
  }
  extremes[row] = vec4<u32>(
    bitcast<u32>(minimum),
    bitcast<u32>(maximum),
    4u * minimum_at + first_equal(x[start + minimum_at], minimum),
    4u * maximum_at + first_equal(x[start + maximum_at], maximum),
  );
}
