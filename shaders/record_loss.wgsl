// Bookkeeping after a forward pass: adds up the energy ‖E‖², appends it to the history, and decides whether the state
// is the best so far, has diverged (not finite, or above 10 times the start), or has diverged once too often.
// sums: [64] partial sums; history: [step] energies. One invocation in all.
// Decisions are made on the bits: non-negative floats order like integers, and infinity and NaN come last.

struct Params {
  step: u32,
  max_divergences: u32,
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const INFINITY_BITS = 0x7f800000u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: TrainingState;
@group(0) @binding(3) var<storage, read_write> history: array<f32>;

@compute @workgroup_size(1)
fn record_loss() {
  var energy = 0.0;
  for (var i = 0u; i < 64u; i++) {
    energy += sums[i];
  }
  let bits = bitcast<u32>(energy);
  history[params.step] = energy;
  state.energy = energy;
  if (params.step == 0u) {
    state.start = energy;
    state.rate_factor = 1.0;
  }
  state.improved = u32(bits < INFINITY_BITS && (params.step == 0u || bits < bitcast<u32>(state.best)));
  if (state.improved == 1u) {
    state.best = energy;
    state.best_step = params.step;
  }
  state.diverged = u32(bits >= INFINITY_BITS || bits > bitcast<u32>(10.0 * state.start));
  if (state.diverged == 1u) {
    state.divergences += 1u;
    state.rate_factor *= 0.5;
    state.correction1 = 0.0; // the moments start anew
    state.correction2 = 0.0;
  } else {
    state.correction1 = BETA1 * state.correction1 + (1.0 - BETA1); // 1 − β^t without cancellation
    state.correction2 = BETA2 * state.correction2 + (1.0 - BETA2);
  }
  state.stopped = u32(state.divergences >= params.max_divergences);
}
