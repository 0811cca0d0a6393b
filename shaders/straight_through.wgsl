// Straight-through gradient of y = Q(m), block by block. With g = ∂L/∂y and s the block's scale:
//   saturation  g_i ← 0 where |m_i| is above the largest value the block can hold
//   scale       with D = Σ_i g_i (y_i − [not saturated] m_i), what s = c · r (c held) passes on:
//     SCALE_FOLLOWS 1: r = max |m|                      g_argmax += sign(m_argmax) · D / r
//     SCALE_FOLLOWS 2: r = max(m, 0) − min(m, 0)        g_argmax += D / r,  g_argmin −= D / r
// m, y, gradient: [rows, stride]; gradient holds ∂L/∂y on entry and ∂L/∂m on exit.
// One invocation per block; what saturates is decided on integers.

override WORKGROUP_SIZE: u32 = 64u;
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
@group(0) @binding(1) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>;

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

  var top = 0.0; // what the scale follows: max |m|, or max(m, 0) and min(m, 0)
  var top_at = start;
  var bottom = 0.0;
  var bottom_at = start;
  for (var i = start; i < end; i++) {
    let high = largest_of(sized(m[i]));
    if (high > top) {
      top = high;
      top_at = i;
    }
    if (SCALE_FOLLOWS == 2u) {
      let low = -largest_of(-m[i]);
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
      sum += dot(gradient[i], y[i] - select(m[i], vec4<f32>(), is_saturated(m[i], limit)));
    }
    let component = first_equal(sized(m[top_at]), top);
    to_top[component] = sign(m[top_at][component]) * sum / range;
    if (SCALE_FOLLOWS == 2u) {
      to_top = select(vec4<f32>(), to_top, top > 0.0);
      to_bottom[first_equal(m[bottom_at], bottom)] = select(0.0, -sum / range, bottom < 0.0);
    }
  }

  for (var i = start; i < end; i++) {
    var g = select(gradient[i], vec4<f32>(), is_saturated(m[i], limit));
    if (i == top_at) {
      g += to_top;
    }
    if (SCALE_FOLLOWS == 2u && i == bottom_at) {
      g += to_bottom;
    }
    gradient[i] = g;
  }
}

// What `top` is the largest of.
fn sized(values: vec4<f32>) -> vec4<f32> {
  return select(abs(values), values, SCALE_FOLLOWS == 2u);
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

fn is_saturated(values: vec4<f32>, limit: u32) -> vec4<bool> {
  return bitcast<vec4<u32>>(abs(values) * params.factor) > vec4(limit);
}
