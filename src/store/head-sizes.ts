/** What the head size may be: for blocks of a quantized output, and for a rotation that mixes heads. */
import { headDimOf, possibleHeadDims } from '../experiment/kv-cache'
import type { BuiltInLayer } from '../io/built-in-layers'
import { assumedHeadDim } from '../methods/head-size'
import { automaticHeadDim } from './result-keys'
import { chosenShape } from './selectors'
import type { AppState } from './state'

/** Smaller heads do not occur. */
const SMALLEST_HEAD = 32

export interface HeadSizeMenu {
  /** What is used where none is chosen; null before a weight is. */
  readonly automatic: number | null
  readonly offered: readonly number[]
}

/**
 * The sizes that the output allows where it is quantized, else the powers of two that divide the input; a size that
 * is set and does not fit stays in the list, and the run says what is wrong with it.
 */
export function headSizeMenu(state: AppState, builtIns: readonly BuiltInLayer[]): HeadSizeMenu {
  const { headDim, setting } = state.setup
  const shape = chosenShape(state)
  if (shape === null) return { automatic: null, offered: headDim === null ? [] : [headDim] }
  const [outDim, inDim] = shape
  const known = automaticHeadDim(state, builtIns)
  const quantized = setting.outputFormat !== null
  const offered = quantized ? possibleHeadDims(outDim) : rotatedHeads(inDim)
  return {
    automatic: quantized ? headDimOf(outDim, known) : (known ?? assumedHeadDim(inDim)),
    offered: headDim === null || offered.includes(headDim) ? offered : [...offered, headDim],
  }
}

function rotatedHeads(inDim: number): readonly number[] {
  const sizes = []
  for (let size = SMALLEST_HEAD; size <= inDim; size *= 2) if (inDim % size === 0) sizes.push(size)
  return sizes
}
