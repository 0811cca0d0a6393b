/** Chooses kernels for the adapter at hand, once per adapter and version. */
import { Arena } from '../arena'
import type { Gpu } from '../device'
import { withErrorScopes } from '../error-scope'
import { BLOCK_OWNERS, type KernelChoices, PACKED_WAYS, PLAIN_CHOICES, PRODUCT_TILES } from '../kernel-choices'
import { type Contests, contestsOn } from './contests'
import { pickFastest } from './pick'

/** Where choices are kept from visit to visit. Both may reject: then nothing is remembered. */
export interface TuningMemory {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
}

export interface TuningOptions {
  /** Milliseconds from any fixed start. */
  readonly now: () => number
  readonly memory: TuningMemory
  /** Of this program: choices of another one are not used. */
  readonly version: string
  /** What is timed; the device's own kernels unless given. */
  readonly contests?: (gpu: Gpu, arena: Arena) => Contests
}

interface Remembered {
  readonly version: string
  readonly choices: KernelChoices
}

/** Forgets everything. */
export const NO_MEMORY: TuningMemory = { get: async () => undefined, set: async () => undefined }

/** What tells adapters apart, as far as kernels are concerned. */
export function tuningKey({ adapter, languageFeatures }: Gpu): string {
  const { vendor, architecture, description, features } = adapter
  return JSON.stringify([vendor, architecture, description, [...features].sort(), [...languageFeatures].sort()])
}

const isAmong = (all: readonly string[], value: unknown) => all.some((one) => one === value)

/** A kept value as what `version` wrote; null when it is anything else. */
function remembered(value: unknown, version: string): KernelChoices | null {
  if (typeof value !== 'object' || value === null) return null
  const { version: writer, choices } = value as Partial<Remembered>
  if (writer !== version || typeof choices !== 'object' || choices === null) return null
  const { product, block, packed } = choices
  const isWhole = isAmong(PRODUCT_TILES, product) && isAmong(BLOCK_OWNERS, block) && isAmong(PACKED_WAYS, packed)
  return isWhole ? { product, block, packed } : null
}

async function measure(gpu: Gpu, { now, contests = contestsOn }: TuningOptions): Promise<KernelChoices> {
  const arena = new Arena(gpu)
  try {
    const { signal } = new AbortController()
    const { product, block, packed } = await withErrorScopes(gpu, signal, async () => contests(gpu, arena))
    return {
      product: await pickFastest(product, now),
      block: block === null ? PLAIN_CHOICES.block : await pickFastest(block, now),
      packed: packed === null ? PLAIN_CHOICES.packed : await pickFastest(packed, now),
    }
  } finally {
    arena.release()
    gpu.pool.trim()
  }
}

/**
 * `gpu` with the kernels that are fastest on its adapter: those remembered for it, else measured, which takes some tenths
 * of a second. A software adapter keeps the plain ones, which were chosen on it, and so does one on which they fail.
 */
export async function tuneGpu(gpu: Gpu, options: TuningOptions): Promise<Gpu> {
  if (gpu.adapter.isSoftware) return gpu
  const { memory, version } = options
  const key = tuningKey(gpu)
  const kept = remembered(await memory.get(key).catch(() => undefined), version)
  const choices = kept ?? (await measure(gpu, options).catch(() => null))
  if (!choices) return gpu
  if (!kept) await memory.set(key, { version, choices } satisfies Remembered).catch(() => undefined)
  return { ...gpu, choices, adapter: { ...gpu.adapter, kernels: { choices, isMeasured: true } } }
}
