/** The Formats view: which formats stand on the number line, and under which scale. Needs no layer and no GPU. */
import { formatText, parseFormat } from '../formats/format-text'
import type { MxChoices } from '../formats/quantizer'
import type { StoreContext } from './context'
import { mxChoices } from './mx-choices'
import type { SetupSlice } from './state'

export interface FormatsSlice {
  /** Formats with their options as text, one row each. */
  readonly rows: readonly string[]
  /** The same block maximum for all formats, or the same exponent for all MX formats. */
  readonly scaling: 'maximum' | 'exponent'
  readonly maximum: number
  readonly exponent: number
  readonly axis: 'linear' | 'log'
  /** Ends of a linear axis, smallest and largest |x| of a log one; null: what shows every row. */
  readonly range: { readonly from: number; readonly to: number } | null
  /** The number that is rounded in every row. */
  readonly value: number
  /** Factor of the pre-scale tried here, 1 for none; null: that of the setting. */
  readonly preScale: number | null
}

export const MAXIMUM_RANGE = { min: 0.001, max: 100_000 } as const
export const EXPONENT_RANGE = { min: -16, max: 16 } as const
/** Largest magnitude one may ask about or zoom to. */
export const LINE_LIMIT = 1e6
/** More rows than anyone compares; a link cannot ask for more. */
export const MAX_LINE_ROWS = 24

export const DEFAULT_FORMATS: FormatsSlice = {
  rows: ['mxfp4', 'nvfp4', 'int4', 'mxfp8_e4m3'],
  scaling: 'maximum',
  maximum: 6,
  exponent: 0,
  axis: 'linear',
  range: null,
  value: 2.7,
  preScale: null,
}

export interface FormatsActions {
  /** `text`: a format with its options. A format may stand there twice, with different options. */
  addFormatRow(text: string): void
  changeFormatRow(index: number, text: string): void
  removeFormatRow(index: number): void
  setLine(change: Partial<Omit<FormatsSlice, 'rows'>>): void
}

export function createFormatsActions({ get, patch }: StoreContext): FormatsActions {
  const canonical = (text: string) => formatText(parseFormat(text))
  const setRows = (rows: readonly string[]) => patch('formats', { rows })
  return {
    addFormatRow: (text) => {
      const { rows } = get().formats
      if (rows.length < MAX_LINE_ROWS) setRows([...rows, canonical(text)])
    },
    changeFormatRow: (index, text) =>
      setRows(get().formats.rows.map((row, i) => (i === index ? canonical(text) : row))),
    removeFormatRow: (index) => setRows(get().formats.rows.filter((_, i) => i !== index)),
    setLine: (change) => {
      const turned = change.axis !== undefined && change.axis !== get().formats.axis
      const range = change.range ? { range: shortRange(change.range) } : {}
      patch('formats', { ...(turned ? { range: null } : {}), ...change, ...range })
    },
  }
}

const RANGE_DIGITS = 6

/** Ends with few enough digits for a link, unless they would meet. */
function shortRange({ from, to }: NonNullable<FormatsSlice['range']>): NonNullable<FormatsSlice['range']> {
  const [low, high] = [from, to].map((end) => Number(end.toPrecision(RANGE_DIGITS)))
  return low < high ? { from: low, to: high } : { from, to }
}

/** The MX choices of the setup, with a factor that is only tried; null tries none. */
export function triedChoices(setup: SetupSlice, factor: number | null): MxChoices {
  const choices = mxChoices(setup)
  if (factor === null) return choices
  return { ...choices, preScale: factor === 1 ? null : { factor, variant: setup.preScale.variant } }
}

/** The factor in force: the one tried, else that of the setting, 1 where it is off. */
export function triedFactor(setup: SetupSlice, factor: number | null): number {
  return factor ?? mxChoices(setup).preScale?.factor ?? 1
}
