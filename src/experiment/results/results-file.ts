/** The results of a comparison as a file: everything its figures need, without the weights (docs/results-schema.md). */
import { writtenReal } from '../../core/decode'
import { VERSION } from '../../core/version'
import type { MxChoices } from '../../formats/quantizer'
import type { AdapterFacts } from '../../gpu/device'
import type { MethodChoice, Setting } from '../request'
import type { LayerFacts, MethodOutcome, SweepPoint } from '../result'

export const RESULTS_SCHEMA = 'mxscope.results/1'

/** A file the layer was read from: enough to recognise it. */
export interface FileFingerprint {
  readonly name: string
  readonly byteLength: number
  /** 12 hexadecimal digits of the SHA-256 of its header; '' where that is not known. */
  readonly headerHash: string
  /** The id of the built-in layer it is; null for a file of the user's. */
  readonly builtIn: string | null
}

/** The chosen weight as it lies in its file. */
export interface WeightFacts {
  /** As the header of the page names it. */
  readonly title: string
  readonly tensor: string
  readonly shape: readonly number[]
  readonly dtype: string
}

/** The part of an adapter that says where numbers come from. */
export type AdapterName = Pick<AdapterFacts, 'vendor' | 'architecture' | 'description' | 'isSoftware'>

/** What every outcome of the file was computed under. */
export interface RunChoices extends MxChoices {
  readonly seed: number
  /** As asked for; null: the engine's own choice. */
  readonly headDim: number | null
  /** Share of the rows kept for evaluation. */
  readonly heldOutShare: number
}

/** A chosen method with the options that differ from its defaults. */
export interface ChosenMethod extends MethodChoice {
  /** Computed, not shown. */
  readonly hidden: boolean
}

/** One method over one parameter. */
export interface SavedSweep {
  readonly parameter: string
  readonly method: string
  readonly inUse: number
  readonly values: readonly number[]
  readonly points: readonly SweepPoint[]
}

export interface ResultsFile {
  /** Of the program that wrote it. */
  readonly version: string
  readonly adapter: AdapterName | null
  readonly files: readonly FileFingerprint[]
  readonly weight: WeightFacts
  readonly layer: LayerFacts
  readonly choices: RunChoices
  /** The one on screen. */
  readonly setting: Setting
  readonly methods: readonly ChosenMethod[]
  readonly outcomes: readonly MethodOutcome[]
  readonly sweeps: readonly SavedSweep[]
  /** The fragment that restores the comparison in the page, without '#'. */
  readonly link: string
}

/** Text that begins as a file of results does; what follows may still be wrong. */
export function looksLikeResults(start: string): boolean {
  return /^\uFEFF?\s*\{\s*"schema"\s*:\s*"mxscope\./.test(start)
}

/** Nine significant digits are enough to read back the same f32. */
const shortF32 = (value: number) => writtenReal(Number.isFinite(value) ? Number(value.toPrecision(9)) : value)

/** Numbers that JSON has no word for by their names, typed arrays as lists. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'number') return writtenReal(value)
  if (value instanceof Float32Array) return Array.from(value, shortF32)
  if (value instanceof Float64Array) return Array.from(value, writtenReal)
  return value
}

/** The file's text in pieces, an outcome each, so that a page can pause between them. Numbers read back as the same numbers. */
export function* resultsPieces(results: Omit<ResultsFile, 'version'>): Generator<string> {
  const { outcomes, ...rest } = results
  yield `${JSON.stringify({ schema: RESULTS_SCHEMA, version: VERSION, ...rest }, plain, 1).slice(0, -2)},\n "outcomes": [`
  for (const [at, outcome] of outcomes.entries()) {
    yield `${at === 0 ? '' : ','}\n  ${JSON.stringify(outcome, plain)}`
  }
  yield '\n ]\n}\n'
}

/** The file's text, one outcome a line. */
export function resultsText(results: Omit<ResultsFile, 'version'>): string {
  return [...resultsPieces(results)].join('')
}
