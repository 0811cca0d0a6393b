import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { scaleColumns } from '../../gpu/kernels/scale-columns'
import { type LearnedBuffer, updateParameters } from '../../gpu/kernels/update-parameters'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadWords } from '../../gpu/transfer'
import { followInverse, uploadLearned } from '../flatquant/learned-factor'
import type { Learner, LearningProblem } from '../training/learner'
import { inverseTransposed } from './blocks'
import {
  type BlockAffineGradients,
  type BlockAffineState,
  backwardPass,
  forwardPass,
  type LearnedClip,
} from './gradients'
import type { BlockAffineParameters, BlockClip } from './start'

/** Relative to the learning rate: at its default, clips learn at 5e-2. */
const CLIP_RATE = 2

/**
 * A step of Adam moves every entry of R by about the rate, in directions that agree little: a block by 2 to 3 times
 * rate · √size in norm. Newton's iteration converges below 1 / ‖A‖, so that this leaves room for an A twice a rotation's.
 */
const LARGEST_MOVE = 0.16

/** Learns the blocks and the clips from `start`, at a rate and at twice that; no decay. AdamW, arXiv 1711.05101. */
export function blockAffineLearner(
  gpu: Gpu,
  arena: Arena,
  problem: LearningProblem,
  start: BlockAffineParameters,
): Learner<BlockAffineParameters> {
  const state = uploadState(gpu, arena, problem, start)
  const longest = Math.max(...learnedBuffers(state).map(({ count }) => count))
  const noGradient = uploadWords(gpu, arena, new Float32Array(longest), 'no gradient')
  return {
    stage: 'Block affine',
    operationsPerStep: operationsPerStep(problem, state.size),
    forward: (recorder, inner) => {
      const forward = forwardPass(recorder, inner, problem, state)
      return {
        energySums: forward.energySums,
        update: (book, rate) => {
          const learns = rate !== 'evaluate'
          const gradients = learns ? backwardPass(recorder, inner, forward, state) : null
          recordUpdates(recorder, state, gradients, { rate: learns ? rate : 0, book, noGradient })
          if (learns) followBlocks(recorder, inner, state)
        },
      }
    },
    readBest: () => readBest(gpu, state, start),
  }
}

/** Uploads `start` with zero moments; the best state is the start. */
export function uploadState(
  gpu: Gpu,
  arena: Arena,
  { weight, calibration }: LearningProblem,
  { scale, blocks, activationClip, weightClip }: BlockAffineParameters,
): BlockAffineState {
  const { size } = blocks
  const inverses = inverseTransposed(blocks)
  const padded = (data: Float64Array) => {
    const values = new Float32Array(weight.stride * size)
    values.set(data)
    return values
  }
  const clip = (start: BlockClip | null, label: string): LearnedClip | null =>
    start && { width: start.width, logits: uploadLearned(gpu, arena, start.logits, label) }
  const recorder = new Recorder(gpu)
  const scaled = (matrix: GpuMatrix, factors: Float64Array, label: string) =>
    scaleColumns(recorder, arena, matrix, uploadWords(gpu, arena, Float32Array.from(factors), label))
  const activations = scaled(calibration, scale, 'channel scale')
  const weights = scaled(
    weight,
    scale.map((d) => 1 / d),
    'inverse channel scale',
  )
  recorder.submit()
  return {
    size,
    activations,
    weights,
    blocks: uploadLearned(gpu, arena, padded(blocks.data), 'blocks'),
    inverses: uploadLearned(gpu, arena, padded(inverses.data), 'inverse blocks'),
    activationClip: clip(activationClip, 'activation clip'),
    weightClip: clip(weightClip, 'weight clip'),
  }
}

function learnedBuffers({ blocks, inverses, activationClip, weightClip }: BlockAffineState): readonly LearnedBuffer[] {
  return [blocks, inverses, ...[activationClip, weightClip].flatMap((clip) => (clip ? [clip.logits] : []))]
}

/** Three products of the layer's size, four with blocks, and the products that carry the inverses and their gradient. */
function operationsPerStep({ weight, calibration }: LearningProblem, size: number): number {
  const products = 6 * calibration.rows * weight.rows * weight.cols
  const transforms = 4 * (calibration.rows + weight.rows) * weight.cols * size
  return products + transforms + 20 * weight.cols * size ** 2
}

/** The largest rate at which the inverses keep up. */
export function largestRate(size: number): number {
  return LARGEST_MOVE / Math.sqrt(size)
}

/** Without gradients nothing is learned; `noGradient` are zeros. The best state is kept or restored either way. */
function recordUpdates(
  recorder: Recorder,
  { size, blocks, inverses, activationClip, weightClip }: BlockAffineState,
  gradients: BlockAffineGradients | null,
  { rate, book, noGradient }: { rate: number; book: GPUBuffer; noGradient: GPUBuffer },
): void {
  const update = (parameter: LearnedBuffer | undefined, gradient: GPUBuffer | null | undefined, at: number) => {
    if (parameter) updateParameters(recorder, parameter, gradient ?? noGradient, { state: book, rate: at, decay: 0 })
  }
  update(blocks, gradients?.blocks, Math.min(rate, largestRate(size)))
  update(inverses, null, 0) // kept and restored with the blocks
  update(activationClip?.logits, gradients?.activationClip, CLIP_RATE * rate)
  update(weightClip?.logits, gradients?.weightClip, CLIP_RATE * rate)
}

/** Brings A back to R⁻ᵀ. */
export function followBlocks(recorder: Recorder, arena: Arena, { size, blocks, inverses }: BlockAffineState): void {
  const count = blocks.count / size ** 2
  followInverse(recorder, arena, { size, count, matrix: blocks.value, transposed: true, inverse: inverses })
}

async function readBest(
  gpu: Gpu,
  state: BlockAffineState,
  start: BlockAffineParameters,
): Promise<BlockAffineParameters> {
  const clip = async (learned: LearnedClip | null): Promise<BlockClip | null> =>
    learned && { width: learned.width, logits: await readFloats(gpu, learned.logits.best, learned.logits.count) }
  const [data, activationClip, weightClip] = await Promise.all([
    readFloats(gpu, state.blocks.best, start.blocks.data.length),
    clip(state.activationClip),
    clip(state.weightClip),
  ])
  return { ...start, blocks: { size: state.size, data: Float64Array.from(data) }, activationClip, weightClip }
}
