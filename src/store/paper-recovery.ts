/**
 * What arXiv 2601.09555 publishes of whole models, for the column beside the errors measured here: its average accuracy as
 * a share of BF16, in percent, as printed. Only the numbers at hand stand here; none is computed.
 */
import type { ResultIdentity } from '../experiment/result'

export interface PaperModel {
  readonly id: string
  readonly label: string
  /** Over its column. */
  readonly shortLabel: string
}

/** Models with numbers at hand; the first is shown until another is chosen. */
export const PAPER_MODELS: readonly PaperModel[] = [
  { id: 'llama', label: 'Llama-3.1-8B-Instruct', shortLabel: 'Llama-3.1-8B' },
  { id: 'openpangu', label: 'openPangu', shortLabel: 'openPangu' },
]

export const PAPER_SOURCE = 'arXiv 2601.09555, tables 1, 2, 9 and 10'

/** A published number, and what its own table gives where the two differ. */
export interface Recovery {
  /** Percent of BF16, as printed. */
  readonly printed: number
  /** Percent of BF16 from the printed average; null where it agrees with `printed`. */
  readonly fromAverage: number | null
}

interface Published {
  readonly model: string
  readonly setting: string
  readonly method: string
  readonly printed: number
  readonly fromAverage?: number
}

const PUBLISHED: readonly Published[] = [
  { model: 'llama', setting: 'W4A4', method: 'rtn', printed: 94.98 },
  { model: 'llama', setting: 'W4A4', method: 'quarot', printed: 88.78 },
  { model: 'llama', setting: 'W4A4', method: 'spinquant', printed: 87.25 },
  { model: 'llama', setting: 'W4A4', method: 'flatquant', printed: 96.57 },
  { model: 'llama', setting: 'W4A4', method: 'quarot+gptq', printed: 93.36 },
  { model: 'llama', setting: 'W4A4', method: 'spinquant+gptq', printed: 93.38 },
  { model: 'llama', setting: 'W4A4', method: 'flatquant+gptq', printed: 96.79 },
  { model: 'llama', setting: 'W4A8', method: 'flatquant+gptq', printed: 97.95, fromAverage: 98.43 },
  { model: 'openpangu', setting: 'W4A8', method: 'quarot+gptq', printed: 95.84, fromAverage: 95.34 },
]

/** The published number of a method under a setting of that name; null where there is none at hand. */
export function publishedRecovery(model: string, result: Pick<ResultIdentity, 'method' | 'setting'>): Recovery | null {
  const found = PUBLISHED.find(
    ({ model: of, setting, method }) => of === model && setting === result.setting && method === result.method,
  )
  return found ? { printed: found.printed, fromAverage: found.fromAverage ?? null } : null
}

export type Regime = 'lossless' | 'fair' | 'risky'

export const REGIME_GLYPHS: Readonly<Record<Regime, string>> = { lossless: '●', fair: '▲', risky: '■' }

/** The word the paper has for a loss: lossless up to 1 %, risky from 3 % on. */
export function regimeOf(recovery: number): Regime {
  if (recovery >= 99) return 'lossless'
  return recovery > 97 ? 'fair' : 'risky'
}

/** "94.98", "97.95 †" where its table gives another number. */
export function recoveryText({ printed, fromAverage }: Recovery): string {
  return `${printed.toFixed(2)}${fromAverage === null ? '' : ' †'}`
}

/** What stands behind the number of one cell. */
export function recoveryHint(model: PaperModel, { fromAverage }: Recovery): string {
  const source = `Published for ${model.label}, not of this layer: average accuracy as a share of BF16 (${PAPER_SOURCE})`
  return fromAverage === null ? source : `${source}. † The printed average itself gives ${fromAverage.toFixed(2)}`
}
