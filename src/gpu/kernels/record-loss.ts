import trainingState from '../../../shaders/lib/training_state.wgsl?raw'
import source from '../../../shaders/record_loss.wgsl?raw'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

/** Bytes of shaders/lib/training_state.wgsl. */
export const TRAINING_STATE_BYTES = 44
/** Word of the training state that holds the step of the best energy, and the one that counts divergences. */
export const BEST_STEP_WORD = 3
export const DIVERGENCES_WORD = 6

export const recordLossKernel: Kernel = {
  name: 'record_loss',
  code: source + trainingState,
  bindings: ['read', 'write', 'write'],
}

/** Where record_loss keeps its books. */
export interface LossBook {
  /** TRAINING_STATE_BYTES, zero-filled before step 0. */
  readonly state: GPUBuffer
  /** [steps + 1] energies ‖E‖². */
  readonly history: GPUBuffer
}

/**
 * Adds up 64 partial sums of a step's energy, writes it to the history, and updates best, diverged and stopped: an
 * energy that is not finite or above 10 times the start is a divergence; after `maxDivergences` training stops.
 */
export function recordLoss(
  recorder: Recorder,
  energySums: GPUBuffer,
  book: LossBook,
  { step, maxDivergences }: { step: number; maxDivergences: number },
): void {
  recorder.dispatch(recordLossKernel, {
    uniforms: [step, maxDivergences],
    buffers: [energySums, book.state, book.history],
    workgroups: 1,
  })
}
