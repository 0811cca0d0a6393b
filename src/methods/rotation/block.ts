import { InputError } from '../../core/errors'
import { randomSigns } from '../../core/random'
import type { QuantConfig, Quantizer } from '../../formats/number-format'
import { blockHadamard } from '../../gpu/kernels/block-hadamard'
import { scaleBlock } from '../channel-scaling/scale-block'
import type { Context, FitInput, FittedTransform } from '../method'
import { blockHadamardStep } from '../online'
import { signBytes } from './full'
import { fitRotation, type Rotation } from './rotation'

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

/** Throws InputError MD-08 unless blocks of `size` channels fill `channels`; `what` names the rotation. */
export function checkBlocks(what: string, channels: number, size: number): void {
  if (channels % size === 0) return
  throw new InputError('MD-08', `${what}: expected a multiple of ${size} channels, found ${channels}.`)
}

/** diag(signs) · (I ⊗ H_size / √size) with the Sylvester matrix; `seed` null: without signs. `size` is a power of two. */
export function hadamardBlocks(channels: number, size: number, seed: number | null): Rotation {
  const signs = seed === null ? null : randomSigns(channels, seed)
  const how = seed === null ? 'without signs' : `with random signs from seed ${seed}`
  return {
    rotate: (recorder, arena, matrix) => blockHadamard(recorder, arena, matrix, { size, signs }),
    online: blockHadamardStep(channels, size, signs && seed !== null ? { values: signs, seed } : null),
    notes: [`Sylvester matrix of order ${size} in each of ${channels / size} blocks, ${how}.`],
    onlineOperations: channels * Math.log2(size),
    onlineBytes: signs ? signBytes(channels) : 0,
  }
}

/** The rotation of transforms/block-hadamard.ts with option `size`. */
export function blockRotation(channels: number, config: QuantConfig, option: string): Rotation {
  const size = hadamardSize(config, option)
  checkBlocks('block Hadamard rotation', channels, size)
  return hadamardBlocks(channels, size, null)
}

/** Fits transforms/block-hadamard.ts. */
export async function fitBlockHadamard(
  { weight, config, options }: FitInput,
  context: Context,
): Promise<FittedTransform> {
  context.signal.throwIfAborted()
  return fitRotation(weight, blockRotation(weight.cols, config, String(options.size)), context)
}
