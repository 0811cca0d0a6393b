/** Memory of the rotations that are known beforehand. */
import { planHadamard } from '../../core/hadamard'
import { butterflyMatrices } from '../../gpu/kernels/hadamard'
import { assumedHeadDim } from '../head-size'
import {
  columnStatistics,
  type MethodSize,
  matrixClass,
  NO_CLIPS,
  operandBytes,
  type TransformMemory,
  wordsClass,
} from '../memory'
import type { RotationInput } from '../method'
import { hadamardSize } from './block'

/** Matrices that hadamard() leaves for one it is given: those of the butterfly, and the product with an outer factor. */
function hadamardMatrices(channels: number, seed: number): number {
  const { order, log2 } = planHadamard(channels, seed)
  return butterflyMatrices(log2) + Number(order > 1)
}

function rotationMemory(size: MethodSize, copies: number, matrix = 0): TransformMemory {
  const kept = copies * operandBytes(size).w + matrix
  return { fitting: kept, shared: [], kept, applied: (rows) => copies * matrixClass(rows, size.inDim), clips: NO_CLIPS }
}

/** Of transforms/quarot.ts. */
export function quarotMemory(size: MethodSize, { options, headDim }: RotationInput): TransformMemory {
  const { inDim } = size
  const head = options.span === 'head' ? (headDim ?? assumedHeadDim(inDim)) : Number(options.span)
  const span = options.span === 'full' ? inDim : head
  if (options.matrix === 'orthogonal') return rotationMemory(size, 1, matrixClass(span, span))
  return rotationMemory(size, span === inDim ? hadamardMatrices(inDim, 0) : butterflyMatrices(Math.log2(span)))
}

/** Of transforms/block-hadamard.ts. */
export function blockHadamardMemory(size: MethodSize, { config, options }: RotationInput): TransformMemory {
  return rotationMemory(size, butterflyMatrices(Math.log2(hadamardSize(config, String(options.size)))))
}

/** Of transforms/scaled-hadamard.ts. */
export function scaledHadamardMemory(size: MethodSize, { config, options }: RotationInput): TransformMemory {
  const { outDim, inDim, tokens } = size
  const block = options.rotation === 'block'
  const copies = block ? butterflyMatrices(Math.log2(hadamardSize(config, 'scale-block'))) : hadamardMatrices(inDim, 0)
  const { kept, ...rest } = rotationMemory(size, copies, 2 * wordsClass(inDim))
  const statistics = columnStatistics(tokens, inDim) + columnStatistics(outDim, inDim)
  return { ...rest, kept, fitting: Math.max(statistics, kept + operandBytes(size).w) }
}
