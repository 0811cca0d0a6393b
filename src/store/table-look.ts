/** Which columns the table shows, and the model of its Paper column: kept on the device. */
import type { StoreContext } from './context'
import { PAPER_MODELS, type PaperModel } from './paper-recovery'
import { SAVED } from './saved-layer'
import type { AppState } from './state'
import { COLUMNS, type Column, PAPER_COLUMN, paperColumn } from './table-rows'

export interface TableSlice {
  /** Ids of the chosen columns; null: those that are shown until the user chooses. */
  readonly columns: readonly string[] | null
  /** Id of a model of PAPER_MODELS. */
  readonly paperModel: string
}

export const DEFAULT_TABLE: TableSlice = { columns: null, paperModel: PAPER_MODELS[0].id }

export interface TableActions {
  showColumn(id: string, shown: boolean): void
  /** Back to the columns of a first visit. */
  resetColumns(): void
  setPaperModel(id: string): void
}

const KEY = 'table'

export function paperModelOf({ table }: Pick<AppState, 'table'>): PaperModel {
  return PAPER_MODELS.find(({ id }) => id === table.paperModel) ?? PAPER_MODELS[0]
}

/** Every column there is, in order. */
export function allColumns(state: Pick<AppState, 'table'>): readonly Column[] {
  return [...COLUMNS, paperColumn(paperModelOf(state))]
}

/** Published numbers stand beside a built-in layer with its own activations; beside others, once they are chosen. */
const showsPublished = ({ source: { active, activations } }: Pick<AppState, 'source'>) =>
  // A cold page is about to open one, and nothing shall move then.
  active === null || (active !== 'user' && active !== SAVED && activations.kind === 'captured')

/** Those on screen. */
export function shownColumns(state: Pick<AppState, 'table' | 'source'>): readonly Column[] {
  const { columns } = state.table
  const byDefault = ({ id, isShown }: Column) => isShown && (id !== PAPER_COLUMN || showsPublished(state))
  return allColumns(state).filter((column) => (columns === null ? byDefault(column) : columns.includes(column.id)))
}

/** What an earlier visit has kept; what it says wrongly is as on a first visit. */
export function keptTable(memory: StoreContext['environment']['memory']): TableSlice {
  const [model, columns] = memory?.read(KEY)?.split(' ') ?? []
  const known = allColumns({ table: DEFAULT_TABLE }).map(({ id }) => id)
  return {
    columns: columns === undefined ? null : columns.split(',').filter((id) => known.includes(id)),
    paperModel: PAPER_MODELS.find(({ id }) => id === model)?.id ?? DEFAULT_TABLE.paperModel,
  }
}

export function createTableActions({ environment, get, patch }: StoreContext): TableActions {
  const keep = (change: Partial<TableSlice>) => {
    patch('table', change)
    const { columns, paperModel } = get().table
    environment.memory?.write(KEY, columns === null ? paperModel : `${paperModel} ${columns.join(',')}`)
  }
  return {
    showColumn: (id, shown) => {
      const others = shownColumns(get())
        .map((column) => column.id)
        .filter((other) => other !== id)
      keep({ columns: shown ? [...others, id] : others })
    },
    resetColumns: () => keep({ columns: null }),
    setPaperModel: (paperModel) => keep({ paperModel }),
  }
}
