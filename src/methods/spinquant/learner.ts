import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { addScaled } from '../../gpu/kernels/add-scaled'
import { cayleyOperations, cayleyStep } from '../../gpu/kernels/cayley-step'
import { keepBest, type LearnedMatrix } from '../../gpu/kernels/keep-best'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import { type Residual, residualEnergy } from '../../gpu/kernels/residual-energy'
import type { Recorder } from '../../gpu/recorder'
import type { Learner, LearningProblem } from '../training/learner'
import { roundOperand } from '../training/rounding'
import type { RotationForm } from './form'

/** One evaluation of ½‖X̂ Ŵᵀ − Y‖² and its gradients by the matrices of the form, in their order. */
export interface RotationPass extends Residual {
  gradients(recorder: Recorder, arena: Arena): readonly GpuMatrix[]
}

/**
 * X' = X R, W' = W R, both rounded, and the residual of their product. Gradients: gX' = E Ŵ and gW' = Eᵀ X̂, each
 * through the rounding of its side by the straight-through rule of the quantizer, and from there to R on both sides.
 */
export function rotationPass(
  recorder: Recorder,
  arena: Arena,
  { calibration, weight, reference, config }: LearningProblem,
  { form, matrices }: { form: RotationForm; matrices: readonly GpuMatrix[] },
): RotationPass {
  const x = form.rotate(recorder, arena, calibration, matrices)
  const w = form.rotate(recorder, arena, weight, matrices)
  const roundedX = roundOperand(recorder, arena, x.values, { quantizer: config.activation, clip: null })
  const roundedW = roundOperand(recorder, arena, w.values, { quantizer: config.weight, clip: null })
  const estimate = matmulNt(recorder, arena, roundedX.quantized, roundedW.quantized)
  const { residual, energySums } = residualEnergy(recorder, arena, estimate, reference)
  return {
    residual,
    energySums,
    gradients: (then, inner) => {
      const gX = matmulNn(then, inner, residual, roundedW.quantized)
      roundedX.backward(then, inner, gX)
      const gW = matmulTn(then, inner, residual, roundedX.quantized)
      roundedW.backward(then, inner, gW)
      const ofX = x.gradients(then, inner, gX)
      const ofW = w.gradients(then, inner, gW)
      return ofX.map((gradient, index) => addScaled(then, inner, gradient, ofW[index], 1))
    },
  }
}

/**
 * Learns the matrices of `form` from where their `value`s stand, each by Cayley steps of its own. Ends with the best of
 * them in `best`, which is what readBest returns.
 */
export function rotationLearner(
  problem: LearningProblem,
  form: RotationForm,
  matrices: readonly LearnedMatrix[],
): Learner<readonly GpuMatrix[]> {
  const { calibration, weight } = problem
  const products = 6 * calibration.rows * weight.rows * weight.cols
  const rotations = (calibration.rows + weight.rows) * form.operationsPerRow
  return {
    stage: 'SpinQuant',
    operationsPerStep: form.sizes.reduce((sum, size) => sum + cayleyOperations(size), products + rotations),
    forward: (recorder, arena) => {
      const pass = rotationPass(recorder, arena, problem, { form, matrices: matrices.map(({ value }) => value) })
      return {
        energySums: pass.energySums,
        update: (state, rate) => {
          const gradients = rate === 'evaluate' ? [] : pass.gradients(recorder, arena)
          matrices.forEach((matrix, index) => {
            keepBest(recorder, matrix, state)
            if (rate !== 'evaluate') cayleyStep(recorder, matrix.value, gradients[index], { state, rate })
          })
        },
      }
    },
    readBest: async () => matrices.map(({ best }) => best),
  }
}
