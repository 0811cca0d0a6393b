import { InputError } from '../core/errors'
import type { OptionValues } from '../core/options'
import type { Method, MethodKind, Mitigation, Transform } from './method'
import { gptq } from './mitigations/gptq'
import { withLowRank } from './mitigations/low-rank'
import { roundToNearest } from './mitigations/round-to-nearest'
import { awq } from './transforms/awq'
import { blockAffine } from './transforms/block-affine'
import { blockHadamard } from './transforms/block-hadamard'
import { flatquant } from './transforms/flatquant'
import { identity } from './transforms/identity'
import { quarot } from './transforms/quarot'
import { scaledHadamard } from './transforms/scaled-hadamard'
import { smoothquant } from './transforms/smoothquant'
import { spinquant } from './transforms/spinquant'

/** A row of the grid: a transform under the name that methods with it carry. */
interface GridRow {
  readonly transform: Transform
  readonly name: string
  readonly kind: MethodKind
  /** What it does before anything is rounded, as the start of a sentence; '' for the identity. */
  readonly summary: string
  /** Defaults of its options where GPTQ follows. */
  readonly withGptq?: OptionValues
}

/** A column of the grid: a mitigation and how it is written in ids and names. */
interface GridColumn {
  readonly mitigation: Mitigation
  /** After the transform's id; '' for rounding to nearest. */
  readonly suffix: string
  readonly kind: MethodKind
  /** The rest of the sentence. */
  readonly summary: string
  /** Defaults that differ from those of the mitigation. */
  readonly defaults: OptionValues
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
    // As published: GPTQ itself decides what a clip would.
    withGptq: { clip: 'off' },
  },
  {
    transform: quarot,
    name: 'QuaRot',
    kind: 'rotation',
    summary: 'Spreads outliers over all channels with a random Hadamard rotation',
  },
  {
    transform: spinquant,
    name: 'SpinQuant',
    kind: 'rotation',
    summary: 'Learns a rotation of all channels, starting from a random Hadamard matrix',
    // As published: what the weights lose is left to GPTQ.
    withGptq: { objective: 'activations' },
  },
  {
    transform: flatquant,
    name: 'FlatQuant',
    kind: 'affine',
    summary: 'Learns a scale per channel and a small invertible map that flatten both sides',
  },
  {
    transform: blockAffine,
    name: 'Block affine',
    kind: 'affine',
    summary: 'Learns an invertible map inside every block of channels, and a clip per block',
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
const gptqLowRank = withLowRank(gptq, { id: 'gptq+low-rank', label: 'GPTQ and low rank' })

/** The order that suits outlier channels, and exponents chosen by error. */
const BEST: OptionValues = { scales: 'searched', order: 'act-order' }

const COLUMNS: readonly GridColumn[] = [
  { mitigation: roundToNearest, suffix: '', kind: 'baseline', summary: 'rounds', defaults: {} },
  {
    mitigation: gptq,
    suffix: '+gptq',
    kind: 'compensation',
    summary: 'lets later columns make up for rounding (GPTQ)',
    defaults: {},
  },
  {
    mitigation: lowRank,
    suffix: '+low-rank',
    kind: 'low-rank',
    summary: 'rounds and adds a low-rank branch for what rounding lost',
    defaults: {},
  },
  {
    mitigation: gptqLowRank,
    suffix: '+gptq+low-rank',
    kind: 'low-rank',
    summary: 'runs GPTQ (best) and adds a low-rank branch for what it lost',
    defaults: BEST,
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
  'spinquant',
  'spinquant+gptq',
  'flatquant',
  'flatquant+gptq',
])

function labelOf(name: string, suffix: string): string {
  const star = suffix.startsWith('+gptq') ? '*' : ''
  return `${name}${star}${suffix.endsWith('+low-rank') ? ' + low rank' : ''}`
}

function cell(row: GridRow, column: GridColumn): Method {
  const { transform } = row
  const { mitigation, suffix } = column
  const defaults = { ...(suffix.startsWith('+gptq') ? row.withGptq : {}), ...column.defaults }
  if (transform === identity) {
    const { id, label, summary } = PLAIN[suffix]
    return { id, label, kind: column.kind, summary, published: PUBLISHED.has(id), transform, mitigation, defaults }
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
    defaults,
  }
}

/** Cells with other defaults than the grid's, under names of their own. */
const NAMED: readonly Method[] = [
  {
    id: 'gptq-best',
    label: 'GPTQ (best)',
    kind: 'compensation',
    summary: 'GPTQ with columns by falling activation energy and block exponents chosen by error: our best setting.',
    published: false,
    transform: identity,
    mitigation: gptq,
    defaults: BEST,
  },
  {
    id: 'mr-gptq',
    label: 'MR-GPTQ',
    kind: 'rotation',
    summary: 'Rotates every scale block with a Hadamard matrix, then GPTQ by activation order with observed scales.',
    published: true,
    transform: blockHadamard,
    mitigation: gptq,
    defaults: { scales: 'observer', order: 'act-order' },
  },
]

/** Every change of basis, in menu order: the rows of the grid. */
export const TRANSFORMS: readonly Transform[] = ROWS.map(({ transform }) => transform)

/** Every way to choose codes, in menu order: the columns of the grid. */
export const MITIGATIONS: readonly Mitigation[] = COLUMNS.map(({ mitigation }) => mitigation)

/** Every method, in menu order: the whole grid, row by row, and the cells with names of their own. */
export const METHODS: readonly Method[] = [
  ...ROWS.flatMap((row) => COLUMNS.map((column) => cell(row, column))),
  ...NAMED,
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
