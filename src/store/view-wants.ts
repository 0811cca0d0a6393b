/** What the view on screen shows: the comparison of the table, and what a view needs beyond it. */
import type { Setting } from '../experiment/request'
import type { MxChoices } from '../formats/quantizer'
import { findingsWants } from './findings'
import { gridWants } from './grid-view'
import { mxChoices } from './mx-choices'
import type { AppState, MethodSetup } from './state'

/** One method under one setting and one set of MX choices. */
export interface Want {
  readonly setting: Setting
  readonly method: MethodSetup
  readonly mx: MxChoices
  /** Of every random choice. */
  readonly seed: number
  /** Whether its scale analysis is wanted, which a run makes only when asked. */
  readonly analysed: boolean
}

/** Everything the view on screen shows, the comparison of the table first. */
export function viewWants(state: AppState, presets: readonly Setting[]): readonly Want[] {
  const { setting, methods, seed } = state.setup
  const mx = mxChoices(state.setup)
  const analysed = state.view.view === 'scales'
  const compared = (each: Setting): Want[] => methods.map((method) => ({ setting: each, method, mx, seed, analysed }))
  const shown = compared(setting)
  switch (state.view.view) {
    case 'error':
      return [...shown, ...presets.filter(({ id }) => id !== setting.id).flatMap(compared)]
    case 'grid':
      return [...shown, ...gridWants(state)]
    case 'findings':
      return [...shown, ...findingsWants(state)]
    default:
      return shown
  }
}
