// What a training loop keeps on the GPU between steps; written by record_loss.wgsl. Zero-filled at the start.
struct TrainingState {
  energy: f32,           // ‖E‖² of the state the last forward pass saw
  best: f32,             // lowest so far
  start: f32,            // of step 0
  best_step: u32,
  improved: u32,         // the last energy is the lowest so far
  diverged: u32,         // the last energy is not finite or above 10 x start
  divergences: u32,      // how often so far
  stopped: u32,          // too often: parameters stay at the best state
  rate_factor: f32,      // halved at each divergence
  correction1: f32,      // 1 − β1^t of Adam
  correction2: f32,      // 1 − β2^t
}
