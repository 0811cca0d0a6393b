// The E8M0 scale of every block after the observer of MR-GPTQ: of 100 shrunk maxima f · amax, f = 1 - 0.8 i / 100, the one
// whose real-valued scale f · amax / LARGEST gives the smallest sum of |error|^2.4; the first one of equals. The stored
// exponent is that of the scale rule for f · amax. The grid library is one for E8M0 scales, used without pre-scale.
// source: [rows, stride] as f32 bits, columns cols ... stride - 1 are 0. context: read by the grid library.
// scales: [rows, scale_stride] pairs of words, one per block.
// One invocation owns one block and reads it a hundred times. Errors are f32 sums: two candidates that agree to a few
// units of 2^-20 may compare either way.

override WORKGROUP_SIZE: u32 = 64u;
override LARGEST: f32 = 6.0; // largest element

struct Params {
  row_begin: u32,
  row_end: u32,
  stride4: u32, // in vec4
  scale_stride: u32, // blocks per row
  table: array<vec4<u32>, 4>,
}

const STEPS = 100u;
const ONE_BYTE = 127u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> context: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<vec2<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn gptq_observer(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= (params.row_end - params.row_begin) * params.scale_stride) {
    return;
  }
  let row = params.row_begin + index / params.scale_stride;
  let block = index % params.scale_stride;
  let span = block_span(row, block, params.stride4);
  let maximum = largest_in(span);
  let unit = unit_of(maximum);
  let largest = bitcast<f32>(maximum) * unit; // in [1, 2) where it is used
  let grid = grid_of_stored(vec2<u32>(ONE_BYTE, 0u));

  var best = 1.0;
  var least = 0x1p+126;
  for (var i = select(STEPS, 0u, is_searched(maximum)); i < STEPS; i++) {
    let shrink = 1.0 - 0.8 * f32(i) / f32(STEPS);
    let inverse = LARGEST / (largest * shrink);
    var total = 0.0;
    for (var j = span.x; j < span.y; j++) {
      let scaled = bitcast<vec4<f32>>(source[j]) * unit * inverse;
      let nearest = bitcast<vec4<f32>>(rounded(bitcast<vec4<u32>>(scaled), grid));
      total += dot(power_2_4(scaled - nearest), vec4<f32>(1.0));
    }
    let error = total * power_2_4(vec4<f32>(shrink)).x;
    if (error < least) {
      least = error;
      best = shrink;
    }
  }
  // The bits of f · amax; the exponent field of a searched block leaves room for that of f.
  let shrunk = bitcast<u32>(largest * best) + (maximum >> 23u) * 0x800000u - 0x3F800000u;
  let kept = select(maximum, shrunk, is_searched(maximum));
  scales[row * params.scale_stride + block] = stored_scale(grid_of(BlockRange(0u, kept), row, 0u));
}

// |x|^2.4 = (|x| · |x|^(-1/5))³. The root starts from a fifth of the exponent, within 6 %, and three steps of Newton's
// iteration z ← z (6 - |x| z^5) / 5 leave rounding errors only.
fn power_2_4(x: vec4<f32>) -> vec4<f32> {
  let a = abs(x);
  var z = bitcast<vec4<f32>>(vec4<u32>(1278423859u) - bitcast<vec4<u32>>(a) / vec4<u32>(5u));
  for (var i = 0u; i < 3u; i++) {
    let z2 = z * z;
    z *= vec4<f32>(1.2) - 0.2 * (a * z) * (z2 * z2);
  }
  let root = a * z;
  return root * root * root;
}
