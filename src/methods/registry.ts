import { InputError } from '../core/errors'
import type { OptionValues } from '../core/options'
import type { Method, MethodKind, Mitigation, Transform } from './method'
import { gptq, gptqObserved, gptqSearched } from './mitigations/gptq'
import { withLowRank } from './mitigations/low-rank'
import { roundToNearest } from './mitigations/round-to-nearest'
import { awq } from './transforms/awq'
import { blockHadamard } from './transforms/block-hadamard'
import { flatquant } from './transforms/flatquant'
import { identity } from './transforms/identity'
import { quarot } from './transforms/quarot'
import { scaledHadamard } from './transforms/scaled-hadamard'
import { smoothquant } from './transforms/smoothquant'

/** A row of the grid: a transform under the name that methods with it carry. */
interface GridRow {
  readonly transform: Transform
  readonly name: string
  readonly kind: MethodKind
  /** What it does before anything is rounded, as the start of a sentence; '' for the identity. */
  readonly summary: string
}

/** A column of the grid: a mitigation and how it is written in ids and names. */
interface GridColumn {
  readonly mitigation: Mitigation
  /** After the transform's id; '' for rounding to nearest. */
  readonly suffix: string
  readonly kind: MethodKind
  /** The rest of the sentence. */
  readonly summary: string
}

const ROWS: readonly GridRow[] = [
  { transform: identity, name: '', kind: 'baseline', summary: '' },
  {
    transform: smoothquant,
    name: 'SmoothQuant',
    kind: 'channel-wise',
    summary: 'Moves outliers of the activations into the weights, channel by channel',
  },
  {
    transform: awq,
    name: 'AWQ',
    kind: 'channel-wise',
    summary:
      'Scales channels by how much the activations use them, found by search, and clips weights where that helps',
  },
  {
    transform: quarot,
    name: 'QuaRot',
    kind: 'rotation',
    summary: 'Spreads outliers over all channels with a random Hadamard rotation',
  },
  {
    transform: flatquant,
    name: 'FlatQuant',
    kind: 'affine',
    summary: 'Learns a scale per channel and a small invertible map that flatten both sides',
  },
  {
    transform: blockHadamard,
    name: 'Block Hadamard',
    kind: 'rotation',
    summary: 'Rotates every block of channels by itself with a Hadamard matrix',
  },
  {
    transform: scaledHadamard,
    name: 'Scale + Hadamard',
    kind: 'affine',
    summary: 'Scales channels and rotates them with a Hadamard matrix, with nothing learned',
  },
]

const lowRank = withLowRank(roundToNearest, { id: 'low-rank', label: 'Low rank' })
const gptqLowRank = withLowRank(gptqSearched, { id: 'gptq+low-rank', label: 'GPTQ and low rank' })

const COLUMNS: readonly GridColumn[] = [
  { mitigation: roundToNearest, suffix: '', kind: 'baseline', summary: 'rounds' },
  {
    mitigation: gptq,
    suffix: '+gptq',
    kind: 'compensation',
    summary: 'lets later columns make up for rounding (GPTQ)',
  },
  {
    mitigation: lowRank,
    suffix: '+low-rank',
    kind: 'low-rank',
    summary: 'rounds and adds a low-rank branch for what rounding lost',
  },
  {
    mitigation: gptqLowRank,
    suffix: '+gptq+low-rank',
    kind: 'low-rank',
    summary: 'runs GPTQ (best) and adds a low-rank branch for what it lost',
  },
]

/** Names of the first row, where there is no transform. */
const PLAIN: Readonly<Record<string, { readonly id: string; readonly label: string; readonly summary: string }>> = {
  '': { id: 'rtn', label: 'RTN', summary: 'Rounds weights and activations as they are.' },
  '+gptq': {
    id: 'gptq',
    label: 'GPTQ',
    summary: 'Rounds column by column and lets later columns make up for it, as the calibration rows say.',
  },
  '+low-rank': {
    id: 'low-rank',
    label: 'Low rank',
    summary: 'Rounds and adds a low-rank branch in BF16 for what rounding lost (LQER, QERA, SVDQuant).',
  },
  '+gptq+low-rank': {
    id: 'gptq+low-rank',
    label: 'GPTQ + low rank',
    summary: 'GPTQ (best), then a low-rank branch in BF16 for what it lost.',
  },
}

/** Cells to which a paper gave a name or results; the rest of the grid is combinations nobody has named. */
const PUBLISHED: ReadonlySet<string> = new Set([
  'rtn',
  'gptq',
  'low-rank',
  'smoothquant',
  'smoothquant+gptq',
  'awq',
  'awq+gptq',
  'quarot',
  'quarot+gptq',
  'flatquant',
  'flatquant+gptq',
])

function labelOf(name: string, suffix: string): string {
  const star = suffix.startsWith('+gptq') ? '*' : ''
  return `${name}${star}${suffix.endsWith('+low-rank') ? ' + low rank' : ''}`
}

/** The published AWQ with GPTQ searches scales only: GPTQ itself decides what a clip would. */
function defaultsOf(transform: Transform, suffix: string): OptionValues {
  return transform === awq && suffix.startsWith('+gptq') ? { clip: 'off' } : {}
}

function cell(row: GridRow, column: GridColumn): Method {
  const { transform } = row
  const { mitigation, suffix } = column
  if (transform === identity) {
    const { id, label, summary } = PLAIN[suffix]
    return {
      id,
      label,
      kind: column.kind,
      summary,
      published: PUBLISHED.has(id),
      transform,
      mitigation,
      column: mitigation.id,
      defaults: {},
    }
  }
  const id = `${transform.id}${suffix}`
  return {
    id,
    label: labelOf(row.name, suffix),
    kind: row.kind,
    summary: `${row.summary}, then ${column.summary}.`,
    published: PUBLISHED.has(id),
    transform,
    mitigation,
    column: mitigation.id,
    defaults: defaultsOf(transform, suffix),
  }
}

/** Cells with other defaults than the grid's, under names of their own. */
const PRESETS: readonly Method[] = [
  {
    id: 'gptq-best',
    label: 'GPTQ (best)',
    kind: 'compensation',
    summary: 'GPTQ with columns by falling activation energy and block exponents chosen by error: our best setting.',
    published: false,
    transform: identity,
    mitigation: gptqSearched,
    column: gptq.id,
    defaults: {},
  },
  {
    id: 'mr-gptq',
    label: 'MR-GPTQ',
    kind: 'rotation',
    summary: 'Rotates every scale block with a Hadamard matrix, then GPTQ by activation order with observed scales.',
    published: true,
    transform: blockHadamard,
    mitigation: gptqObserved,
    column: gptq.id,
    defaults: {},
  },
]

/** Every change of basis, in menu order: the rows of the grid. */
export const TRANSFORMS: readonly Transform[] = ROWS.map(({ transform }) => transform)

/** Every way to choose codes, in menu order: the columns of the grid. */
export const MITIGATIONS: readonly Mitigation[] = COLUMNS.map(({ mitigation }) => mitigation)

/** Every method, in menu order: the whole grid, row by row, and the presets. */
export const METHODS: readonly Method[] = [
  ...ROWS.flatMap((row) => COLUMNS.map((column) => cell(row, column))),
  ...PRESETS,
]

/**
 * An id as the registry writes it: `quarot+rtn` and `quarot+round-to-nearest` are `quarot`, `identity+gptq` is `gptq`,
 * `identity` is `rtn`. Capitals are understood.
 */
export function canonicalId(id: string): string {
  const parts = id
    .toLowerCase()
    .split('+')
    .filter((part, at) => !(at > 0 && (part === 'rtn' || part === roundToNearest.id)))
  if (parts[0] !== identity.id) return parts.join('+')
  return parts.length === 1 ? 'rtn' : parts.slice(1).join('+')
}

/** The method called `id`. Throws InputError MD-04 naming the valid ids. */
export function methodById(id: string): Method {
  const canonical = canonicalId(id)
  const method = METHODS.find((candidate) => candidate.id === canonical)
  if (method) return method
  const known = METHODS.map((candidate) => candidate.id).join(', ')
  throw new InputError('MD-04', `method: expected one of ${known}, found "${id}".`)
}
