// How far a Cayley step goes: out[0] = τ / e with τ = min(1 / (‖Ω‖₁ + 1e-8), rate), e = ‖E‖² and Ω = S / e, that is
//   τ / e = min(1 / (‖S‖₁ + 1e-8 e), rate / e)
// ‖S‖₁ is the largest column sum of |S|. 0 where the books allow no step (diverged, stopped) or nothing is left to learn.
// sums: [slabs, stride], |S| summed over slabs of rows (absolute_sums.wgsl). One workgroup; lane i takes columns
// i, i + WORKGROUP_SIZE, … and a maximum does not depend on the order.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  slabs: u32,
  stride: u32,
  rate: f32,
}

const EPSILON = 1e-8;
// Below this an energy is rounding noise of an exact product, and its inverse leaves the range of f32.
const SMALLEST_ENERGY = 1e-30;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: TrainingState;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;   // [1]

var<workgroup> largest: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cayley_rate(@builtin(local_invocation_index) lane: u32) {
  var found = 0.0;
  for (var col = lane; col < params.stride; col += WORKGROUP_SIZE) {
    var sum = 0.0;
    for (var slab = 0u; slab < params.slabs; slab++) {
      sum += sums[slab * params.stride + col];
    }
    found = max(found, sum);
  }
  largest[lane] = found;
  workgroupBarrier();
  if (lane > 0u) {
    return;
  }
  var norm = 0.0;
  for (var i = 0u; i < WORKGROUP_SIZE; i++) {
    norm = max(norm, largest[i]);
  }
  var step = 0.0;
  if (state.diverged == 0u && state.stopped == 0u && state.energy >= SMALLEST_ENERGY) {
    step = min(1.0 / (norm + EPSILON * state.energy), params.rate * state.rate_factor / state.energy);
  }
  out[0] = step;
}
