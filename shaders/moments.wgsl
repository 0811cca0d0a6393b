// Power sums of u = x · 2^-(e − 126), |u| ≤ 4, about a shift s of each invocation's own choice (its mean):
// partials[q * invocations + i] for invocation i and q = 0: s, 1 … 4: Σ (u − s)^q over its elements.
// Sums about a nearby shift lose nothing to cancellation; the host moves them to the common mean in float64.
// x: [rows, stride4] vec4<f32>, finite; maximum: bits of max |x|. One invocation takes four columns of a slab of
// SLAB_ROWS rows; columns beyond cols do not take part.

override WORKGROUP_SIZE: u32 = 64u;
override SLAB_ROWS: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  cols4: u32,
  invocations: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> maximum: u32;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn moments(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i >= params.invocations) {
    return;
  }
  let slab = i / params.cols4;
  let col4 = i % params.cols4;
  let begin = slab * SLAB_ROWS;
  let end = min(params.rows, begin + SLAB_ROWS);
  let valid = min(4u, params.cols - 4u * col4);
  // 2^(126 − e); above e = 252 that power is no normal number, and u up to 4 does no harm.
  let scale = bitcast<f32>((253u - min(range_exponent(maximum), 252u)) << 23u);

  var sum = vec4f();
  for (var row = begin; row < end; row++) {
    sum += x[row * params.stride4 + col4] * scale;
  }
  // Padding is zero and adds nothing to the sum. An inexact quotient is as good a shift as any.
  let shift = ((sum.x + sum.y) + (sum.z + sum.w)) / f32(valid * (end - begin));

  var power1 = vec4f();
  var power2 = vec4f();
  var power3 = vec4f();
  var power4 = vec4f();
  for (var row = begin; row < end; row++) {
    let d = zero_beyond(x[row * params.stride4 + col4] * scale - shift, 4u * col4, params.cols);
    let d2 = d * d;
    power1 += d;
    power2 += d2;
    power3 += d2 * d;
    power4 += d2 * d2;
  }
  partials[i] = shift;
  partials[params.invocations + i] = dot(power1, vec4f(1.0));
  partials[2u * params.invocations + i] = dot(power2, vec4f(1.0));
  partials[3u * params.invocations + i] = dot(power3, vec4f(1.0));
  partials[4u * params.invocations + i] = dot(power4, vec4f(1.0));
}
