// counts[bin] += number of elements with bin = floor(x · (BINS / 2) / range) + BINS / 2: BINS equal bins over
// [−range, range), where range is the power of two strictly above max |x| (lib/magnitude_range.wgsl).
// x: [count] vec4<f32>, padding included, all finite; maximum: bits of max |x|; counts: [BINS], 0 before the dispatch.
// The scaling is by a power of two, hence exact (a product that is subnormal belongs to |x| < range · 2^-134 and may
// count as 0). Invocation i takes elements i, i + invocations, …; bins live in workgroup memory and are merged once.
// Integer counts do not depend on the order of additions.

override WORKGROUP_SIZE: u32 = 64u;
override BINS: u32 = 512u;

struct Params {
  count: u32,
  invocations: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> maximum: u32;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

var<workgroup> bins: array<atomic<u32>, BINS>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn histogram(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  // BINS / 2 / range = 2^(log2(BINS) − 1 − (e − 126))
  let scale = bitcast<f32>((252u + countTrailingZeros(BINS) - range_exponent(maximum)) << 23u);
  if (i < params.invocations) {
    for (var index = i; index < params.count; index += params.invocations) {
      let bin = clamp(vec4i(floor(x[index] * scale)) + i32(BINS / 2u), vec4i(), vec4i(i32(BINS) - 1));
      atomicAdd(&bins[bin.x], 1u);
      atomicAdd(&bins[bin.y], 1u);
      atomicAdd(&bins[bin.z], 1u);
      atomicAdd(&bins[bin.w], 1u);
    }
  }
  workgroupBarrier();
  for (var bin = lane; bin < BINS; bin += WORKGROUP_SIZE) {
    let total = atomicLoad(&bins[bin]);
    if (total > 0u) {
      atomicAdd(&counts[bin], total);
    }
  }
}
