// Gradient of clip_blocks.wgsl, block by block. With s the share of a block, peak its largest magnitude, and
//   sum = Σ over the elements beyond ± s · peak of sign(x) · g,
// those elements lose their gradient, the first element as large as the peak receives sign(x) · s · sum, and the logit c of
// s = 1 / (1 + e^-c) receives sum · peak · s (1 − s).
// gradient: ∂L/∂(clipped) on entry, ∂L/∂x on exit. One invocation per block, elements in order.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;                // [rows, stride4], f32 bits
@group(0) @binding(2) var<storage, read> peaks: array<u32>;                  // [rows, blocks]
@group(0) @binding(3) var<storage, read> shares: array<f32>;                 // [rows, blocks] or [blocks]
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;   // [rows, stride4]
@group(0) @binding(5) var<storage, read_write> logit_gradient: array<f32>;   // [rows, blocks]

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_clip_gradient(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let row = index / params.blocks;
  if (row >= params.rows) {
    return;
  }
  let block = vec4s_of_block(index);
  let peak = peaks[index];
  let share = shares[factor_index(row, index % params.blocks)];
  let bound = vec4<u32>(bound_of(peak, share));

  var sum = 0.0;
  var peak_at = block.y; // the first vec4 that holds the peak
  for (var i = block.x; i < block.y; i++) {
    let bits = x[i];
    let magnitude = bits & vec4<u32>(0x7FFFFFFFu);
    let is_cut = magnitude > bound;
    let g = gradient[i];
    sum += dot(select(vec4<f32>(), select(g, -g, bits != magnitude), is_cut), vec4<f32>(1.0));
    gradient[i] = select(g, vec4<f32>(), is_cut);
    peak_at = select(peak_at, min(peak_at, i), any(magnitude == vec4<u32>(peak)));
  }

  let has_gradient = has_bound(peak, share);
  // Empty where nothing was cut.
  for (var i = select(block.y, peak_at, has_gradient); i < min(block.y, peak_at + 1u); i++) {
    let bits = x[i];
    let is_peak = (bits & vec4<u32>(0x7FFFFFFFu)) == vec4<u32>(peak);
    let component = select(select(select(3u, 2u, is_peak.z), 1u, is_peak.y), 0u, is_peak.x);
    let to_peak = select(share * sum, -share * sum, bits[component] >= 0x80000000u);
    gradient[i] += select(vec4<f32>(), vec4<f32>(to_peak), vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(component));
  }
  let size = bitcast<f32>(select(0u, peak, has_gradient));
  logit_gradient[index] = sum * size * share * (1.0 - share);
}
