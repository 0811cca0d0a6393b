/** The method grid: output SQNR of every transform with every mitigation under the setting on screen. */
import type { MethodEntry } from '../experiment/catalog'
import type { MethodOutcome } from '../experiment/result'
import type { StoreContext } from './context'
import { mxChoices } from './mx-choices'
import { layerKey, outcomeKey } from './result-keys'
import type { AppState, MethodSetup } from './state'
import type { Want } from './view-wants'
import type { Vocabulary } from './vocabulary'
import { without } from './without'

/** Facts of the Grid view. */
export interface GridSlice {
  /** Ids of the cells the user has asked to compute, besides the chosen methods. */
  readonly asked: readonly string[]
  /** What they were asked under: another layer, setting or choice of scales takes asking again. */
  readonly askedUnder: string | null
  /** What cells are coloured by: the number itself, or its distance from RTN. */
  readonly scale: 'sqnr' | 'difference'
}

export const DEFAULT_GRID: GridSlice = { asked: [], askedUnder: null, scale: 'sqnr' }

export interface GridActions {
  /** Computes these cells as well. */
  askCells(ids: readonly string[]): void
  /** Forgets a cell that failed and computes it again. */
  retryCell(id: string): void
  setGridScale(scale: GridSlice['scale']): void
}

export function createGridActions({ get, patch, schedule }: StoreContext): GridActions {
  const askCells = (ids: readonly string[]) => {
    const under = conditionsKey(get())
    patch('grid', { asked: [...new Set([...askedNow(get()), ...ids])], askedUnder: under })
    schedule()
  }
  return {
    askCells,
    retryCell: (id) => {
      patch('run', { results: without(get().run.results, [cellKey(get(), id)]) })
      askCells([id])
    },
    setGridScale: (scale) => patch('grid', { scale }),
  }
}

/** The same as long as cells mean the same. */
function conditionsKey(state: AppState): string | null {
  const layer = layerKey(state)
  return layer === null ? null : outcomeKey(state, layer, state.setup.setting, { id: '', hidden: false, options: {} })
}

function askedNow(state: AppState): readonly string[] {
  const { asked, askedUnder } = state.grid
  return askedUnder !== null && askedUnder === conditionsKey(state) ? asked : []
}

/** A cell's method: with the options chosen in the rail where it is among the chosen ones, else with its defaults. */
function cellMethod({ setup }: AppState, id: string): MethodSetup {
  return setup.methods.find((method) => method.id === id) ?? { id, hidden: false, options: {} }
}

/** '' without a layer. */
function cellKey(state: AppState, id: string): string {
  const layer = layerKey(state)
  return layer === null ? '' : outcomeKey(state, layer, state.setup.setting, cellMethod(state, id))
}

/** The cells that were asked for. */
export function gridWants(state: AppState): readonly Want[] {
  const { setting, seed } = state.setup
  const mx = mxChoices(state.setup)
  return askedNow(state).map((id) => ({ setting, method: cellMethod(state, id), mx, seed, analysed: false }))
}

export interface GridCell {
  readonly entry: MethodEntry
  /** `waiting`: asked for and not there yet; `missing`: not asked for. */
  readonly status: 'missing' | 'waiting' | 'running' | 'live' | 'failed'
  readonly outcome: MethodOutcome | null
  /** Whether it has options that are not its defaults. */
  readonly adjusted: boolean
  /** Whether it is one of the methods of the comparison. */
  readonly chosen: boolean
}

/** Every method of the catalog with what is known of it under the setting on screen. */
export function gridCells(state: AppState, { methods }: Pick<Vocabulary, 'methods'>): readonly GridCell[] {
  const { setup, run } = state
  const running = run.runId !== null
  const waiting = running || run.phase === 'scheduled' ? new Set(askedNow(state)) : new Set<string>()
  return methods.map((entry) => {
    const method = cellMethod(state, entry.id)
    const key = cellKey(state, entry.id)
    const outcome = Object.hasOwn(run.results, key) ? run.results[key] : null
    const chosen = setup.methods.some(({ id }) => id === entry.id)
    const open =
      running && run.current?.key === key
        ? 'running'
        : waiting.has(entry.id) || (running && chosen)
          ? 'waiting'
          : 'missing'
    const status = outcome === null ? open : outcome.kind === 'result' ? 'live' : 'failed'
    return { entry, status, outcome, adjusted: Object.keys(method.options).length > 0, chosen }
  })
}

/** Seconds the missing cells may take, from what cells of the same rows and columns took; null while too little is known. */
export function gridEstimate(cells: readonly GridCell[]): number | null {
  const known = cells.flatMap(({ entry, outcome }) =>
    outcome?.kind === 'result' ? [{ entry, ms: outcome.elapsedMs }] : [],
  )
  const least = (one: MethodEntry, part: 'row' | 'column') => {
    const times = known.filter(({ entry }) => entry[part] === one[part]).map(({ ms }) => ms)
    return times.length === 0 ? null : Math.min(...times)
  }
  const missing = cells.filter(({ status }) => status === 'missing')
  const times = missing.map(({ entry }) => {
    const [row, column] = [least(entry, 'row'), least(entry, 'column')]
    return row === null ? null : row + (column ?? 0)
  })
  return times.some((time) => time === null) ? null : times.reduce<number>((sum, time) => sum + (time ?? 0), 0) / 1000
}
