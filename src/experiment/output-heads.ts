/** Quantizing a product as the key-value cache stores it: along the channels of each attention head. */
import { formatLabel, parseFormat } from '../formats/format-text'
import type { Quantizer } from '../formats/number-format'
import type { Arena } from '../gpu/arena'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import type { Recorder } from '../gpu/recorder'
import { HEAD_GUESS, looksLikeKeyOrValue } from './kv-cache'

/** How a product is quantized: its quantizer and the channels of one head, where blocks and rows begin anew. */
export interface OutputQuantizer {
  readonly quantizer: Quantizer
  readonly headDim: number
}

/**
 * `product` [tokens, out] rounded per head. A head's channels are contiguous and a multiple of 32 unless it is the
 * whole row, so [tokens · heads, headDim] is the same buffer, read with other dimensions.
 */
export function quantizeOutput(
  recorder: Recorder,
  arena: Arena,
  product: GpuMatrix,
  { quantizer, headDim }: OutputQuantizer,
): GpuMatrix {
  const { rows, cols, stride, buffer } = product
  if (headDim === cols) return fakeQuantize(recorder, arena, product, quantizer)
  const heads = { rows: rows * (cols / headDim), cols: headDim, stride: headDim, buffer }
  const rounded = fakeQuantize(recorder, arena, heads, quantizer)
  return { rows, cols, stride, buffer: rounded.buffer }
}

/** Channels of a head, and whether the request named them. */
export interface HeadSize {
  readonly headDim: number
  readonly assumed: boolean
}

/**
 * What a result says about its quantized output: the granularity, that its head size was assumed where the request
 * names none, and a doubt when the name is not of a k or v.
 */
export function outputNotes(
  outputFormat: string,
  { headDim, assumed }: HeadSize,
  layer: { readonly name: string; readonly outDim: number },
): string[] {
  const label = formatLabel(parseFormat(outputFormat))
  const heads = headDim === layer.outDim ? 'per token as one head' : 'per head'
  const notes = [`Output quantized to ${label} ${heads} of ${headDim} channels.`]
  if (assumed) {
    notes.push(
      `The head size ${headDim} was assumed (${HEAD_GUESS}); if the model has another, set it ` +
        '("Head size" on the page, --head-dim on the command line).',
    )
  }
  if (!looksLikeKeyOrValue(layer.name)) {
    notes.push(`"${layer.name}" does not look like a key or value projection; only their outputs are cached.`)
  }
  return notes
}
