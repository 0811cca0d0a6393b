// Straight-through gradient of clip-then-quantize, block by block. With m = clamp(x, low·min(row), high·max(row)),
// y = Q(m) and g = ∂L/∂y:
//   saturation     g_i ← 0 where |m_i| is above the largest code times the block's scale
//   THROUGH_SCALE  g_argmax += sign(m_argmax) / amax · Σ_i g_i (y_i − [not saturated] m_i)   (∂s/∂amax = s / amax)
//   clip           elements outside the bounds keep no gradient; its sums go to clip_sums (below, above)
// gradient holds ∂L/∂y on entry and ∂L/∂x on exit, but for the share of the row's extremes (clip_gradient.wgsl).
// x, y, gradient: [rows, stride]; bounds: (low, high) per row, one pair when SHARED, where extremes are clamped at 0;
// clip_sums: [rows, blocks] pairs. One invocation per block; which scale the block has is decided on integers.

override WORKGROUP_SIZE: u32 = 64u;
override BLOCK: u32 = 32u;
override SHARED: u32 = 0u;
override THROUGH_SCALE: u32 = 0u;
override BUMP_AT: u32 = 0x800000u;       // mantissa of amax from which the scale rule moves the exponent one up
override LIMIT_OFFSET: u32 = 0x400000u;  // bits of (largest value / scale) minus those of 2^emax

struct Params {
  rows: u32,
  stride: u32,   // in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> extremes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> bounds: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> clip_sums: array<vec2<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn straight_through_mx(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.blocks) {
    return;
  }
  let row = index / params.blocks;
  let first = (index % params.blocks) * (BLOCK / 4u);
  let start = row * params.stride + first;
  let end = start + min(BLOCK / 4u, params.stride - first);
  let limits = row_limits(row);

  var amax = 0.0;
  var amax_at = start;
  for (var i = start; i < end; i++) {
    let m = abs(clamp(x[i], vec4(limits.x), vec4(limits.y)));
    let largest = max(max(m.x, m.y), max(m.z, m.w));
    if (largest > amax) {
      amax = largest;
      amax_at = i;
    }
  }
  let limit = saturation_limit(bitcast<u32>(amax));

  var extra = vec4<f32>(); // what the block's maximum receives through the scale
  if (THROUGH_SCALE == 1u && amax > 0.0) {
    var sum = 0.0;
    for (var i = start; i < end; i++) {
      let m = clamp(x[i], vec4(limits.x), vec4(limits.y));
      let unsaturated = select(m, vec4<f32>(), bitcast<vec4<u32>>(abs(m)) > vec4(limit));
      sum += dot(gradient[i], y[i] - unsaturated);
    }
    let m = clamp(x[amax_at], vec4(limits.x), vec4(limits.y));
    let component = first_equal(abs(m), amax);
    extra[component] = sign(m[component]) * sum / amax;
  }

  var below = 0.0;
  var above = 0.0;
  for (var i = start; i < end; i++) {
    let values = x[i];
    let m = abs(clamp(values, vec4(limits.x), vec4(limits.y)));
    var g = select(gradient[i], vec4<f32>(), bitcast<vec4<u32>>(m) > vec4(limit));
    if (i == amax_at) {
      g += extra;
    }
    let is_below = values < vec4(limits.x);
    let is_above = values > vec4(limits.y);
    below += dot(select(vec4<f32>(), g, is_below), vec4(1.0));
    above += dot(select(vec4<f32>(), g, is_above), vec4(1.0));
    gradient[i] = select(g, vec4<f32>(), is_below | is_above);
  }
  clip_sums[index] = vec2<f32>(below, above);
}

// (lower, upper) bound of a row, as clip_rows.wgsl takes them.
fn row_limits(row: u32) -> vec2<f32> {
  let extreme = bitcast<vec2<f32>>(extremes[row].xy);
  if (SHARED == 1u) {
    return bounds[0] * vec2<f32>(min(extreme.x, 0.0), max(extreme.y, 0.0));
  }
  return bounds[row] * extreme;
}

// Bits of the largest magnitude a block with this maximum can hold. Subnormal maxima count as never saturating.
fn saturation_limit(amax: u32) -> u32 {
  if (amax < 0x800000u) {
    return 0x7f7fffffu;
  }
  let bump = select(0u, 0x800000u, (amax & 0x7fffffu) >= BUMP_AT);
  return min((amax & 0x7f800000u) + bump + LIMIT_OFFSET, 0x7f7fffffu);
}
