/** From the tensors of a file to those they stand for: codes with their scales become one packed tensor. */
import { InputError } from '../../core/errors'
import type { TensorView } from '../tensor-view'
import { recogniseBlocks, recogniseFpQuant } from './byte-scaled-layouts'
import type { Layout, Recognition } from './parts'
import { recogniseIntegers, recogniseRealScaled } from './real-scaled-layouts'
import { recogniseByteScaled } from './weight-scale-layouts'

/** A packed tensor that could not be put together; its parts stay in the list as they are. */
export interface Refusal {
  /** What it would have been called. */
  readonly name: string
  readonly error: InputError
}

/** In order; the first that recognises a tensor has it. */
const LAYOUTS: readonly Layout[] = [
  recogniseBlocks,
  recogniseFpQuant,
  recogniseIntegers,
  recogniseByteScaled,
  recogniseRealScaled,
]

/** What is known besides the list. */
export interface PackingHints {
  /** Of the file. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Of the config.json beside it. */
  readonly quantizationConfig?: unknown
  /** Bits of pack-quantized integers where no config says them (read-tensors.ts finds them out). */
  readonly integerBits?: 4 | 8 | null
}

/**
 * `tensors` with every recognised packed tensor in the place of its codes and its other parts gone, in the order of the
 * file. Looks at names, dtypes and shapes first: most checkpoints are opened without their config. Tensors may come from
 * several shards of one model.
 *
 * Refusals: PK-01 a part is missing, PK-02 a part has another dtype, PK-03 shapes do not fit, PK-05 the name is taken.
 */
export function logicalTensors(
  tensors: readonly TensorView[],
  { metadata = {}, quantizationConfig, integerBits = null }: PackingHints = {},
): { tensors: readonly TensorView[]; refusals: readonly Refusal[] } {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const recognition = { byName, metadata, integerBits: integerBitsOf(quantizationConfig) ?? integerBits }
  const packed = new Map<TensorView, TensorView>()
  const consumed = new Set<TensorView>()
  const refusals: Refusal[] = []
  for (const tensor of tensors) {
    try {
      const found = recognise(tensor, recognition)
      if (found?.storage?.kind !== 'packed') continue
      const parts = found.storage.parts.map((part) => part.tensor)
      checkFree(found, parts, { byName, consumed })
      packed.set(tensor, found)
      for (const part of parts) consumed.add(part)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      refusals.push({ name: tensor.name, error })
    }
  }
  return {
    tensors: tensors.flatMap((tensor) => packed.get(tensor) ?? (consumed.has(tensor) ? [] : [tensor])),
    refusals,
  }
}

function recognise(tensor: TensorView, recognition: Recognition): TensorView | null {
  for (const layout of LAYOUTS) {
    const found = layout(tensor, recognition)
    if (found) return found
  }
  return null
}

/** Throws InputError PK-05 when another tensor has the name of `found`, or another packed tensor one of its parts. */
function checkFree(
  found: TensorView,
  parts: readonly TensorView[],
  { byName, consumed }: { byName: ReadonlyMap<string, TensorView>; consumed: ReadonlySet<TensorView> },
): void {
  const taken = byName.get(found.name)
  const what = `tensor "${parts[0].name}" stands for "${found.name}"`
  if (taken && !parts.includes(taken)) {
    throw new InputError('PK-05', `${what}: expected no other tensor of that name, found one in ${taken.dtype}.`)
  }
  const shared = parts.find((part) => consumed.has(part))
  if (shared)
    throw new InputError('PK-05', `${what}: expected parts of its own, found "${shared.name}" in use already.`)
}

/** num_bits of the integer weights of a compressed-tensors config, when all its groups agree; null otherwise. */
function integerBitsOf(config: unknown): 4 | 8 | null {
  const groups = member(config, 'config_groups')
  if (typeof groups !== 'object' || groups === null) return null
  const bits = new Set<unknown>()
  for (const group of Object.values(groups)) {
    const weights = member(group, 'weights')
    if (member(weights, 'type') === 'int') bits.add(member(weights, 'num_bits'))
  }
  if (bits.size !== 1) return null
  return bits.has(4) ? 4 : bits.has(8) ? 8 : null
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key]
}
