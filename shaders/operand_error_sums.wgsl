// Sums what quantization did to a matrix: sum of x^2, sum of (q - x)^2, magnitudes clipped, non-zeros flushed to 0.
// source, quantized: [rows, stride] f32, zero beyond cols. maximum: bits of max |x|. partials: [invocations] of
// (f32 bits of sum x^2, f32 bits of sum (q - x)^2, clipped, flushed), both sums in units of 2^(e - 126) squared, e being
// range_exponent(maximum) but at most 252: squares of the largest elements neither overflow nor vanish.
// Which grid: the library the kernel is compiled with (src/gpu/kernels/grid-plan.ts); it reads context. "Clipped" is
// what that library calls so: magnitude above the largest code times the block's scale, before rounding.
// Invocation i takes chunks of 32 columns i, i + invocations, ... in this order; the host adds the partials. A chunk's
// sum is added to the running one, so f32 errors stay near (10 + chunks per invocation) / 2^24.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride: u32,
  invocations: u32,
  unused: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> quantized: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> maximum: u32;
@group(0) @binding(4) var<storage, read> context: array<u32>;
@group(0) @binding(5) var<storage, read_write> partials: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn operand_error_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (invocation >= params.invocations) {
    return;
  }
  // 2^(126 - e); above e = 252 that power is no normal number, and |x| up to 4 does no harm.
  let exponent = min(range_exponent(maximum), 252u);
  let unit = bitcast<f32>((253u - exponent) << 23u);
  // The same for subnormal x, taken as whole numbers of 2^-149: 2^(-23 - e). Where that is no normal number, such x are
  // too small beside the maximum to count.
  let subnormal_unit = bitcast<f32>(select(0u, 104u - exponent, exponent < 104u) << 23u);
  var signal = 0.0;
  var noise = 0.0;
  var counts = vec2<u32>(0u);
  let chunks_per_row = params.stride / 32u;
  let chunks = params.rows * chunks_per_row;
  for (var index = invocation; index < chunks; index += params.invocations) {
    let first = 8u * index;
    let grids = grids_of(chunk_at(first), first, index / chunks_per_row);
    var squares = vec4<f32>(0.0);
    var errors = vec4<f32>(0.0);
    var clipped = vec4<u32>(0u);
    var flushed = vec4<u32>(0u);
    for (var i = 0u; i < 8u; i++) {
      let bits = source[first + i];
      let kept = quantized[first + i];
      let x = in_units(bits, unit, subnormal_unit);
      let difference = in_units(kept, unit, subnormal_unit) - x;
      squares += x * x;
      errors += difference * difference;
      clipped += vec4<u32>(is_clipped(bits, quarter_grid(grids, i / 2u)));
      flushed += vec4<u32>((bits & vec4<u32>(0x7FFFFFFFu)) != vec4<u32>(0u)) & vec4<u32>((kept & vec4<u32>(0x7FFFFFFFu)) == vec4<u32>(0u));
    }
    signal += squares.x + squares.y + squares.z + squares.w;
    noise += errors.x + errors.y + errors.z + errors.w;
    counts += vec2<u32>(clipped.x + clipped.y + clipped.z + clipped.w, flushed.x + flushed.y + flushed.z + flushed.w);
  }
  partials[invocation] = vec4<u32>(bitcast<u32>(signal), bitcast<u32>(noise), counts);
}

// Elements times the power of two `unit`, exact unless the product is subnormal. Subnormal elements never become floats
// (they may be flushed): their bits are whole numbers, multiplied by `subnormal_unit`.
fn in_units(bits: vec4<u32>, unit: f32, subnormal_unit: f32) -> vec4<f32> {
  let magnitude = bits & vec4<u32>(0x7FFFFFFFu);
  let is_subnormal = magnitude < vec4<u32>(0x800000u);
  let normal = bitcast<vec4<f32>>(select(bits, vec4<u32>(0u), is_subnormal)) * unit;
  let whole = vec4<f32>(select(vec4<u32>(0u), magnitude, is_subnormal)) * subnormal_unit;
  return normal + select(whole, -whole, bits != magnitude);
}
