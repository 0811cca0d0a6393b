// Straight-through gradient of clip-then-quantize, block by block. With m = clamp(x, low·min(row), high·max(row)),
// y = Q(m), g = ∂L/∂y and s the block's scale:
//   saturation  g_i ← 0 where |m_i| is above the largest value the block can hold
//   scale       with D = Σ_i g_i (y_i − [not saturated] m_i), what s = c · r (c held) passes on:
//     SCALE_FOLLOWS 1: r = max |m|                      g_argmax += sign(m_argmax) · D / r
//     SCALE_FOLLOWS 2: r = max(m, 0) − min(m, 0)        g_argmax += D / r,  g_argmin −= D / r
//   clip        elements outside the bounds keep no gradient; its sums go to clip_sums (below, above)
// gradient holds ∂L/∂y on entry and ∂L/∂x on exit, but for the share of the row's extremes (clip_gradient.wgsl).
// x, y, gradient: [rows, stride]; bounds: (low, high) per row, one pair when SHARED, where extremes are clamped at 0;
// clip_sums: [rows, blocks] pairs. One invocation per block; what saturates is decided on integers.

override WORKGROUP_SIZE: u32 = 64u;
override SHARED: u32 = 0u;
override SCALE_FOLLOWS: u32 = 0u;   // 0: nothing; the gradient does not pass through the scale
override BUMP_AT: u32 = 0x800000u;  // mantissa of the block maximum from which the scale rule takes the next exponent

// What `best` saves by the next exponent: its maximum comes out above the limit of the lower one by more than this.
const ROUNDING_SLACK = 16u;
const UNLIMITED = 0x7f7fffffu;

struct Params {
  rows: u32,
  stride: u32,         // in vec4
  blocks: u32,         // per row
  block: u32,          // in vec4
  limit_offset: u32,   // bits of the largest value a block holds, minus those of its maximum's power of two
  largest: u32,        // bits of the largest value the format holds whatever the scale; above, no scale follows
  factor: f32,         // what values are multiplied by before their scale is chosen
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> extremes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> bounds: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> clip_sums: array<vec2<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn straight_through(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.blocks) {
    return;
  }
  let row = index / params.blocks;
  let first = (index % params.blocks) * params.block;
  let start = row * params.stride + first;
  let end = start + min(params.block, params.stride - first);
  let limits = row_limits(row);

  var top = 0.0; // what the scale follows: max |m|, or max(m, 0) and min(m, 0)
  var top_at = start;
  var bottom = 0.0;
  var bottom_at = start;
  for (var i = start; i < end; i++) {
    let m = clamp(x[i], vec4(limits.x), vec4(limits.y));
    let high = largest_of(sized(m));
    if (high > top) {
      top = high;
      top_at = i;
    }
    if (SCALE_FOLLOWS == 2u) {
      let low = -largest_of(-m);
      if (low < bottom) {
        bottom = low;
        bottom_at = i;
      }
    }
  }
  let limit = saturation_limit(bitcast<u32>(top * params.factor), largest_of(abs(y[top_at])) * params.factor);

  var to_top = vec4<f32>(); // what the extremes receive through the scale
  var to_bottom = vec4<f32>();
  let range = top - bottom;
  if (SCALE_FOLLOWS > 0u && range > 0.0 && bitcast<u32>(range) <= params.largest) {
    var sum = 0.0;
    for (var i = start; i < end; i++) {
      let m = clamp(x[i], vec4(limits.x), vec4(limits.y));
      sum += dot(gradient[i], y[i] - select(m, vec4<f32>(), is_saturated(m, limit)));
    }
    let m = clamp(x[top_at], vec4(limits.x), vec4(limits.y));
    let component = first_equal(sized(m), top);
    to_top[component] = sign(m[component]) * sum / range;
    if (SCALE_FOLLOWS == 2u) {
      let low = clamp(x[bottom_at], vec4(limits.x), vec4(limits.y));
      to_top = select(vec4<f32>(), to_top, top > 0.0);
      to_bottom[first_equal(low, bottom)] = select(0.0, -sum / range, bottom < 0.0);
    }
  }

  var below = 0.0;
  var above = 0.0;
  for (var i = start; i < end; i++) {
    let values = x[i];
    var g = select(gradient[i], vec4<f32>(), is_saturated(clamp(values, vec4(limits.x), vec4(limits.y)), limit));
    if (i == top_at) {
      g += to_top;
    }
    if (SCALE_FOLLOWS == 2u && i == bottom_at) {
      g += to_bottom;
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

// What `top` is the largest of.
fn sized(m: vec4<f32>) -> vec4<f32> {
  return select(abs(m), m, SCALE_FOLLOWS == 2u);
}

fn largest_of(values: vec4<f32>) -> f32 {
  return max(max(values.x, values.y), max(values.z, values.w));
}

// Bits of the largest magnitude a block with this maximum can hold; `rounded` is what the maximum was rounded to.
// Subnormal maxima count as never saturating. A maximum above the limit of the rule's exponent can only come from the
// next exponent, which holds all of the block (scale rule `best`).
fn saturation_limit(maximum: u32, rounded: f32) -> u32 {
  if (maximum < 0x800000u) {
    return UNLIMITED;
  }
  let bump = select(0u, 0x800000u, (maximum & 0x7fffffu) >= BUMP_AT);
  let limit = min((maximum & 0x7f800000u) + bump + params.limit_offset, params.largest);
  return select(limit, UNLIMITED, bitcast<u32>(rounded) > limit + ROUNDING_SLACK);
}

fn is_saturated(m: vec4<f32>, limit: u32) -> vec4<bool> {
  return bitcast<vec4<u32>>(abs(m) * params.factor) > vec4(limit);
}
