import { InputError } from '../../core/errors'
import { assumedHeadDim } from '../head-size'
import type { Context, FitInput, FittedTransform, RotationInput } from '../method'
import { checkBlocks, hadamardBlocks } from './block'
import { fullHadamard } from './full'
import { orthogonalBlocks } from './orthogonal'
import { fitRotation, type Rotation } from './rotation'

/** Channels that are mixed with one another, and what a result should say about them. */
interface Span {
  readonly size: number
  readonly notes: readonly string[]
}

/** Option `span` as a number. Throws InputError MD-08 for blocks or heads that do not fill the channels. */
function spanOf(cols: number, { options, headDim }: RotationInput): Span {
  if (options.span === 'full') return { size: cols, notes: [] }
  if (options.span !== 'head') {
    const size = Number(options.span)
    checkBlocks(`rotation of blocks of ${size}`, cols, size)
    return { size, notes: [] }
  }
  const size = headDim ?? assumedHeadDim(cols)
  const origin = headDim === null ? ', assumed' : ''
  if (!Number.isInteger(Math.log2(size)) || cols % size !== 0) {
    throw new InputError(
      'MD-08',
      `rotation of heads: expected a head size that is a power of two and divides ${cols} channels, found ` +
        `${size}${origin}.`,
    )
  }
  return { size, notes: [`A block is one attention head of ${size} channels${origin}.`] }
}

async function rotationOf(
  channels: number,
  { size }: Span,
  { options }: RotationInput,
  context: Context,
): Promise<Rotation> {
  if (options.matrix === 'orthogonal') return orthogonalBlocks(channels, size, context)
  const { seed } = context
  const signs = options.signs === 'on'
  if (options.span === 'full') return fullHadamard(channels, { seed, signs })
  return hadamardBlocks(channels, size, signs ? seed : null)
}

/** The rotation of transforms/quarot.ts. */
export async function quarotRotation(channels: number, input: RotationInput, context: Context): Promise<Rotation> {
  context.signal.throwIfAborted()
  const span = spanOf(channels, input)
  const rotation = await rotationOf(channels, span, input, context)
  return { ...rotation, notes: [...rotation.notes, ...span.notes] }
}

/** Fits transforms/quarot.ts. */
export async function fitQuarot(input: FitInput, context: Context): Promise<FittedTransform> {
  return fitRotation(input.weight, await quarotRotation(input.weight.cols, input, context), context)
}
