/** What a training loop (train.ts) and the methods that learn agree on. */
import type { QuantConfig } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import type { Recorder } from '../../gpu/recorder'

/** What a layer's transform is learned from. */
export interface LearningProblem {
  /** [out, in] */
  readonly weight: GpuMatrix
  /** [tokens, in] */
  readonly calibration: GpuMatrix
  /** [tokens, out] */
  readonly reference: GpuMatrix
  readonly config: QuantConfig
}

/** A state on the GPU that steps improve: its values, the best of them, and how the objective is evaluated. */
export interface Learner<Best> {
  /** What progress is reported as: the name of the method. */
  readonly stage: string
  /** Multiplies and adds of one step; decides how many steps go into a submit. */
  readonly operationsPerStep: number
  /** Records the objective ½‖Ŷ − Y‖² at the current values. Temporaries belong to `arena`. */
  forward(recorder: Recorder, arena: Arena): Evaluation
  /** Waits for the queue and returns the best state. */
  readBest(): Promise<Best>
}

/** One evaluation of the objective, recorded but not yet run. */
export interface Evaluation {
  /** 64 partial sums of ‖Ŷ − Y‖², as residualEnergy leaves them. */
  readonly energySums: GPUBuffer
  /**
   * Records what comes after the energy has been entered in the books `state` (shaders/lib/training_state.wgsl): the
   * best state kept or brought back as the books say, then a step at `rate`; with 'evaluate' no step.
   */
  update(state: GPUBuffer, rate: number | 'evaluate'): void
}
