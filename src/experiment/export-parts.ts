/** A quantized weight as the tensors, metadata and warnings of the file it goes into. */
import type { Quantizer } from '../formats/number-format'
import type { Gpu } from '../gpu/device'
import { readMatrix } from '../gpu/transfer'
import type { TensorToWrite } from '../io/write-safetensors'
import type { LowRankCorrection, OnlineStep } from '../methods/method'
import type { ExportedTensor } from './export-request'

/** What one weight contributes to a file. */
export interface ExportParts {
  readonly tensors: readonly (TensorToWrite & Pick<ExportedTensor, 'role'>)[]
  /** Keys end in the weight's name, so that those of several weights go into one file. */
  readonly metadata: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

/** "model.layers.0.mlp.up_proj" for its weight; the name itself where it does not end in ".weight". */
export function moduleOf(weight: string): string {
  return weight.replace(/\.weight$/, '')
}

/** What all tensors and keys of ours begin with, beside those of the weight. */
export function ownPrefix(weight: string): string {
  return `${moduleOf(weight)}.mxscope.`
}

function floatBytes(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** The upper halves of f32 numbers whose lower halves are zero: the same numbers as BF16. */
export function upperHalves(data: Float32Array): Uint8Array {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length)
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer)
}

/**
 * The steps of X as tensors <module>.mxscope.online.<step>.<name> in F32 and their facts as JSON under
 * mxscope.online.<weight>; nothing where X goes into the product as it is.
 */
export async function onlineParts(weight: string, steps: readonly OnlineStep[]): Promise<ExportParts> {
  if (steps.length === 0) return { tensors: [], metadata: {}, warnings: [] }
  const tensors: ExportParts['tensors'][number][] = []
  const described = []
  for (const [index, step] of steps.entries()) {
    const needed = await step.tensors()
    const names: Record<string, string> = {}
    for (const { name, shape, data } of needed) {
      names[name] = `${ownPrefix(weight)}online.${index}.${name}`
      tensors.push({ name: names[name], dtype: 'F32', shape, bytes: floatBytes(data), role: 'online' })
    }
    described.push({ kind: step.kind, ...step.facts, tensors: names })
  }
  return {
    tensors,
    metadata: { [`mxscope.online.${weight}`]: JSON.stringify(described) },
    warnings: onlineWarnings(weight, steps),
  }
}

function onlineWarnings(weight: string, steps: readonly OnlineStep[]): string[] {
  const kinds = steps.filter(({ kind }) => kind !== 'clip').map(({ kind }) => kind)
  const warnings: string[] = []
  if (kinds.length > 0) {
    warnings.push(
      `${weight}: activations go through ${kinds.join(', ')} before the product (${ownPrefix(weight)}online.*). ` +
        'A loader that does not know these keys multiplies them as they are, and its output is wrong.' +
        (kinds.every((kind) => kind === 'scale') ? ' The scale can be folded into the norm before the layer.' : ''),
    )
  }
  if (steps.length > kinds.length) {
    warnings.push(
      `${weight}: activations are clipped before they are rounded (${ownPrefix(weight)}online.*); a loader that does ` +
        'not know these keys rounds them as they are.',
    )
  }
  return warnings
}

/** The low-rank pair in BF16, exactly: Y = X' Ŵᵀ + (X' low_rank_aᵀ) low_rank_bᵀ; nothing without one. */
export async function lowRankParts(
  gpu: Gpu,
  weight: string,
  correction: LowRankCorrection | null,
): Promise<ExportParts> {
  if (!correction) return { tensors: [], metadata: {}, warnings: [] }
  const part = async (name: string, source: LowRankCorrection['left']) => {
    const { rows, cols, data } = await readMatrix(gpu, source)
    const tensor = { name: `${ownPrefix(weight)}${name}`, dtype: 'BF16' as const, shape: [rows, cols] }
    return { ...tensor, bytes: upperHalves(data), role: 'low-rank' as const }
  }
  return {
    tensors: [await part('low_rank_a', correction.left), await part('low_rank_b', correction.right)],
    metadata: {
      [`mxscope.low_rank.${weight}`]: JSON.stringify({ input: correction.input, rank: correction.left.rows }),
    },
    warnings: [
      `${weight}: a low-rank branch is added to the product (${ownPrefix(weight)}low_rank_a, low_rank_b). A loader that ` +
        'does not know these keys leaves it out, and its error is larger.',
    ],
  }
}

/** That activations are to be rounded, which no config written here says. */
export function activationWarnings(weight: string, activation: Quantizer | null): string[] {
  if (!activation) return []
  return [
    `${weight}: the setting rounds activations to ${activation.format.label} when the layer runs; the file and its config ` +
      'hold the weight alone, and a plain loader leaves activations as they are.',
  ]
}

/** What the product is, in terms of the keys of the file. */
export function formulaText(
  weight: string,
  {
    steps,
    correction,
    activation,
  }: {
    readonly steps: readonly OnlineStep[]
    readonly correction: LowRankCorrection | null
    readonly activation: Quantizer | null
  },
): string {
  const own = ownPrefix(weight)
  const changed = steps.some(({ kind }) => kind !== 'clip')
  const clipped = steps.some(({ kind }) => kind === 'clip')
  const first = changed ? `X' = X through the steps of mxscope.online.${weight}` : "X' = X"
  const how = `${clipped ? 'clipped and ' : ''}rounded to ${activation?.format.label}`
  const second = activation ? `; Q = X' ${how}` : "; Q = X'"
  const input = correction?.input === 'quantized' ? 'Q' : "X'"
  const branch = correction ? ` + (${input} A^T) B^T with A = ${own}low_rank_a, B = ${own}low_rank_b` : ''
  return `${first}${second}; Y = Q W^T${branch}; W = ${weight}`
}
