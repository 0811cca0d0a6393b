import { numberOption } from '../../core/options'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { type BlockDiagonal, blockProduct } from '../../gpu/kernels/block-diagonal'
import type { BlockBounds, FactorSharing } from '../../gpu/kernels/clip-blocks'
import { sigmoid } from '../../gpu/kernels/sigmoid'
import { Recorder } from '../../gpu/recorder'
import { uploadWords } from '../../gpu/transfer'
import type { Clip, Context, FitInput, FitReport, FittedTransform } from '../method'
import { blockMatrixStep } from '../online'
import { checkBlocks, hadamardSize } from '../rotation/block'
import { trainingCurve, trainingNotes } from '../training/describe-training'
import { fewTokensNotes } from '../training/few-tokens'
import { cosineRate, type Trained, train } from '../training/train'
import { type Blocks, inverseTransposed, scaleRows, worstCondition } from './blocks'
import { blockAffineLearner } from './learner'
import { type BlockAffineParameters, type BlockClip, startParameters } from './start'

const BF16_BYTES = 2

/** Fits transforms/block-affine.ts. */
export async function fitBlockAffine(input: FitInput, context: Context): Promise<FittedTransform> {
  const { gpu, arena, signal } = context
  const { weight, config, options } = input
  signal.throwIfAborted()
  const size = hadamardSize(config, String(options.size))
  checkBlocks('block affine transform', weight.cols, size)
  const start = await startParameters(gpu, input, { alpha: numberOption(options, 'alpha'), size })
  const steps = numberOption(options, 'steps')
  const learningRate = numberOption(options, 'learningRate')
  const nothingToLearn = config.weight === null && config.activation === null
  const training = nothingToLearn
    ? null
    : await train(
        input,
        (inner) => blockAffineLearner(gpu, inner, input, start),
        { steps, rateAt: (step) => cosineRate(learningRate, step, steps) },
        context,
      )
  const parameters = training?.best ?? start
  // The inverse is taken of what is multiplied with: after rounding to f32.
  const p = roundBlocks(scaleRows(parameters.blocks, parameters.scale))
  const upload = ({ data }: Blocks, label: string): BlockDiagonal => {
    const padded = new Float32Array(weight.stride * size)
    padded.set(data)
    return { width: size, buffer: uploadWords(gpu, arena, padded, label) }
  }
  const [forwards, backwards] = [upload(p, 'blocks'), upload(inverseTransposed(p), 'inverse blocks')]
  return {
    weight: changeBasis(gpu, arena, weight, backwards),
    apply: (matrix) => changeBasis(gpu, arena, matrix, forwards),
    online: [blockMatrixStep(weight.cols, size, p.data)],
    clip: uploadClips(gpu, arena, parameters),
    report: describe(input, parameters, training),
  }
}

function roundBlocks({ size, data }: Blocks): Blocks {
  return { size, data: data.map(Math.fround) }
}

function changeBasis(gpu: Gpu, arena: Arena, matrix: GpuMatrix, blocks: BlockDiagonal): GpuMatrix {
  const recorder = new Recorder(gpu)
  const changed = blockProduct(recorder, arena, matrix, blocks)
  recorder.submit()
  return changed
}

function uploadClips(gpu: Gpu, arena: Arena, { activationClip, weightClip }: BlockAffineParameters): Clip | null {
  const recorder = new Recorder(gpu)
  const bounds = (clip: BlockClip | null, per: FactorSharing, label: string): BlockBounds | null => {
    if (!clip) return null
    const logits = uploadWords(gpu, arena, Float32Array.from(clip.logits), label)
    return { width: clip.width, per, factors: sigmoid(recorder, arena, logits, clip.logits.length) }
  }
  const activationBlocks = bounds(activationClip, 'column', 'activation clip')
  const weightBlocks = bounds(weightClip, 'block', 'weight clip')
  recorder.submit()
  return activationBlocks || weightBlocks ? { activation: null, weight: null, activationBlocks, weightBlocks } : null
}

function describe(
  { weight, calibration }: FitInput,
  { blocks }: BlockAffineParameters,
  training: Trained<BlockAffineParameters> | null,
): FitReport {
  const { size } = blocks
  const condition = worstCondition(blocks, inverseTransposed(blocks)).toFixed(2)
  return {
    notes: [
      `A matrix of order ${size} in each of ${weight.cols / size} blocks, with clips of its own; apart from the channel ` +
        `scale, condition numbers up to ${condition} (1: a rotation).`,
      ...trainingNotes(training, 'what the paper minimises is not known here, since only its abstract was read'),
      ...(training ? fewTokensNotes(calibration.rows, weight.cols) : []),
    ],
    training: trainingCurve(training),
    onlineOperations: weight.cols * size,
    onlineBytes: BF16_BYTES * weight.cols * size,
  }
}
