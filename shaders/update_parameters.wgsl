// One AdamW step (Loshchilov and Hutter, arXiv 1711.05101: β 0.9 / 0.999, ε 1e-8, decoupled decay) on the gradient of
// log ‖E‖², after keeping or restoring the best state as record_loss.wgsl decided:
//   improved  best ← value
//   diverged  value ← best, moments ← 0
//   else      g = 2/‖E‖² · gradient,  m ← β1 m + (1 − β1) g,  v ← β2 v + (1 − β2) g²
//             value ← value (1 − rate·decay) − rate · m̂ / (√v̂ + ε)
// gradient is ∂(½‖E‖²)/∂value. All arrays [count]; one invocation per element.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  rate: f32,
  decay: f32,
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: TrainingState;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> value: array<f32>;
@group(0) @binding(4) var<storage, read_write> best: array<f32>;
@group(0) @binding(5) var<storage, read_write> moments: array<vec2<f32>>;   // (m, v)

@compute @workgroup_size(WORKGROUP_SIZE)
fn update_parameters(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.count) {
    return;
  }
  if (state.improved == 1u) {
    best[index] = value[index];
  }
  if (state.diverged == 1u) {
    value[index] = best[index];
    moments[index] = vec2<f32>();
  } else if (state.stopped == 0u && state.energy > 0.0) {
    let g = gradient[index] * (2.0 / state.energy);
    let moment = moments[index] * vec2(BETA1, BETA2) + vec2((1.0 - BETA1) * g, (1.0 - BETA2) * g * g);
    let rate = params.rate * state.rate_factor;
    let direction = (moment.x / state.correction1) / (sqrt(moment.y / state.correction2) + EPSILON);
    moments[index] = moment;
    value[index] = value[index] * (1.0 - rate * params.decay) - rate * direction;
  }
}
