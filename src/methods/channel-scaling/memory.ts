/** Memory of the scales per channel. */
import { numberOption, type OptionValues } from '../../core/options'
import type { QuantConfig } from '../../formats/number-format'
import { SUM_WIDTH } from '../../gpu/kernels/strided-sums'
import { GRAM } from '../gptq/hessian'
import {
  blockWords,
  columnStatistics,
  type MethodSize,
  matrixClass,
  NO_CLIPS,
  operandBytes,
  roundedCopies,
  type TransformMemory,
  wordsClass,
} from '../memory'
import type { RotationInput } from '../method'
import { SAMPLE_TOKENS } from './clip-search'
import { scaleBlock } from './scale-block'

/** Of transforms/smoothquant.ts. */
export function smoothingMemory(size: MethodSize): TransformMemory {
  const { outDim, inDim, tokens } = size
  const kept = 2 * wordsClass(inDim) + operandBytes(size).w
  const statistics = columnStatistics(tokens, inDim) + columnStatistics(outDim, inDim)
  return {
    fitting: Math.max(statistics, kept),
    shared: [],
    kept,
    applied: (rows) => matrixClass(rows, inDim),
    clips: NO_CLIPS,
  }
}

/** Of transforms/awq.ts. */
export function awqMemory(size: MethodSize, { config, options }: RotationInput): TransformMemory {
  const { outDim, inDim } = size
  const width = config.weight && scaleBlock(config.weight)
  const clips = width !== null && options.clip !== 'off'
  const scaled = 2 * wordsClass(inDim) + operandBytes(size).w
  const factors = clips ? blockWords(outDim, inDim, width) : 0
  const search = searchBytes(size, config, { variant: options.variant, points: numberOption(options, 'points') })
  return {
    fitting: Math.max(search, clips ? scaled + clipBytes(size, config, width) : 0),
    shared: readsGram(size, config, options) ? [{ name: GRAM, bytes: matrixClass(inDim, inDim) }] : [],
    kept: scaled + factors,
    applied: (rows) => matrixClass(rows, inDim),
    clips: { weight: clips, activations: false },
  }
}

/** As chooseLoss. */
function readsGram(
  { inDim, tokens, limitBytes }: MethodSize,
  { weight, activation }: QuantConfig,
  { variant }: OptionValues,
): boolean {
  if (!weight || (variant === 'activation-aware' && activation)) return false
  return tokens > inDim && matrixClass(inDim, inDim) <= limitBytes
}

/** scaleLosses at its worst candidate, the Gram matrix aside. */
function searchBytes(
  size: MethodSize,
  { weight, activation }: QuantConfig,
  { variant, points }: { readonly variant: string | number; readonly points: number },
): number {
  const { inDim, outDim, tokens, limitBytes } = size
  const { w, x, y } = operandBytes(size)
  const shared = wordsClass(SUM_WIDTH * points) + 2 * wordsClass(inDim)
  if (variant === 'activation-aware' && activation) {
    return shared + (1 + roundedCopies(weight)) * w + (1 + roundedCopies(activation)) * x + 2 * y
  }
  if (!weight) return 0
  const error = (3 + roundedCopies(weight)) * w
  if (tokens > inDim && matrixClass(inDim, inDim) <= limitBytes) return shared + error + w
  return shared + error + matrixClass(outDim, tokens)
}

/** searchClip with its sample. */
function clipBytes(size: MethodSize, { weight }: QuantConfig, width: number | 'row'): number {
  const { outDim, inDim, tokens } = size
  const { w } = operandBytes(size)
  const step = Math.max(1, Math.floor(tokens / SAMPLE_TOKENS))
  const rows = Math.ceil(tokens / step)
  const sample = (step === 1 ? 1 : 2) * matrixClass(rows, inDim)
  const perBlock = 4 * blockWords(outDim, inDim, width)
  const gram = width === 'row' ? 0 : wordsClass(inDim * width)
  const output = width === 'row' ? matrixClass(outDim, rows) : w
  return sample + perBlock + gram + (2 + roundedCopies(weight)) * w + output
}
