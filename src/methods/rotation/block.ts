import { InputError } from '../../core/errors'
import type { QuantConfig, Quantizer } from '../../formats/number-format'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { blockHadamard } from '../../gpu/kernels/block-hadamard'
import { Recorder } from '../../gpu/recorder'
import { scaleBlock } from '../channel-scaling/scale-block'
import type { Context, FitInput, FittedTransform } from '../method'

/** Where neither operand has blocks; the block of the MX formats. */
const DEFAULT_SIZE = 32

/** Option `size` as a number: 'scale-block' follows the weight, then the activations. */
export function hadamardSize({ weight, activation }: QuantConfig, option: string): number {
  if (option !== 'scale-block') return Number(option)
  const sizeOf = (quantizer: Quantizer | null) => {
    const block = quantizer && scaleBlock(quantizer)
    return typeof block === 'number' ? block : null
  }
  return sizeOf(weight) ?? sizeOf(activation) ?? DEFAULT_SIZE
}

/** Fits transforms/block-hadamard.ts. */
export async function fitBlockHadamard(
  { weight, config, options }: FitInput,
  { gpu, arena, signal }: Context,
): Promise<FittedTransform> {
  signal.throwIfAborted()
  const size = hadamardSize(config, String(options.size))
  if (weight.cols % size !== 0) {
    throw new InputError(
      'MD-08',
      `block Hadamard rotation: expected a multiple of ${size} channels, found ${weight.cols}.`,
    )
  }
  const rotate = (matrix: GpuMatrix) => {
    const recorder = new Recorder(gpu)
    const rotated = blockHadamard(recorder, arena, matrix, size)
    recorder.submit()
    return rotated
  }
  const notes = [`Sylvester matrix of order ${size} in each of ${weight.cols / size} blocks, without signs.`]
  const report = { notes, training: null, onlineOperations: weight.cols * Math.log2(size), onlineBytes: 0 }
  return { weight: rotate(weight), apply: rotate, clip: null, report }
}
