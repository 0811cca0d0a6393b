/**
 * What a "?" button asks about, as text: an entry's id; `method:<id>` a method with its options; `format:<id>` a number
 * format with its options; `view:<id>` a view with its figures; `sweep:<key>` what a sweep varies.
 */
interface Keyed {
  readonly key: string
}

/** The registries, as far as a topic needs them. */
export interface TopicRegistries {
  readonly methods: readonly {
    readonly id: string
    readonly row: string
    readonly column: string
    readonly options: readonly Keyed[]
  }[]
  readonly formats: readonly { readonly id: string; readonly family: string; readonly options: readonly Keyed[] }[]
  readonly views: readonly { readonly id: string; readonly figure?: string }[]
}

/** Figures that a view shows beside its own, and ideas one needs to read them. */
const SHOWN_WITH: Readonly<Record<string, readonly string[]>> = {
  surface: ['figure.surface', 'outlier-channels'],
  channels: ['outlier-channels'],
  figure5: ['figure.histogram', 'figure.map', 'figure.channels', 'figure.flatness'],
  blocks: ['figure.scale-map', 'figure.block-bars'],
  scales: [
    ...['figure.scales', 'figure.error-split', 'figure.pre-scale-sweep', 'figure.block-size-sweep', 'figure.clipping'],
  ],
  rotation: [
    ...['figure.outlier-study', 'figure.peakedness', 'figure.noise-attribution', 'figure.predicted-error'],
    ...['figure.outlier-token', 'rotation', 'crest-factor', 'mismatch-index', 'closed-form'],
  ],
  sweeps: ['figure.sweep', 'sweep.tokens'],
  formats: ['figure.number-line', 'number-format'],
  grid: ['method-grid'],
}

/** Options that a mitigation brings, whichever transform it follows. */
const MITIGATIONS = ['gptq', 'low-rank']

/** The ids of entries that an option may have: its transform's, or a mitigation's. */
const optionIds = (row: string, key: string) => [row, ...MITIGATIONS].map((owner) => `${owner}.${key}`)

function methodIds(id: string, { methods }: TopicRegistries): readonly string[] {
  const method = methods.find((each) => each.id === id)
  if (!method) return [id]
  const { row, column, options } = method
  const halves = [...(row === 'identity' ? [] : [row]), ...(column === 'round-to-nearest' ? [] : [column])]
  // A cell with other defaults than the grid's has an entry of its own.
  const own = halves.join('+') === id || halves.length === 0 ? [] : [id]
  return [...own, ...(halves.length === 0 ? ['rtn'] : halves), ...options.flatMap(({ key }) => optionIds(row, key))]
}

/** The entry of an option of a number format; integers share theirs. */
export function formatOptionId({ id, family }: TopicRegistries['formats'][number], key: string): string {
  return `${family === 'integer' ? family : id}.${key}`
}

function formatIds(id: string, { formats }: TopicRegistries): readonly string[] {
  const format = formats.find((each) => each.id === id)
  return [id, ...(format?.options.map(({ key }) => formatOptionId(format, key)) ?? [])]
}

function viewIds(id: string, { views }: TopicRegistries): readonly string[] {
  const figure = views.find((each) => each.id === id)?.figure
  return [figure === undefined ? `view.${id}` : `figure.${figure}`, ...(SHOWN_WITH[id] ?? [])]
}

function sweepIds(key: string, { methods }: TopicRegistries): readonly string[] {
  const owners = methods.filter(({ options }) => options.some((option) => option.key === key))
  return [`sweep.${key}`, ...owners.flatMap(({ row }) => optionIds(row, key))]
}

/** The ids of the entries that `topics` ask for, in order, each once; some of them may have no entry. */
export function topicIds(topics: readonly string[], registries: TopicRegistries): readonly string[] {
  const ids = topics.flatMap((topic) => {
    const [kind, id = ''] = topic.split(':')
    if (kind === 'method') return methodIds(id, registries)
    if (kind === 'format') return formatIds(id, registries)
    if (kind === 'view') return viewIds(id, registries)
    if (kind === 'sweep') return sweepIds(id, registries)
    return [topic]
  })
  return [...new Set(ids)]
}
